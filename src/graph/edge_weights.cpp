#include "graph/edge_weights.hpp"

#include <algorithm>
#include <cmath>

#include "parsimony/core/random.hpp"

namespace parsimony::graph {

void weigh_edges(PlantedGraph& planted, WeightDistribution weights, const MeanWeights& mean,
                 std::uint64_t seed, const Context& context) {
  if (weights == WeightDistribution::unit && mean.inside == 1 && mean.outside == 1) return;
  Csr& a = planted.graph.adjacency;
  const RandomStream stream(seed, "generators.weights");
  const auto nodes = static_cast<std::uint64_t>(a.rows());
  a.values.resize(a.columns.size());
  context.for_blocks(a.rows(), 1 << 12, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      for (std::int64_t e = a.offsets[i]; e < a.offsets[i + 1]; ++e) {
        const std::int64_t j = a.columns[e];
        // Both ends of the edge draw the same number.
        const auto pair =
            static_cast<std::uint64_t>(std::min(i, j)) * nodes + static_cast<std::uint64_t>(std::max(i, j));
        const double factor = weights == WeightDistribution::unit ? 1 : std::exp(stream.normal(pair) - 0.5);
        a.values[e] = static_cast<float>(
            factor * (planted.labels[i] == planted.labels[j] ? mean.inside : mean.outside));
      }
    }
  });
}

}  // namespace parsimony::graph
