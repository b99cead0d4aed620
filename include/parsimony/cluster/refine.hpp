// What may follow a spectral method: better labels from the graph, or from all rows of its features.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <utility>

#include "parsimony/cluster/result.hpp"
#include "parsimony/core/context.hpp"
#include "parsimony/core/csr.hpp"
#include "parsimony/core/options.hpp"

namespace parsimony::cluster {

/// None is part of the papers' methods, so that the default leaves their results as they are.
enum class Refinement {
  none,
  lloyd,  ///< compressive only: k-means on all rows of the features, from the centroids of the sample
  moves   ///< refine_by_moves()
};

constexpr auto names_of(Refinement) {
  using enum Refinement;
  return enum_names<Refinement>({{none, "none"}, {lloyd, "lloyd"}, {moves, "moves"}});
}

/// Three passes of local moves of nodes at fixed k, by modularity at the resolution at which it is the
/// likelihood of a planted partition, estimated anew before each (partition::planted_rates,
/// partition::local_moves). Changes the labels of the result and adds the stage "refine" and the figure
/// "refining_moves" to its report. Every cluster keeps a node; nodes without edges stay with the largest one,
/// unless k is more than there are others.
///
/// O(E) time a pass, 60 N bytes; the same result for any number of threads. Throws invalid_argument for a
/// result of another graph, and cancelled.
void refine_by_moves(CsrView adjacency, ClusterResult& result, std::uint64_t seed = 0,
                     const Context& context = Context{});

}  // namespace parsimony::cluster
