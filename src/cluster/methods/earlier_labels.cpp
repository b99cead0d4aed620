#include "cluster/methods/earlier_labels.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

namespace parsimony::cluster {
namespace {

// −1 where no neighbour has one.
std::int32_t label_around(CsrView a, std::span<const std::int32_t> labels, std::int64_t node,
                          std::vector<std::pair<std::int32_t, double>>& met) {
  met.clear();
  for (std::int64_t e = a.offsets[node]; e < a.offsets[node + 1]; ++e) {
    const std::int32_t label = labels[a.columns[e]];
    if (label >= 0) met.emplace_back(label, a.weighted() ? a.values[e] : 1.0);
  }
  std::sort(met.begin(), met.end());
  std::int32_t best = -1;
  double most = 0;
  for (std::size_t first = 0; first < met.size();) {
    double sum = 0;
    std::size_t last = first;
    while (last < met.size() && met[last].first == met[first].first) sum += met[last++].second;
    if (sum > most) {
      most = sum;
      best = met[first].first;
    }
    first = last;
  }
  return best;
}

}  // namespace

std::vector<std::int32_t> spread_labels(CsrView adjacency, std::vector<std::int32_t> labels,
                                        std::int64_t clusters) {
  std::vector<std::int32_t> open;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] < 0) open.push_back(static_cast<std::int32_t>(i));
  }
  std::vector<std::pair<std::int32_t, double>> met;
  std::vector<std::int32_t> found, reached = open, next;
  std::vector<bool> listed(labels.size());
  while (!reached.empty()) {
    found.clear();
    for (const std::int32_t node : reached) found.push_back(label_around(adjacency, labels, node, met));
    next.clear();
    for (std::size_t i = 0; i < reached.size(); ++i) labels[reached[i]] = found[i];
    // Only neighbours of the nodes of this round can have a label around in the next one.
    for (const std::int32_t node : reached) {
      if (labels[node] < 0) continue;
      for (std::int64_t e = adjacency.offsets[node]; e < adjacency.offsets[node + 1]; ++e) {
        const std::int32_t neighbor = adjacency.columns[e];
        if (labels[neighbor] >= 0 || listed[neighbor]) continue;
        listed[neighbor] = true;
        next.push_back(neighbor);
      }
    }
    reached.swap(next);
  }
  std::vector<std::int64_t> sizes(clusters);
  for (const std::int32_t label : labels) {
    if (label >= 0) ++sizes[label];
  }
  const auto largest =
      static_cast<std::int32_t>(std::max_element(sizes.begin(), sizes.end()) - sizes.begin());
  for (const std::int32_t node : open) labels[node] = labels[node] < 0 ? largest : labels[node];
  return labels;
}

void keep_numbers(std::vector<std::int32_t>& labels, std::span<const std::int32_t> earlier,
                  std::int64_t clusters) {
  std::vector<std::pair<std::int32_t, std::int32_t>> nodes;  // cluster, earlier cluster
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (earlier[i] >= 0) nodes.emplace_back(labels[i], earlier[i]);
  }
  std::sort(nodes.begin(), nodes.end());
  std::vector<std::tuple<std::int64_t, std::int32_t, std::int32_t>> shared;  // −count, cluster, earlier
  for (std::size_t first = 0; first < nodes.size();) {
    const auto last =
        std::upper_bound(nodes.begin() + static_cast<std::ptrdiff_t>(first), nodes.end(), nodes[first]) -
        nodes.begin();
    shared.emplace_back(static_cast<std::int64_t>(first) - last, nodes[first].first, nodes[first].second);
    first = static_cast<std::size_t>(last);
  }
  std::sort(shared.begin(), shared.end());
  std::vector<std::int32_t> number(clusters, -1);
  std::vector<bool> given(clusters);
  for (const auto& [count, cluster, before] : shared) {
    if (number[cluster] >= 0 || given[before]) continue;
    number[cluster] = before;
    given[before] = true;
  }
  std::int32_t next = 0;
  for (std::int32_t& n : number) {
    if (n >= 0) continue;
    while (given[next]) ++next;
    n = next++;
  }
  for (std::int32_t& label : labels) label = number[label];
}

}  // namespace parsimony::cluster
