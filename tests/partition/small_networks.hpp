// Small networks of every kind: components, isolated nodes, loops, weights over many orders of magnitude.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <numeric>
#include <vector>

#include "parsimony/core/random.hpp"
#include "parsimony/partition/partition.hpp"

namespace parsimony::partition::testing {

/// The network of a trial: 1 to 40 nodes, from no edge to dense; every third unweighted, the others with
/// weights over `spread` (10 orders of magnitude); every second with loops.
class SmallNetwork {
 public:
  explicit SmallNetwork(std::uint64_t trial, double spread = 1e10) {
    const RandomStream random(trial, "test.network"), edge(trial, "test.edge"), weight(trial, "test.weight");
    const auto nodes = static_cast<std::int64_t>(1 + random.below(40, 0));
    const double probability = std::pow(random.uniform(1), 3);
    const bool weighted = trial % 3 != 0;
    std::vector<std::map<std::int32_t, float>> rows(nodes);
    for (std::int64_t i = 0; i < nodes; ++i) {
      for (std::int64_t j = 0; j < i; ++j) {
        if (edge.uniform(i * nodes + j) >= probability) continue;
        const auto w = static_cast<float>(std::pow(spread, weight.uniform(i * nodes + j) - 0.5));
        rows[i][static_cast<std::int32_t>(j)] = rows[j][static_cast<std::int32_t>(i)] = weighted ? w : 1.0f;
      }
    }
    for (const auto& row : rows) {
      double degree = 0;
      for (const auto& [column, w] : row) {
        network_.adjacency.columns.push_back(column);
        if (weighted) network_.adjacency.values.push_back(w);
        degree += w;
      }
      network_.adjacency.offsets.push_back(network_.adjacency.entries());
      network_.degree.push_back(degree);
    }
    if (trial % 2 == 1) {
      for (std::int64_t i = 0; i < nodes; ++i) {
        network_.loop.push_back(random.uniform(2 + i) < 0.3 ? network_.degree[i] * random.uniform(100 + i)
                                                            : 0.0);
        network_.degree[i] += network_.loop.back();
      }
    }
    network_.total = std::accumulate(network_.degree.begin(), network_.degree.end(), 0.0);
  }

  operator NetworkView() const { return network_; }

 private:
  Network network_;
};

/// Random labels with every one of the clusters taken.
inline std::vector<std::int32_t> random_surjection(std::int64_t nodes, std::int64_t clusters,
                                                   std::uint64_t seed) {
  const RandomStream random(seed, "test.labels");
  std::vector<std::int32_t> labels(nodes);
  for (std::int64_t i = 0; i < nodes; ++i) {
    labels[i] = static_cast<std::int32_t>(i < clusters ? i : random.below(clusters, i));
  }
  for (std::int64_t i = nodes - 1; i > 0; --i) std::swap(labels[i], labels[random.below(i + 1, nodes + i)]);
  return labels;
}

}  // namespace parsimony::partition::testing
