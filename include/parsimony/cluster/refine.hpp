// Refinement after a spectral method: better labels from the graph, or from all rows of its features.
#pragma once

#include <cstdint>

#include "parsimony/cluster/result.hpp"
#include "parsimony/core/context.hpp"
#include "parsimony/core/csr.hpp"
#include "parsimony/core/options.hpp"

namespace parsimony::cluster {

/// The papers' methods have no refinement, so the default returns their results unchanged.
enum class Refinement {
  none,
  lloyd,  ///< compressive only: k-means on all rows of the features, from the centroids of the sample
  moves   ///< refine_by_moves()
};

constexpr auto names_of(Refinement) {
  using enum Refinement;
  return enum_names<Refinement>({{none, "none"}, {lloyd, "lloyd"}, {moves, "moves"}});
}

/// Three passes of local moves of nodes at fixed k, by modularity at the resolution where it is the
/// likelihood of a planted partition, estimated anew before each pass (partition::planted_rates,
/// partition::local_moves). Changes the labels of the result, and adds the stage "refine" and the figure
/// "refining_moves" to its report. Every cluster keeps a node; nodes without edges join the smallest cluster,
/// unless k exceeds the number of other nodes.
///
/// O(E) time per pass, 60 N bytes; the same result for any number of threads. Throws invalid_argument (a
/// result of another graph, an unsound graph: see graph::check_graph) and cancelled.
void refine_by_moves(CsrView adjacency, ClusterResult& result, std::uint64_t seed = 0,
                     const Context& context = Context{});

}  // namespace parsimony::cluster
