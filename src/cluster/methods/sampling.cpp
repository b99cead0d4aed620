#include "parsimony/cluster/sampling.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "parsimony/core/error.hpp"
#include "parsimony/core/random.hpp"

namespace parsimony::cluster {
namespace {

struct Clock {
  double time;
  std::int32_t position;
  bool operator<(const Clock& other) const {
    return time != other.time ? time < other.time : position < other.position;
  }
};

}  // namespace

std::vector<std::int32_t> sample_without_replacement(std::span<const float> weights, std::int64_t count,
                                                     std::uint64_t seed) {
  return sample_without_replacement(weights, count, seed, 0, one_process());
}

std::vector<std::int32_t> sample_without_replacement(std::span<const float> weights, std::int64_t count,
                                                     std::uint64_t seed, std::int64_t first,
                                                     const Processes& processes) {
  const RandomStream random(seed, "sampling");
  // The `count` first of independent exponential clocks that tick at the rate of their weight.
  std::vector<Clock> clocks;
  clocks.reserve(weights.size());
  for (std::size_t i = 0; i < weights.size(); ++i) {
    if (!(weights[i] >= 0) || !std::isfinite(weights[i])) {
      refuse(fmt::format("weights: entry {} is {}; must be a number of at least 0", i, weights[i]));
    }
    if (weights[i] > 0)
      clocks.push_back(
          {-std::log(random.uniform(first + i)) / weights[i], static_cast<std::int32_t>(first + i)});
  }
  std::int64_t positive = std::ssize(clocks);
  processes.sum(std::span(&positive, 1));
  if (count < 0 || count > positive) {
    refuse(
        fmt::format("samples: {} is out of range; must be 0 to {}, the positive weights", count, positive));
  }
  const auto keep_first = [&] {
    if (count >= std::ssize(clocks)) return;
    std::nth_element(clocks.begin(), clocks.begin() + count, clocks.end());
    clocks.resize(count);
  };
  keep_first();
  if (processes.count() > 1) clocks = processes.gather(std::span<const Clock>(clocks));
  keep_first();
  std::vector<std::int32_t> out(count);
  std::transform(clocks.begin(), clocks.end(), out.begin(),
                 [](const Clock& clock) { return clock.position; });
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace parsimony::cluster
