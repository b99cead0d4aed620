#include "cluster/methods/closure.hpp"

#include <algorithm>
#include <cmath>

#include "parsimony/core/random.hpp"
#include "parsimony/partition/network.hpp"
#include "parsimony/partition/objectives.hpp"

namespace parsimony::cluster {

double excess_closure(CsrView adjacency, const partition::Partition& communities, std::int64_t clusters,
                      std::uint64_t seed, const Context& context) {
  constexpr std::uint64_t kPairs = 20000;
  const std::int64_t entries = adjacency.entries();
  if (entries == 0) return 0;
  CsrView a{adjacency.offsets, adjacency.columns, {}};
  a.checked = adjacency.checked;
  const partition::GraphNetwork network = partition::make_network(a, context);
  const partition::Partition counted =
      partition::make_partition(network, communities.labels, communities.clusters(), context);
  const double outside = partition::planted_rates(counted, network.total).outside;
  const auto rate = [&](std::int32_t i, std::int32_t j) {
    const std::int32_t r = counted.labels[i];
    if (r != counted.labels[j]) return outside;
    return counted.internal[r] / counted.volume[r] * (network.total / counted.volume[r]);
  };

  const RandomStream random(seed, "cluster.closure");
  double joined = 0, expected = 0;
  for (std::uint64_t pair = 0; pair < kPairs; ++pair) {
    // Two neighbours of the node at a random end of an edge.
    const auto first = static_cast<std::int64_t>(random.below(entries, 2 * pair));
    const std::int64_t node =
        std::upper_bound(a.offsets.begin(), a.offsets.end(), first) - a.offsets.begin() - 1;
    const std::int64_t begin = a.offsets[node], degree = a.offsets[node + 1] - begin;
    if (degree < 2) continue;
    std::int64_t second = begin + static_cast<std::int64_t>(random.below(degree - 1, 2 * pair + 1));
    if (second >= first) ++second;
    const std::int32_t i = a.columns[first], j = a.columns[second];
    joined += std::binary_search(a.columns.begin() + a.offsets[i], a.columns.begin() + a.offsets[i + 1], j);
    expected += -std::expm1(-rate(i, j) * network.degree[i] * network.degree[j] / network.total);
  }
  if (expected == 0) return 0;
  const auto filled = static_cast<double>(std::max<std::int64_t>(
      1, std::count_if(counted.volume.begin(), counted.volume.end(), [](double v) { return v > 0; })));
  return joined / expected / std::max(1.0, static_cast<double>(clusters) / filled);
}

}  // namespace parsimony::cluster
