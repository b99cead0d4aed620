// Triangles compared with a block model: whether a graph can be a random graph with planted clusters.
#pragma once

#include <cstdint>

#include "parsimony/core/context.hpp"
#include "parsimony/core/csr.hpp"
#include "parsimony/partition/partition.hpp"

namespace parsimony::cluster {

/// A block model joins two neighbours of a node independently, given their clusters and degrees. Returns the
/// ratio of the observed number of joined neighbours to the number expected by the model of these
/// communities. It is near 1 for block models, 1.3 to 3.4 for graphs with small and dense planted groups
/// (whose communities at resolution 1 hold several planted clusters each), and 25 or more for meshes and for
/// graphs of co-authors.
///
/// `clusters` finer clusters inside the communities may be that many times denser, so the expected number is
/// raised by clusters / communities, at least 1. Weights are ignored.
///
/// Uses 20,000 pairs of neighbours; returns 0 if no node has two neighbours. O(E) time.
double excess_closure(CsrView adjacency, const partition::Partition& communities, std::int64_t clusters,
                      std::uint64_t seed, const Context& context);

}  // namespace parsimony::cluster
