// Implements parsimony/graph/scores.hpp and graph/score_sums.hpp.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/count_of.hpp"
#include "graph/score_sums.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/graph/graph.hpp"

namespace parsimony::graph {

PartitionScores score_partition(CsrView adjacency, std::span<const std::int32_t> labels,
                                const Context& context) {
  return score_partition(adjacency, labels, {}, context);
}

PartitionScores score_partition(CsrView adjacency, std::span<const std::int32_t> labels,
                                std::span<const double> self_loops, const Context& context) {
  adjacency = check_graph(adjacency, context);
  const std::int64_t nodes = adjacency.rows();
  if (std::ssize(labels) != nodes) {
    refuse(
        fmt::format("labels: {} for {}; there must be one per node", labels.size(), count_of(nodes, "node")));
  }
  if (!self_loops.empty() && std::ssize(self_loops) != nodes) {
    refuse(fmt::format("self_loops: {} for {}; there must be one per node, or none", self_loops.size(),
                       count_of(nodes, "node")));
  }
  for (const double weight : self_loops) {
    if (!(weight >= 0 && std::isfinite(weight))) {
      refuse(fmt::format("self_loops: weight {}; must be at least 0 and finite", weight));
    }
  }
  std::int64_t clusters = 0;
  for (std::int64_t i = 0; i < nodes; ++i) {
    if (labels[i] < 0 || labels[i] >= nodes) {
      throw Error(
          ErrorCode::invalid_argument,
          fmt::format("labels: {} of node {} is out of range; must be 0 to {}", labels[i], i, nodes - 1));
    }
    clusters = std::max<std::int64_t>(clusters, labels[i] + 1);
  }

  std::vector<double> degree(nodes), leaving(nodes);
  context.for_blocks(nodes, 1 << 13, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      if (!self_loops.empty()) degree[i] = 2 * self_loops[i];
      for (auto e = adjacency.offsets[i]; e < adjacency.offsets[i + 1]; ++e) {
        const double weight = adjacency.weighted() ? adjacency.values[e] : 1.0;
        degree[i] += weight;
        if (labels[adjacency.columns[e]] != labels[i]) leaving[i] += weight;
      }
    }
  });

  PartitionScores out;
  out.volume.resize(clusters);
  out.cut.resize(clusters);
  out.sizes.resize(clusters);
  double total = 0;  // 2m
  for (std::int64_t i = 0; i < nodes; ++i) {
    out.volume[labels[i]] += degree[i];
    out.cut[labels[i]] += leaving[i];
    ++out.sizes[labels[i]];
    total += degree[i];
  }
  finish_scores(out, total);
  return out;
}

void finish_scores(PartitionScores& out, double total) {
  const std::int64_t clusters = std::ssize(out.sizes);
  out.conductance.resize(clusters);
  std::int64_t filled = 0;
  for (std::int64_t c = 0; c < clusters; ++c) {
    const double volume = out.volume[c], cut = out.cut[c];
    if (total > 0) out.modularity += (volume - cut) / total - (volume / total) * (volume / total);
    if (cut > 0) {  // then both volumes are positive
      out.normalized_cut += cut / volume;
      out.conductance[c] =
          cut / std::max(cut, std::min(volume, total - volume));  // total − volume is rounded
    }
    out.mean_conductance += out.conductance[c];
    filled += out.sizes[c] > 0;
  }
  if (filled > 0) out.mean_conductance /= static_cast<double>(filled);
}

}  // namespace parsimony::graph
