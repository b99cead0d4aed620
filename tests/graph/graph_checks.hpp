// Requirements on every graph that a reader returns, and graphs to try readers and writers with.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "parsimony/core/random.hpp"
#include "parsimony/graph/file.hpp"

namespace parsimony::graph {

/// Edges (a, b), a < b, with their weights: the plain model that graphs are compared with.
using EdgeMap = std::map<std::pair<std::int64_t, std::int64_t>, float>;

/// The edges of a graph; fails the test unless it is symmetric, sorted, without loops, of positive finite
/// weights.
inline EdgeMap edges_of(const Graph& graph) {
  const Csr& a = graph.adjacency;
  std::map<std::pair<std::int64_t, std::int64_t>, float> entries;
  EXPECT_EQ(a.offsets.front(), 0);
  EXPECT_EQ(a.offsets.back(), a.entries());
  for (std::int64_t row = 0; row < a.rows(); ++row) {
    for (std::int64_t e = a.offsets[row]; e < a.offsets[row + 1]; ++e) {
      const float weight = a.values.empty() ? 1.0f : a.values[e];
      EXPECT_TRUE(weight > 0 && std::isfinite(weight)) << weight;
      EXPECT_NE(a.columns[e], row);
      EXPECT_TRUE(e == a.offsets[row] || a.columns[e - 1] < a.columns[e]);
      entries[{row, a.columns[e]}] = weight;
    }
  }
  EdgeMap edges;
  for (const auto& [ends, weight] : entries) {
    const auto mirror = entries.find({ends.second, ends.first});
    EXPECT_TRUE(mirror != entries.end() && mirror->second == weight) << ends.first << ", " << ends.second;
    if (ends.first < ends.second) edges[ends] = weight;
  }
  return edges;
}

inline Graph graph_of(std::int64_t nodes, const EdgeMap& edges, bool weighted) {
  std::vector<std::map<std::int32_t, float>> rows(nodes);
  for (const auto& [ends, weight] : edges) {
    rows[ends.first][static_cast<std::int32_t>(ends.second)] = weight;
    rows[ends.second][static_cast<std::int32_t>(ends.first)] = weight;
  }
  Graph graph;
  for (const auto& row : rows) {
    for (const auto& [column, weight] : row) {
      graph.adjacency.columns.push_back(column);
      if (weighted) graph.adjacency.values.push_back(weight);
    }
    graph.adjacency.offsets.push_back(static_cast<std::int64_t>(graph.adjacency.columns.size()));
  }
  return graph;
}

enum class Weights { none, whole, real };

/// About `edges` random edges, some nodes without any.
inline Graph random_graph(std::int64_t nodes, std::int64_t edges, Weights weights, std::uint64_t seed = 1) {
  const RandomStream ends(seed, "ends"), values(seed, "values");
  EdgeMap map;
  for (std::int64_t i = 0; i < edges; ++i) {
    const std::int64_t a = ends.below(nodes, 2 * i), b = ends.below(nodes, 2 * i + 1);
    if (a == b) continue;
    const auto real = static_cast<float>(values.uniform(i) * 10);
    map[{std::min(a, b), std::max(a, b)}] = weights == Weights::none    ? 1.0f
                                            : weights == Weights::whole ? 1.0f + std::floor(real)
                                                                        : real;
  }
  return graph_of(nodes, map, weights != Weights::none);
}

inline bool same(const Graph& a, const Graph& b) {
  return a.adjacency.offsets == b.adjacency.offsets && a.adjacency.columns == b.adjacency.columns &&
         a.adjacency.values == b.adjacency.values;
}

}  // namespace parsimony::graph
