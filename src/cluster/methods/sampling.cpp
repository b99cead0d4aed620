#include "parsimony/cluster/sampling.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "parsimony/core/error.hpp"
#include "parsimony/core/random.hpp"

namespace parsimony::cluster {

std::vector<std::int32_t> sample_without_replacement(std::span<const float> weights, std::int64_t count,
                                                     std::uint64_t seed) {
  const RandomStream random(seed, "sampling");
  // The `count` first of independent exponential clocks that tick at the rate of their weight.
  std::vector<std::pair<double, std::int32_t>> clocks;
  clocks.reserve(weights.size());
  for (std::size_t i = 0; i < weights.size(); ++i) {
    if (!(weights[i] >= 0) || !std::isfinite(weights[i])) {
      refuse(fmt::format("weights: entry {} is {}; must be a number of at least 0", i, weights[i]));
    }
    if (weights[i] > 0)
      clocks.emplace_back(-std::log(random.uniform(i)) / weights[i], static_cast<std::int32_t>(i));
  }
  if (count < 0 || count > static_cast<std::int64_t>(clocks.size())) {
    refuse(fmt::format("samples: {} is out of range; must be 0 to {}, the positive weights", count,
                       clocks.size()));
  }
  std::nth_element(clocks.begin(), clocks.begin() + count, clocks.end());
  std::vector<std::int32_t> out(count);
  std::transform(clocks.begin(), clocks.begin() + count, out.begin(),
                 [](const auto& clock) { return clock.second; });
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace parsimony::cluster
