#include "cluster/methods/prepared.hpp"

#include <fmt/format.h>

#include <vector>

#include "core/count_of.hpp"
#include "parsimony/core/error.hpp"

namespace parsimony::cluster {

void check_clusters(std::int64_t clusters, std::int64_t nodes) {
  if (clusters <= nodes) return;
  refuse(fmt::format("clusters: {} is more than the {} of the graph", clusters, count_of(nodes, "node")));
}

void check_labels_fit(std::span<const std::int32_t> initial, std::int64_t clusters, std::int64_t nodes) {
  if (initial.empty()) return;
  if (std::ssize(initial) != nodes) {
    refuse(fmt::format("initial labels: {} for a graph of {}; must be one for each", initial.size(),
                       count_of(nodes, "node")));
  }
  for (std::size_t i = 0; i < initial.size(); ++i) {
    if (initial[i] >= -1 && initial[i] < clusters) continue;
    refuse(fmt::format("initial labels: node {} has {}; must be from 0 to {}, or -1 for none", i, initial[i],
                       clusters - 1));
  }
}

void check_initial(std::span<const std::int32_t> initial, std::int64_t clusters,
                   const ConnectedNodes& connected) {
  check_labels_fit(initial, clusters, std::ssize(connected.marks));
  if (initial.empty()) return;
  std::vector<bool> met(static_cast<std::size_t>(clusters));
  for (std::size_t i = 0; i < initial.size(); ++i) {
    if (initial[i] >= 0 && connected.marks[i] > 0) met[initial[i]] = true;
  }
  for (std::int64_t c = 0; c < clusters; ++c) {
    if (!met[c]) {
      refuse(
          fmt::format("initial labels: cluster {} of {} has no node with edges to start from", c, clusters));
    }
  }
}

void place_without_search(ClusterResult& result, const Prepared& prepared, bool components_suffice) {
  const std::int64_t k = result.clusters;
  const ConnectedNodes& connected = prepared.connected;
  result.report.figures.emplace_back("memory_estimate", prepared.memory.bytes);
  {
    const StageTimer timer(result.report, "components");
    const graph::Components components = note_structure(result.report, prepared.adjacency);
    if (components_suffice) result.labels = components_as_clusters(components, k, connected.marks);
  }
  if (!result.labels.empty()) return;
  if (k == 1) result.labels.assign(static_cast<std::size_t>(prepared.nodes()), 0);
  if (k > 1 && k >= connected.count) result.labels = single_nodes(connected.marks, k);
}

}  // namespace parsimony::cluster
