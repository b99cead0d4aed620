#include "cluster/methods/placement.hpp"

#include <algorithm>
#include <numeric>

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

namespace {

void fill_clusters(std::span<std::int32_t> labels, std::vector<std::int64_t> sizes,
                   std::span<const std::int32_t> sample, std::span<const std::int32_t> sample_labels) {
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
  for (std::int32_t cluster = 0; cluster < std::ssize(sizes); ++cluster) {
    while (sizes[cluster] == 0) move(node++, cluster);
  }
}

// body(values of all processes); then this process takes its own back.
template <class T, class Body>
void on_all(const Processes& processes, std::vector<T>& own, Body&& body) {
  std::int64_t before = std::ssize(own);
  const std::vector<std::int64_t> counts = processes.gather(std::span<const std::int64_t>(&before, 1));
  before = std::accumulate(counts.begin(), counts.begin() + processes.rank(), std::int64_t{0});
  std::vector<T> all = processes.gather(std::span<const T>(own));
  body(all);
  std::copy_n(all.begin() + before, own.size(), own.begin());
}

}  // namespace

void fill_empty_clusters(std::vector<std::int32_t>& labels, std::int64_t clusters,
                         std::span<const std::int32_t> sample, std::span<const std::int32_t> sample_labels,
                         const Processes& processes) {
  std::vector<std::int64_t> sizes(clusters);
  for (const std::int32_t label : labels) ++sizes[label];
  processes.sum(std::span(sizes));
  if (std::find(sizes.begin(), sizes.end(), 0) == sizes.end()) return;
  // This is rare, so that all labels in one place are worth the simple way.
  on_all(processes, labels,
         [&](std::vector<std::int32_t>& all) { fill_clusters(all, sizes, sample, sample_labels); });
}

void place_unknown(std::vector<std::int32_t>& labels, std::int64_t clusters, std::span<const float> connected,
                   const Processes& processes) {
  std::vector<std::int64_t> sizes(clusters);
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (connected[i] == 0) labels[i] = -1;
    if (labels[i] >= 0) ++sizes[labels[i]];
  }
  processes.sum(std::span(sizes));
  // An empty cluster does not count as the smallest: it would then consist of nodes without edges only.
  const auto order = [](std::int64_t a, std::int64_t b) { return a > 0 && (b == 0 || a < b); };
  const auto smallest =
      static_cast<std::int32_t>(std::min_element(sizes.begin(), sizes.end(), order) - sizes.begin());
  std::replace(labels.begin(), labels.end(), -1, smallest);
}

std::vector<std::int32_t> single_nodes(std::span<const float> connected, std::int64_t clusters,
                                       const Processes& processes) {
  const auto number = [&](std::span<std::int32_t> labels) {  // from marks to labels
    std::int64_t next = 0;
    const std::vector<std::int32_t> marks(labels.begin(), labels.end());
    std::fill(labels.begin(), labels.end(), static_cast<std::int32_t>(clusters - 1));
    for (const bool with_edges : {true, false}) {
      for (std::size_t i = 0; i < labels.size() && next < clusters; ++i) {
        if ((marks[i] > 0) == with_edges) labels[i] = static_cast<std::int32_t>(next++);
      }
    }
  };
  std::vector<std::int32_t> labels(connected.size());
  std::transform(connected.begin(), connected.end(), labels.begin(), [](float mark) { return mark > 0; });
  on_all(processes, labels, number);
  return labels;
}

graph::Components note_structure(Report& report, CsrView adjacency) {
  graph::Components components = graph::connected_components(adjacency);
  report.figures.emplace_back("components", components.count);
  report.figures.emplace_back("isolated_nodes", components.isolated);
  return components;
}

std::vector<std::int32_t> components_as_clusters(const graph::Components& components, std::int64_t clusters,
                                                 std::span<const float> connected,
                                                 const Processes& processes) {
  if (components.count - components.isolated != clusters) return {};
  std::vector<std::int64_t> with_edges(components.count);
  for (std::size_t i = 0; i < connected.size(); ++i) {
    if (connected[i] > 0) with_edges[components.label[i]] = 1;
  }
  processes.sum(std::span(with_edges));
  std::vector<std::int32_t> number(components.count, -1), labels(connected.size(), -1);
  std::int32_t next = 0;  // components are numbered by their first node
  for (std::int64_t c = 0; c < components.count; ++c) {
    if (with_edges[c] > 0) number[c] = next++;
  }
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (connected[i] > 0) labels[i] = number[components.label[i]];
  }
  place_unknown(labels, clusters, connected, processes);
  return labels;
}

}  // namespace parsimony::cluster
