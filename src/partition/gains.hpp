// The change of an objective when a node moves, in the same two functions for every objective.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "parsimony/partition/network.hpp"
#include "parsimony/partition/partition.hpp"

namespace parsimony::partition {

/// One node at its visit, and its ties to its own cluster.
struct Visit {
  std::int64_t node = 0;
  std::int32_t cluster = 0;  ///< its own
  double degree = 0;
  double loop = 0;
  double weight = 0;  ///< to the other nodes of its own cluster
};

/// m Δ of q − γ v, in units of weight:
///   join(b) − join(own without the node), join(r) = w(i, r) − γ d_i vol_r / 2m.
class ModularityGain {
 public:
  ModularityGain(const NetworkView& network, const Partition& partition, double resolution)
      : partition_(partition), factor_(network.total > 0 ? resolution / network.total : 0) {}

  /// Gain of leaving the own cluster; add it to join().
  double leave(const Visit& visit) const {
    return factor_ * visit.degree * (partition_.volume[visit.cluster] - visit.degree) - visit.weight;
  }
  double join(const Visit& visit, std::int32_t cluster, double weight) const {
    return weight - factor_ * visit.degree * partition_.volume[cluster];
  }
  void changed(std::int32_t /*cluster*/) {}

 private:
  const Partition& partition_;
  double factor_;
};

/// The same for m density_likelihood() with ω_out held: the function
///   Σ_r f(in_r, vol_r) − ½ Σ_r in_r + m (1 − q) ln ω_out − m ω_out (1 − v)
/// is never above m density_likelihood() − m, and equal to it at ω_out = (1 − q) / (1 − v), which the
/// constructor therefore uses.
class DensityGain {
 public:
  DensityGain(const NetworkView& network, const Partition& partition)
      : partition_(partition), total_(network.total), value_(partition.clusters()) {
    refresh();
  }

  /// ω_out and all clusters anew.
  void refresh() {
    constexpr double kLeast = 1e-30;  // smallest ω_out, for partitions that cut no weight
    double inside = 0, by_chance = 0;
    for (std::int64_t r = 0; r < partition_.clusters(); ++r) {
      inside += partition_.internal[r] / total_;
      by_chance += partition_.volume[r] / total_ * (partition_.volume[r] / total_);
      value_[r] = f(partition_.internal[r], partition_.volume[r]);
    }
    const double outside = by_chance < 1 ? std::max((1 - inside) / (1 - by_chance), kLeast) : 1;
    per_weight_ = std::log(outside) + 1;
    per_volume_ = outside / total_;
  }

  double leave(const Visit& visit) const {
    const std::int32_t a = visit.cluster;
    return f(partition_.internal[a] - 2 * visit.weight - visit.loop, partition_.volume[a] - visit.degree) -
           value_[a] + per_weight_ * visit.weight -
           per_volume_ * visit.degree * (partition_.volume[a] - visit.degree);
  }
  double join(const Visit& visit, std::int32_t b, double weight) const {
    return f(partition_.internal[b] + 2 * weight + visit.loop, partition_.volume[b] + visit.degree) -
           value_[b] - per_weight_ * weight + per_volume_ * visit.degree * partition_.volume[b];
  }
  void changed(std::int32_t cluster) {
    value_[cluster] = f(partition_.internal[cluster], partition_.volume[cluster]);
  }

 private:
  double f(double in, double volume) const {
    return in > 0 && volume > 0 ? 0.5 * in * std::log(in / volume * (total_ / volume)) : 0.0;
  }

  const Partition& partition_;
  double total_;
  std::vector<double> value_;  // f of every cluster
  double per_weight_ = 0;      // ln ω_out + 1
  double per_volume_ = 0;      // ω_out / 2m
};

/// Moves the visited node to cluster b, to which it has this weight. The sums of an emptied cluster are set
/// to exactly 0, without the rest that rounding leaves.
inline void move_node(Partition& partition, const Visit& visit, std::int32_t b, double weight) {
  const std::int32_t a = visit.cluster;
  partition.labels[visit.node] = b;
  partition.volume[a] -= visit.degree;
  partition.volume[b] += visit.degree;
  partition.internal[a] = std::max(0.0, partition.internal[a] - 2 * visit.weight - visit.loop);
  partition.internal[b] += 2 * weight + visit.loop;
  ++partition.sizes[b];
  if (--partition.sizes[a] == 0) partition.volume[a] = partition.internal[a] = 0;
}

}  // namespace parsimony::partition
