// One Gibbs chain over the partitions of a network.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

#include "parsimony/core/random.hpp"
#include "parsimony/partition/objectives.hpp"
#include "partition/cluster_weights.hpp"
#include "partition/gains.hpp"
#include "partition/shuffle.hpp"

namespace parsimony::partition {

/// Log-odds of the planted partition model: β times the gain in modularity at γ.
class PlantedOdds {
 public:
  /// unit: the weight that counts as one edge.
  PlantedOdds(const NetworkView& network, const Partition& partition, double unit)
      : partition_(partition), total_(network.total), unit_(unit) {
    refresh();
  }
  /// Rates of the partition as it is.
  void refresh() { hold(planted_rates(partition_, total_)); }
  void hold(const PlantedRates& rates) {
    per_weight_ = std::max(0.0, rates.beta) / unit_;
    per_volume_ = per_weight_ * rates.gamma / total_;
  }

  double own(const Visit& visit) const {
    return per_weight_ * visit.weight -
           per_volume_ * visit.degree * (partition_.volume[visit.cluster] - visit.degree);
  }
  double join(const Visit& visit, std::int32_t cluster, double weight) const {
    return per_weight_ * weight - per_volume_ * visit.degree * partition_.volume[cluster];
  }
  void changed(std::int32_t /*cluster*/) {}

 private:
  const Partition& partition_;
  double total_;
  double unit_;
  double per_weight_ = 0;
  double per_volume_ = 0;
};

/// Log-odds of the model with a rate per cluster.
class DensityOdds {
 public:
  DensityOdds(const NetworkView& network, const Partition& partition, double unit)
      : gain_(network, partition), per_unit_(1 / unit) {}
  void refresh() { gain_.refresh(); }
  double own(const Visit& visit) const { return -per_unit_ * gain_.leave(visit); }
  double join(const Visit& visit, std::int32_t cluster, double weight) const {
    return per_unit_ * gain_.join(visit, cluster, weight);
  }
  void changed(std::int32_t cluster) { gain_.changed(cluster); }

 private:
  DensityGain gain_;
  double per_unit_;
};

/// The mean weight of an edge: samples measure weights in it, so that they do not depend on the unit of the
/// weights.
inline double mean_edge_weight(const NetworkView& network) {
  return network.total / static_cast<double>(std::max<std::int64_t>(1, network.adjacency.entries()));
}

template <class Odds>
class GibbsSampler {
 public:
  /// The partition must outlive the sampler and be the one that `odds` looks at.
  GibbsSampler(const NetworkView& network, Partition& partition, Odds odds, std::uint64_t seed,
               const Context& context)
      : network_(network),
        partition_(partition),
        odds_(std::move(odds)),
        seed_(seed),
        context_(context),
        order_(shuffled_order(network.nodes(), seed)),
        batch_(std::clamp<std::int64_t>(network.nodes() / kBatches, 1, kLargestBatch)) {}

  /// Draws the cluster of every node once. Partition::internal drifts if neighbours are drawn side by side.
  /// Calls seen(node, cluster, probability) for every cluster that a node may be drawn into, except hardly
  /// probable ones; several threads call it, one of them for each node.
  template <class Seen>
  void sweep(std::uint64_t number, const Seen& seen) {
    const RandomStream random(seed_, "partition.gibbs", number);
    const std::int64_t nodes = network_.nodes();
    std::vector<Draw> draws(batch_);
    for (std::int64_t first = 0; first < nodes; first += batch_) {
      const std::int64_t count = std::min(batch_, nodes - first);
      context_.for_blocks(count, kVisitsPerBlock, [&](std::int64_t begin, std::int64_t end) {
        const auto scratch = pool_.borrow();
        for (std::int64_t s = begin; s < end; ++s) {
          fetch_ahead(first + s);
          draws[s] = draw(order_[first + s], random, *scratch, seen);
        }
      });
      for (std::int64_t s = 0; s < count; ++s) {
        const Draw& drawn = draws[s];
        if (drawn.to == drawn.visit.cluster || partition_.sizes[drawn.visit.cluster] == 1) continue;
        move_node(partition_, drawn.visit, drawn.to, drawn.weight);
        odds_.changed(drawn.visit.cluster);
        odds_.changed(drawn.to);
      }
    }
  }

