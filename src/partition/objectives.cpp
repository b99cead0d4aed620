#include "parsimony/partition/objectives.hpp"

#include <algorithm>
#include <cmath>

namespace parsimony::partition {
namespace {

struct Shares {
  double inside = 0;     // q
  double by_chance = 0;  // v
};

Shares shares(const Partition& partition, double total) {
  Shares out;
  if (!(total > 0)) return out;
  for (std::int64_t r = 0; r < partition.clusters(); ++r) {
    const double volume = partition.volume[r] / total;
    out.inside += partition.internal[r] / total;
    out.by_chance += volume * volume;
  }
  return out;
}

constexpr double kLeastOutside = 1e-9;

}  // namespace

double modularity(const Partition& partition, double total, double resolution) {
  const Shares share = shares(partition, total);
  return share.inside - resolution * share.by_chance;
}

PlantedRates planted_rates(const Partition& partition, double total) {
  const Shares share = shares(partition, total);
  const double outside = std::max(1 - share.inside, kLeastOutside);
  if (!(share.by_chance > 0) || !(share.inside > 0) || 1 - share.by_chance < kLeastOutside) return {};
  PlantedRates out;
  out.inside = share.inside / share.by_chance;
  out.outside = outside / (1 - share.by_chance);
  out.beta = std::log(out.inside / out.outside);
  // The logarithmic mean of the two rates, which equals both if they are equal.
  out.gamma = std::abs(out.beta) < 1e-9 ? out.inside : (out.inside - out.outside) / out.beta;
  return out;
}

double planted_likelihood(const Partition& partition, double total) {
  const Shares share = shares(partition, total);
  const double q = share.inside, v = share.by_chance;
  double sum = 0;
  if (q > 0) sum += q * std::log(q / v);
  if (q < 1 && v < 1) sum += (1 - q) * std::log((1 - q) / (1 - v));
  return sum;
}

double density_likelihood(const Partition& partition, double total) {
  if (!(total > 0)) return 0;
  const Shares share = shares(partition, total);
  double sum = 0;
  for (std::int64_t r = 0; r < partition.clusters(); ++r) {
    const double in = partition.internal[r] / total, volume = partition.volume[r] / total;
    if (in > 0) sum += in * std::log(in / (volume * volume));
  }
  const double q = share.inside, v = share.by_chance;
  if (q < 1 && v < 1) sum += (1 - q) * std::log((1 - q) / (1 - v));
  return sum;
}

double normalized_cut(const Partition& partition) {
  double sum = 0;
  for (std::int64_t r = 0; r < partition.clusters(); ++r) {
    if (partition.volume[r] > 0) sum += std::max(0.0, 1 - partition.internal[r] / partition.volume[r]);
  }
  return sum;
}

}  // namespace parsimony::partition
