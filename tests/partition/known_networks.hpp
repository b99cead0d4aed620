// Graphs whose best partitions are known, and what to ask of a partition.
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "dense.hpp"
#include "parsimony/partition/network.hpp"

namespace parsimony::partition::testing {

/// Zachary's karate club: 34 members, 78 friendships. The largest modularity of any partition is .4198, of
/// four communities [brandes2008modularity].
inline Csr karate_club() {
  constexpr std::pair<int, int> kEdges[] = {
      {2, 1},   {3, 1},   {3, 2},   {4, 1},   {4, 2},   {4, 3},   {5, 1},   {6, 1},   {7, 1},   {7, 5},
      {7, 6},   {8, 1},   {8, 2},   {8, 3},   {8, 4},   {9, 1},   {9, 3},   {10, 3},  {11, 1},  {11, 5},
      {11, 6},  {12, 1},  {13, 1},  {13, 4},  {14, 1},  {14, 2},  {14, 3},  {14, 4},  {17, 6},  {17, 7},
      {18, 1},  {18, 2},  {20, 1},  {20, 2},  {22, 1},  {22, 2},  {26, 24}, {26, 25}, {28, 3},  {28, 24},
      {28, 25}, {29, 3},  {30, 24}, {30, 27}, {31, 2},  {31, 9},  {32, 1},  {32, 25}, {32, 26}, {32, 29},
      {33, 3},  {33, 9},  {33, 15}, {33, 16}, {33, 19}, {33, 21}, {33, 23}, {33, 24}, {33, 30}, {33, 31},
      {33, 32}, {34, 9},  {34, 10}, {34, 14}, {34, 15}, {34, 16}, {34, 19}, {34, 20}, {34, 21}, {34, 23},
      {34, 24}, {34, 27}, {34, 28}, {34, 29}, {34, 30}, {34, 31}, {34, 32}, {34, 33}};
  parsimony::testing::Dense w = parsimony::testing::zeros(34);
  for (const auto& [a, b] : kEdges) w[a - 1][b - 1] = w[b - 1][a - 1] = 1;
  return parsimony::testing::to_csr(w, false);
}

/// Cliques of `size` nodes in a ring, each joined to the next by one edge: the clusters are the cliques.
inline Csr ring_of_cliques(std::int64_t cliques, std::int64_t size) {
  const std::int64_t n = cliques * size;
  parsimony::testing::Dense w = parsimony::testing::zeros(n);
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t j = i / size * size; j < (i / size + 1) * size; ++j) w[i][j] = i != j;
    const std::int64_t next = (i + 1) % n;
    if (i / size != next / size) w[i][next] = w[next][i] = 1;
  }
  return parsimony::testing::to_csr(w, false);
}

/// The clusters that hold a node and are not connected within themselves.
inline std::int64_t disconnected_clusters(CsrView a, std::span<const std::int32_t> labels) {
  std::vector<std::int64_t> pieces(labels.size());
  std::vector<bool> seen(labels.size());
  for (std::size_t first = 0; first < labels.size(); ++first) {
    if (seen[first]) continue;
    ++pieces[labels[first]];
    std::vector<std::int64_t> open{static_cast<std::int64_t>(first)};
    seen[first] = true;
    while (!open.empty()) {
      const std::int64_t i = open.back();
      open.pop_back();
      for (std::int64_t e = a.offsets[i]; e < a.offsets[i + 1]; ++e) {
        const std::int32_t j = a.columns[e];
        if (seen[j] || labels[j] != labels[i]) continue;
        seen[j] = true;
        open.push_back(j);
      }
    }
  }
  std::int64_t count = 0;
  for (const std::int64_t p : pieces) count += p > 1;
  return count;
}

}  // namespace parsimony::partition::testing
