// Refinement inside the methods, which have marked the nodes with edges already.
#pragma once

#include <cstdint>

#include "cluster/methods/placement.hpp"
#include "parsimony/cluster/refine.hpp"

namespace parsimony::cluster {

/// Throws invalid_argument for Refinement::lloyd, which only the compressive method has.
void check_refinement(Refinement refine);

/// The public refine_by_moves() on a checked graph.
void refine_by_moves(CsrView adjacency, const ConnectedNodes& connected, ClusterResult& result,
                     std::uint64_t seed, const Context& context);

}  // namespace parsimony::cluster
