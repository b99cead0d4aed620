#include "cluster/methods/placement.hpp"

#include <algorithm>

namespace parsimony::cluster {

ConnectedNodes connected_nodes(CsrView adjacency) {
  ConnectedNodes out{.marks = std::vector<float>(adjacency.rows())};
  for (std::int64_t i = 0; i < adjacency.rows(); ++i) {
    const bool has_edges = adjacency.offsets[i] < adjacency.offsets[i + 1];
    out.marks[i] = has_edges ? 1.0f : 0.0f;
    out.count += has_edges;
  }
  return out;
}

Csr marked_part(CsrView adjacency, std::span<const float> marks) {
  std::vector<std::int32_t> renamed(marks.size());
  Csr out;
  std::int64_t nodes = 0, entries = 0;
  for (std::size_t i = 0; i < marks.size(); ++i) {
    if (marks[i] == 0) continue;
    renamed[i] = static_cast<std::int32_t>(nodes++);
    entries += adjacency.offsets[i + 1] - adjacency.offsets[i];
  }
  out.offsets.reserve(nodes + 1);
  out.columns.reserve(entries);
  if (adjacency.weighted()) out.values.reserve(entries);
  for (std::size_t i = 0; i < marks.size(); ++i) {
    if (marks[i] == 0) continue;
    for (std::int64_t e = adjacency.offsets[i]; e < adjacency.offsets[i + 1]; ++e) {
      out.columns.push_back(renamed[adjacency.columns[e]]);
      if (adjacency.weighted()) out.values.push_back(adjacency.values[e]);
    }
    out.offsets.push_back(out.entries());
  }
  return out;
}

void fill_empty_clusters(std::vector<std::int32_t>& labels, std::int64_t clusters,
                         std::span<const std::int32_t> sample, std::span<const std::int32_t> sample_labels) {
  std::vector<std::int64_t> sizes(clusters);
  for (const std::int32_t label : labels) ++sizes[label];
  const auto move = [&](std::int64_t node, std::int32_t cluster) {
    if (sizes[labels[node]] < 2) return false;
    --sizes[labels[node]];
    ++sizes[cluster];
    labels[node] = cluster;
    return true;
  };
  for (std::size_t s = 0; s < sample.size(); ++s) {
    if (sizes[sample_labels[s]] == 0) move(sample[s], sample_labels[s]);
  }
  std::int64_t node = 0;
  for (std::int32_t cluster = 0; cluster < clusters; ++cluster) {
    while (sizes[cluster] == 0) move(node++, cluster);
  }
}

void place_unknown(std::vector<std::int32_t>& labels, std::int64_t clusters,
                   std::span<const float> connected) {
  std::vector<std::int64_t> sizes(clusters);
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (connected[i] == 0) labels[i] = -1;
    if (labels[i] >= 0) ++sizes[labels[i]];
  }
  // An empty cluster does not count as the smallest: it would then consist of nodes without edges only.
  const auto order = [](std::int64_t a, std::int64_t b) { return a > 0 && (b == 0 || a < b); };
  const auto smallest =
      static_cast<std::int32_t>(std::min_element(sizes.begin(), sizes.end(), order) - sizes.begin());
  std::replace(labels.begin(), labels.end(), -1, smallest);
}

std::vector<std::int32_t> single_nodes(std::span<const float> connected, std::int64_t clusters) {
  std::vector<std::int32_t> labels(connected.size(), static_cast<std::int32_t>(clusters - 1));
  std::int64_t next = 0;
  for (const bool with_edges : {true, false}) {
    for (std::size_t i = 0; i < labels.size() && next < clusters; ++i) {
      if ((connected[i] > 0) == with_edges) labels[i] = static_cast<std::int32_t>(next++);
    }
  }
  return labels;
}

graph::Components note_structure(Report& report, CsrView adjacency) {
  graph::Components components = graph::connected_components(adjacency);
  report.figures.emplace_back("components", components.count);
  report.figures.emplace_back("isolated_nodes", components.isolated);
  return components;
}

std::vector<std::int32_t> components_as_clusters(const graph::Components& components, std::int64_t clusters,
                                                 std::span<const float> connected) {
  if (components.count - components.isolated != clusters) return {};
  std::vector<std::int32_t> number(components.count, -1), labels(connected.size(), -1);
  std::int32_t next = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (connected[i] == 0) continue;
    std::int32_t& own = number[components.label[i]];
    if (own < 0) own = next++;
    labels[i] = own;
  }
  place_unknown(labels, clusters, connected);
  return labels;
}

}  // namespace parsimony::cluster
