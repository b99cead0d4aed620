// Weights of the edges of a planted graph.
#pragma once

#include <cstdint>

#include "parsimony/core/context.hpp"
#include "parsimony/graph/generators.hpp"

namespace parsimony::graph {

/// What the edges inside and between clusters weigh on average.
struct MeanWeights {
  double inside = 1;
  double outside = 1;
};

/// Fills in the values of the graph; none where all of them would be 1. The weight of an edge depends on the
/// seed and its two ends alone.
void weigh_edges(PlantedGraph& planted, WeightDistribution weights, const MeanWeights& mean,
                 std::uint64_t seed, const Context& context);

}  // namespace parsimony::graph
