// The graph of points, from their nearest neighbours.
#pragma once

#include <cstdint>

#include "parsimony/core/context.hpp"
#include "parsimony/core/options.hpp"
#include "parsimony/graph/graph.hpp"
#include "parsimony/graph/nearest_neighbors.hpp"

namespace parsimony::graph {

enum class EdgeRule {
  unite,  ///< an edge if either point is a neighbour of the other
  mutual  ///< an edge if both are; points may be left without edges
};

constexpr auto names_of(EdgeRule) {
  using enum EdgeRule;
  return enum_names<EdgeRule>({{unite, "union"}, {mutual, "mutual"}});
}

enum class NeighborWeights {
  gaussian,  ///< exp(−‖x − y‖² / 2 σ²) with the same σ for all
  self_tuning,  ///< exp(−‖x − y‖² / σ_x σ_y), σ_x the distance of x to its 7th neighbour [zelnik2004self]
  binary  ///< 1
};

constexpr auto names_of(NeighborWeights) {
  using enum NeighborWeights;
  return enum_names<NeighborWeights>(
      {{gaussian, "gaussian"}, {self_tuning, "self_tuning"}, {binary, "binary"}});
}

struct NeighborGraphOptions {
  EdgeRule edges = EdgeRule::unite;
  NeighborWeights weights = NeighborWeights::self_tuning;
  /// σ of the gaussian weights, in the unit of the distances; 0: their mean at the k-th neighbour.
  double bandwidth = 0;
};

template <OptionsOf<NeighborGraphOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(Field{"edges", "join points if either is a neighbour of the other, or only if both are"},
        options.edges);
  visit(Field{"weights", "weight of an edge"}, options.weights);
  visit(Field{"bandwidth", "sigma of the gaussian weights; auto: mean distance to the last neighbour", 0,
              1e30, "auto", 0},
        options.bandwidth);
}

/// The graph of n points that were compared among themselves. Weights are in (0, 1]: smaller weights than
/// 1e-30 become 1e-30, and copies of a point are joined by weight 1. With the cosine metric, ‖x − y‖ is the
/// distance of the rows scaled to unit length. A σ_x of 0 (a point with 7 copies) counts as a thousandth of
/// the mean. binary gives a graph without weights.
///
/// O(n k log k) time, 12 bytes for each of the n k neighbours beside the graph. Throws invalid_argument
/// (options out of range, indices that do not name another of the n points, distances that do not fit the
/// indices).
Graph neighbor_graph(const Neighbors& neighbors, const NeighborGraphOptions& options = {},
                     const Context& context = Context{});

}  // namespace parsimony::graph
