// Clusters a planted partition with the installed library: all that a consumer needs works.
#include <cstdint>
#include <cstdio>
#include <vector>

#include "parsimony/graph/generators.hpp"
#include "parsimony/graph/scores.hpp"
#include "parsimony/parsimony.hpp"

int main() {
  parsimony::graph::BlockModelOptions model;
  model.nodes = 2000;
  model.clusters = 10;
  model.epsilon_ratio = 0.1;
  const auto planted = parsimony::graph::stochastic_block_model(model);

  const auto result = parsimony::cluster::cluster(planted.graph, {.clusters = model.clusters});

  std::vector<std::int64_t> sizes(10);
  for (const std::int32_t label : result.labels) ++sizes.at(static_cast<std::size_t>(label));
  for (const std::int64_t size : sizes) {
    if (size == 0) return 1;
  }
  const double ari = parsimony::graph::agreement(result.labels, planted.labels).adjusted_rand;
  std::printf("ARI %.3f\n", ari);
  return ari > 0.9 ? 0 : 1;
}
