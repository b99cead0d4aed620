// Weights of the edges of a planted graph.
#pragma once

#include <cstdint>

#include "parsimony/core/context.hpp"
#include "parsimony/graph/generators.hpp"

namespace parsimony::graph {

/// Mean weights of the edges inside clusters and between them.
struct MeanWeights {
  double inside = 1;
  double outside = 1;
};

/// Fills in the values of the graph, unless all of them would be 1. The weight of an edge depends only on the
/// seed and its two ends.
void weigh_edges(PlantedGraph& planted, WeightDistribution weights, const MeanWeights& mean,
                 std::uint64_t seed, const Context& context);

}  // namespace parsimony::graph
