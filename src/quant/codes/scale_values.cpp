#include "quant/codes/scale_values.hpp"

#include <algorithm>
#include <cmath>

namespace parsimony::quant {
namespace {

constexpr int kRounds = 30;

// Lloyd's algorithm on sorted numbers: a centre is the mean of those that are nearest to it.
std::vector<double> centres_of(const std::vector<double>& sorted, std::int64_t count) {
  std::vector<double> sums{0};
  for (const double value : sorted) sums.push_back(sums.back() + value);
  std::vector<double> centres;
  const double low = sorted.front(), width = sorted.back() - low;
  for (std::int64_t c = 0; c < count; ++c) {
    centres.push_back(low + width * (static_cast<double>(c) + 0.5) / static_cast<double>(count));
  }
  for (int round = 0; round < kRounds; ++round) {
    std::size_t begin = 0;
    std::vector<double> next;
    for (std::size_t c = 0; c < centres.size(); ++c) {
      const bool last = c + 1 == centres.size();
      const auto end =
          last
              ? sorted.size()
              : static_cast<std::size_t>(std::upper_bound(sorted.begin() + static_cast<std::ptrdiff_t>(begin),
                                                          sorted.end(), (centres[c] + centres[c + 1]) / 2) -
                                         sorted.begin());
      if (end > begin) next.push_back((sums[end] - sums[begin]) / static_cast<double>(end - begin));
      begin = end;
    }
    if (next == centres) break;
    centres = std::move(next);
  }
  return centres;
}

}  // namespace

std::vector<float> choose_scale_values(std::span<const float> scales, std::int64_t most) {
  float largest = 0;
  for (const float scale : scales) largest = std::max(largest, std::abs(scale));
  std::vector<float> values;
  if (std::any_of(scales.begin(), scales.end(), [](float scale) { return scale == 0; })) {
    values.push_back(0);
    --most;
  }
  if (largest == 0) return values;
  const float least = largest * 0x1p-20f;
  std::vector<double> logs[2];  // positive scales, negative ones
  for (const float scale : scales) {
    if (scale != 0) logs[scale < 0].push_back(std::log(std::max(std::abs(scale), least)));
  }
  for (int sign = 0; sign < 2; ++sign) {
    std::vector<double>& of_sign = logs[sign];
    if (of_sign.empty()) continue;
    std::sort(of_sign.begin(), of_sign.end());
    // A share of the values by the number of scales of this sign, at least one.
    const std::int64_t other = std::ssize(logs[1 - sign]);
    std::int64_t share = most;
    if (other > 0) {
      const double part =
          static_cast<double>(of_sign.size()) / static_cast<double>(logs[0].size() + logs[1].size());
      share = std::clamp<std::int64_t>(std::llround(part * static_cast<double>(most)), 1, most - 1);
    }
    for (const double centre : centres_of(of_sign, share)) {
      const auto value = static_cast<float>(std::exp(centre));
      values.push_back(sign == 0 ? value : -value);
    }
  }
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
  return values;
}

}  // namespace parsimony::quant