  Odds& odds() { return odds_; }

 private:
  static constexpr std::int64_t kBatches = 64;  // a sweep has at least so many
  static constexpr std::int64_t kLargestBatch = 1 << 13;
  static constexpr std::int64_t kVisitsPerBlock = 128;

  struct Draw {
    Visit visit;
    std::int32_t to = 0;
    double weight = 0;
  };
  struct Scratch {
    ClusterWeights weights;
    std::vector<double> odds;
  };

  // Rows in a random order miss the caches, and so do the labels of neighbours; their addresses are known
  // early.
  void fetch_ahead(std::int64_t place) const {
    constexpr std::int64_t kAhead = 4;
    if (place + 3 * kAhead >= std::ssize(order_)) return;
    const CsrView& a = network_.adjacency;
    const std::int32_t later = order_[place + 2 * kAhead];
    __builtin_prefetch(&a.offsets[order_[place + 3 * kAhead]]);
    const std::int32_t* row = a.columns.data() + a.offsets[later];
    __builtin_prefetch(row);
    __builtin_prefetch(row + 16);
  }

  template <class Seen>
  Draw draw(std::int32_t node, const RandomStream& random, Scratch& scratch, const Seen& seen) const {
    Draw out{.visit = {.node = node,
                       .cluster = partition_.labels[node],
                       .degree = network_.degree[node],
                       .loop = network_.loop_of(node)}};
    Visit& visit = out.visit;
    out.to = visit.cluster;
    if (partition_.sizes[visit.cluster] == 1) {
      seen(node, visit.cluster, 1.0);
      return out;
    }
    ClusterWeights& weights = scratch.weights;
    weights.gather(network_, partition_.labels, node, partition_.clusters());
    visit.weight = weights.of(visit.cluster);
    const auto clusters = weights.clusters();
    // Odds below e⁻³² of the best are never drawn.
    constexpr double kNever = -32, kHardly = 1e-3;
    const double own = odds_.own(visit);
    double best = own;
    scratch.odds.resize(clusters.size());
    for (std::size_t c = 0; c < clusters.size(); ++c) {
      if (clusters[c] == visit.cluster) {
        scratch.odds[c] = -INFINITY;  // counted as its own
        continue;
      }
      scratch.odds[c] = odds_.join(visit, clusters[c], weights.weights()[c]);
      best = std::max(best, scratch.odds[c]);
    }
    double sum = 0;
    const auto probability = [&](double odds) {
      return odds - best > kNever ? static_cast<double>(std::exp(static_cast<float>(odds - best))) : 0.0;
    };
    const double stay = probability(own);
    for (double& odds : scratch.odds) sum += odds = probability(odds);
    seen(node, visit.cluster, stay / (sum + stay));
    if (sum == 0) return out;
    for (std::size_t c = 0; c < clusters.size(); ++c) {
      if (scratch.odds[c] > kHardly * (sum + stay)) seen(node, clusters[c], scratch.odds[c] / (sum + stay));
    }
    double left = random.uniform(node) * (sum + stay) - stay;
    if (left < 0) return out;
    for (std::size_t c = 0; c < clusters.size(); ++c) {
      if (scratch.odds[c] == 0) continue;
      out.to = clusters[c];  // the last one where rounding leaves a rest
      out.weight = weights.weights()[c];
      if ((left -= scratch.odds[c]) < 0) break;
    }
    return out;
  }

  const NetworkView& network_;
  Partition& partition_;
  Odds odds_;
  std::uint64_t seed_;
  const Context& context_;
  std::vector<std::int32_t> order_;
  std::int64_t batch_;
  Pool<Scratch> pool_;
};

}  // namespace parsimony::partition
