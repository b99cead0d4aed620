#include "parsimony/partition/split.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <tuple>

#include "core/count_of.hpp"
#include "parsimony/core/error.hpp"

namespace parsimony::partition {

void split_off_nodes(const NetworkView& network, Partition& partition, std::int64_t clusters,
                     double resolution, const Context& context) {
  constexpr std::int64_t kRowsPerBlock = 1 << 13;
  const std::int64_t nodes = network.nodes();
  if (clusters > nodes) {
    refuse(fmt::format("clusters: {} is more than the {}", clusters, count_of(nodes, "node")));
  }
  std::vector<std::int64_t> connected(partition.clusters());  // nodes with edges in every cluster
  for (std::int64_t i = 0; i < nodes; ++i) connected[partition.labels[i]] += network.degree[i] > 0;
  if (std::ssize(connected) - std::count(connected.begin(), connected.end(), 0) >= clusters) return;

  struct Candidate {
    bool isolated;
    double loss;
    std::int32_t node;
    bool operator<(const Candidate& other) const {
      return std::tie(isolated, loss, node) < std::tie(other.isolated, other.loss, other.node);
    }
  };
  const CsrView& a = network.adjacency;
  const double factor = network.total > 0 ? resolution / network.total : 0;
  std::vector<Candidate> candidates(nodes);
  context.for_blocks(nodes, kRowsPerBlock, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int32_t own = partition.labels[i];
      double inside = 0;
      for (std::int64_t e = a.offsets[i]; e < a.offsets[i + 1]; ++e) {
        if (partition.labels[a.columns[e]] == own) inside += a.weighted() ? a.values[e] : 1.0;
      }
      const double degree = network.degree[i];
      candidates[i] = {!(degree > 0), inside - factor * degree * (partition.volume[own] - degree),
                       static_cast<std::int32_t>(i)};
    }
  });
  std::sort(candidates.begin(), candidates.end());

  const auto largest = static_cast<std::int32_t>(
      std::max_element(partition.volume.begin(), partition.volume.end()) - partition.volume.begin());
  for (std::int32_t& label : partition.labels) {
    if (connected[label] == 0) label = largest;
  }
  partition = make_partition(network, std::move(partition.labels), partition.clusters(), context);
  auto next = static_cast<std::int32_t>(drop_empty(partition));

  // Nodes with edges never leave others without behind: those count only when all that have edges are alone.
  std::vector<std::int64_t> left;
  const auto count_left = [&](bool isolated) {
    left.assign(clusters, 0);
    for (std::int64_t i = 0; i < nodes; ++i) {
      left[partition.labels[i]] += isolated || network.degree[i] > 0;
    }
  };
  count_left(false);
  bool isolated = false;
  for (const Candidate& candidate : candidates) {
    if (next == clusters) break;
    if (candidate.isolated && !isolated) {
      isolated = true;
      count_left(true);
    }
    std::int32_t& label = partition.labels[candidate.node];
    if (left[label] < 2) continue;
    --left[label];
    label = next++;
  }
  partition = make_partition(network, std::move(partition.labels), clusters, context);
}

}  // namespace parsimony::partition
