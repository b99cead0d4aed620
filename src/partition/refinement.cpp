#include "partition/refinement.hpp"

#include <algorithm>
#include <numeric>

#include "partition/cluster_weights.hpp"
#include "partition/members.hpp"
#include "partition/shuffle.hpp"

namespace parsimony::partition {
namespace {

constexpr std::int64_t kBlocks = 256;  // at least, so that a few large clusters find threads of their own
constexpr std::int64_t kClustersPerBlock = 64;

struct Growing {
  const NetworkView& network;
  const Partition& partition;
  double factor;                    // γ / 2m
  std::vector<std::int32_t>& part;  // part of every node, named by one of its nodes
  std::vector<double>& volume;      // volume of the part of that name
  std::vector<double>& cut;         // its weight to the rest of its cluster
  std::vector<std::uint8_t>& alone;

  double weight(std::int64_t e) const {
    return network.adjacency.weighted() ? network.adjacency.values[e] : 1.0;
  }

  bool well_connected(std::int32_t p, double cluster_volume) const {
    return cut[p] >= factor * volume[p] * (cluster_volume - volume[p]);
  }

  void refine(std::int32_t cluster, std::span<const std::int32_t> nodes, ClusterWeights& weights) const {
    const CsrView& a = network.adjacency;
    const double whole = partition.volume[cluster];
    for (const std::int32_t i : nodes) {
      double inside = 0;
      for (std::int64_t e = a.offsets[i]; e < a.offsets[i + 1]; ++e) {
        if (partition.labels[a.columns[e]] == cluster) inside += weight(e);
      }
      cut[i] = inside;
      volume[i] = network.degree[i];
      part[i] = i;
      alone[i] = 1;
    }
    for (const std::int32_t i : nodes) {
      if (!alone[i] || !(cut[i] > 0) || !well_connected(i, whole)) continue;
      weights.reset(std::min<std::int64_t>(a.offsets[i + 1] - a.offsets[i], std::ssize(nodes)));
      for (std::int64_t e = a.offsets[i]; e < a.offsets[i + 1]; ++e) {
        const std::int32_t j = a.columns[e];
        if (partition.labels[j] == cluster) weights.add(part[j], weight(e));
      }
      std::int32_t best = i;
      double best_gain = 0, best_weight = 0;
      for (std::size_t c = 0; c < weights.clusters().size(); ++c) {
        const std::int32_t p = weights.clusters()[c];
        const double gain = weights.weights()[c] - factor * volume[i] * volume[p];
        if (gain <= best_gain || !well_connected(p, whole)) continue;
        best = p;
        best_gain = gain;
        best_weight = weights.weights()[c];
      }
      if (best == i) continue;
      part[i] = best;
      alone[i] = alone[best] = 0;
      volume[best] += volume[i];
      cut[best] = std::max(0.0, cut[best] + cut[i] - 2 * best_weight);
    }
  }
};

}  // namespace

Parts refine_clusters(const NetworkView& network, const Partition& partition, double resolution,
                      std::uint64_t seed, const Context& context) {
  const std::int64_t nodes = network.nodes(), clusters = partition.clusters();
  const Members members = members_of(partition.labels, clusters, shuffled_order(nodes, seed));
  std::vector<std::int32_t> part(nodes);
  std::vector<double> volume(nodes), cut(nodes);
  std::vector<std::uint8_t> alone(nodes);
  const Growing growing{.network = network,
                        .partition = partition,
                        .factor = network.total > 0 ? resolution / network.total : 0,
                        .part = part,
                        .volume = volume,
                        .cut = cut,
                        .alone = alone};
  Pool<ClusterWeights> pool;
  const std::int64_t block = std::clamp<std::int64_t>(clusters / kBlocks, 1, kClustersPerBlock);
  context.for_blocks(clusters, block, [&](std::int64_t begin, std::int64_t end) {
    const auto weights = pool.borrow();
    for (std::int64_t r = begin; r < end; ++r) {
      growing.refine(static_cast<std::int32_t>(r), members.of(r), *weights);
    }
  });

  Parts out;
  out.labels.resize(nodes);
  std::vector<std::int32_t> number(nodes, -1);
  for (std::int64_t r = 0; r < clusters; ++r) {
    for (const std::int32_t i : members.of(r)) {
      std::int32_t& p = number[part[i]];
      if (p < 0) {
        p = static_cast<std::int32_t>(out.clusters.size());
        out.clusters.push_back(static_cast<std::int32_t>(r));
      }
      out.labels[i] = p;
    }
  }
  return out;
}

}  // namespace parsimony::partition
