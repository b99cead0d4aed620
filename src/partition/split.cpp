#include "parsimony/partition/split.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <tuple>

#include "parsimony/core/error.hpp"

namespace parsimony::partition {

void split_off_nodes(const NetworkView& network, Partition& partition, std::int64_t clusters,
                     double resolution, const Context& context) {
  constexpr std::int64_t kRowsPerBlock = 1 << 13;
  const std::int64_t nodes = network.nodes();
  if (clusters > nodes) {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("clusters: {} is more than the {} nodes", clusters, nodes));
  }
  if (partition.clusters() >= clusters) return;

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

  std::vector<std::int32_t> labels = std::move(partition.labels);
  std::vector<std::int64_t> sizes = partition.sizes;
  auto next = static_cast<std::int32_t>(partition.clusters());
  for (const Candidate& candidate : candidates) {
    if (next == clusters) break;
    std::int32_t& label = labels[candidate.node];
    if (sizes[label] == 1) continue;
    --sizes[label];
    label = next++;
  }
  partition = make_partition(network, std::move(labels), clusters, context);
}

}  // namespace parsimony::partition
