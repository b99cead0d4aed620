#include "parsimony/partition/partition.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "core/count_of.hpp"
#include "parsimony/core/error.hpp"

namespace parsimony::partition {

Partition make_partition(const NetworkView& network, std::vector<std::int32_t> labels, std::int64_t clusters,
                         const Context& context) {
  constexpr std::int64_t kRowsPerBlock = 1 << 13;
  const std::int64_t nodes = network.nodes();
  if (std::ssize(labels) != nodes) {
    refuse(
        fmt::format("labels: {} for {}; there must be one per node", labels.size(), count_of(nodes, "node")));
  }
  if (clusters == 0 && nodes > 0)
    clusters = *std::max_element(labels.begin(), labels.end()) + std::int64_t{1};
  for (std::int64_t i = 0; i < nodes; ++i) {
    if (labels[i] < 0 || labels[i] >= clusters) {
      throw Error(
          ErrorCode::invalid_argument,
          fmt::format("labels: {} of node {} is out of range; must be 0 to {}", labels[i], i, clusters - 1));
    }
  }
  std::vector<double> inside(nodes);
  const CsrView& a = network.adjacency;
  context.for_blocks(nodes, kRowsPerBlock, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      double sum = network.loop_of(i);
      for (std::int64_t e = a.offsets[i]; e < a.offsets[i + 1]; ++e) {
        // A product instead of a branch, which would be mispredicted often.
        const double same = labels[a.columns[e]] == labels[i];
        sum += a.weighted() ? same * a.values[e] : same;
      }
      inside[i] = sum;
    }
  });
  Partition out;
  out.volume.resize(clusters);
  out.internal.resize(clusters);
  out.sizes.resize(clusters);
  for (std::int64_t i = 0; i < nodes; ++i) {
    out.volume[labels[i]] += network.degree[i];
    out.internal[labels[i]] += inside[i];
    ++out.sizes[labels[i]];
  }
  out.labels = std::move(labels);
  return out;
}

Partition singletons(const NetworkView& network) {
  const std::int64_t nodes = network.nodes();
  Partition out;
  out.labels.resize(nodes);
  std::iota(out.labels.begin(), out.labels.end(), 0);
  out.volume.assign(network.degree.begin(), network.degree.end());
  out.internal.assign(network.loop.begin(), network.loop.end());
  out.internal.resize(nodes);
  out.sizes.assign(nodes, 1);
  return out;
}

std::int64_t count_filled(const Partition& partition) {
  return std::count_if(partition.sizes.begin(), partition.sizes.end(),
                       [](std::int64_t size) { return size > 0; });
}

std::int64_t drop_empty(Partition& partition) {
  std::vector<std::int32_t> renamed(partition.sizes.size(), -1);
  std::int32_t next = 0;
  for (std::int64_t r = 0; r < partition.clusters(); ++r) {
    if (partition.sizes[r] == 0) continue;
    partition.sizes[next] = partition.sizes[r];
    partition.volume[next] = partition.volume[r];
    partition.internal[next] = partition.internal[r];
    renamed[r] = next++;
  }
  partition.sizes.resize(next);
  partition.volume.resize(next);
  partition.internal.resize(next);
  for (std::int32_t& label : partition.labels) label = renamed[label];
  return next;
}

}  // namespace parsimony::partition
