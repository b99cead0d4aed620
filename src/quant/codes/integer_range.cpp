#include "quant/codes/integer_range.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

namespace parsimony::quant {
namespace {

constexpr std::int64_t kRangeBlock = 1 << 16;
constexpr int kMostRounds = 32;
constexpr double kFirstStep = 1.0 / 16, kLastStep = 1.0 / 512;  // in widths of the range

// Values and how much each counts.
struct Weighted {
  std::span<const float> values, counts;  // no counts: all alike
};

// The error Σ a (w − φ(w))².
template <bool kCounted>
double squared_error_of(const Weighted& weighted, const Range& range, int bits, const Context& context) {
  const std::span<const float> values = weighted.values, counts = weighted.counts;
  const AffineCode code = affine_code(range.low, range.high, bits);
  const double scale = code.scale, zero = code.zero_point, top = (1 << bits) - 1;
  const auto square = [&](std::int64_t i) {
    const double value = values[i];
    const double error = value - (affine_level(value, scale, zero, top) - zero) * scale;
    if constexpr (kCounted) return counts[i] * error * error;
    return error * error;
  };
  return context.sum_blocks(std::ssize(values), kRangeBlock, [&](std::int64_t begin, std::int64_t end) {
    std::array<double, 4> sums{};  // chains of additions that do not wait for each other
    std::int64_t i = begin;
    for (; i + 4 <= end; i += 4) {
      for (int lane = 0; lane < 4; ++lane) sums[lane] += square(i + lane);
    }
    for (; i < end; ++i) sums[0] += square(i);
    return (sums[0] + sums[1]) + (sums[2] + sums[3]);
  });
}

double squared_error(const Weighted& weighted, const Range& range, int bits, const Context& context) {
  return weighted.counts.empty() ? squared_error_of<false>(weighted, range, bits, context)
                                 : squared_error_of<true>(weighted, range, bits, context);
}

Range extremes(std::span<const float> values) {
  std::array<float, 8> low, high;  // comparisons that do not wait for each other
  low.fill(values.front());
  high.fill(values.front());
  std::size_t i = 0;
  for (; i + low.size() <= values.size(); i += low.size()) {
    for (std::size_t lane = 0; lane < low.size(); ++lane) {
      const float value = values[i + lane];
      low[lane] = value < low[lane] ? value : low[lane];
      high[lane] = value > high[lane] ? value : high[lane];
    }
  }
  for (; i < values.size(); ++i) {
    low[0] = std::min(low[0], values[i]);
    high[0] = std::max(high[0], values[i]);
  }
  return {std::ranges::min(low), std::ranges::max(high)};
}

// Predicts the error of a range: exactly for values clipped at edges of bins, and as step² / 12 for each
// value between them, the error of rounding if the values spread over many steps.
class Histogram {
 public:
  Histogram(const Weighted& weighted, const Range& range, int bins)
      : low_(range.low),
        width_((static_cast<double>(range.high) - range.low) / bins),
        count_(bins + 1),
        sum_(bins + 1),
        squares_(bins + 1) {
    for (std::size_t i = 0; i < weighted.values.size(); ++i) {
      const double above = weighted.values[i] - low_,
                   counts = weighted.counts.empty() ? 1 : weighted.counts[i];
      const auto bin = std::min<std::int64_t>(bins - 1, static_cast<std::int64_t>(above / width_));
      count_[bin + 1] += counts;
      sum_[bin + 1] += counts * above;
      squares_[bin + 1] += counts * above * above;
    }
    for (int b = 0; b < bins; ++b) {
      count_[b + 1] += count_[b];
      sum_[b + 1] += sum_[b];
      squares_[b + 1] += squares_[b];
    }
  }

  double predicted_error(std::int64_t first, std::int64_t last, int bits) const {
    const double step = static_cast<double>(last - first) * width_ / ((1 << bits) - 1);
    return (count_[last] - count_[first]) * step * step / 12 + beyond(0, first, first) +
           beyond(last, std::ssize(count_) - 1, last);
  }

  // Finds the best first edge for the last one, then the best last edge, until neither moves.
  Range best(int bits) const {
    const std::int64_t bins = std::ssize(count_) - 1;
    std::int64_t first = 0, last = bins;
    double least = predicted_error(first, last, bits);
    for (int round = 0; round < kMostRounds; ++round) {
      const double before = least;
      for (std::int64_t edge = 0, end = last; edge < end; ++edge) {
        if (const double error = predicted_error(edge, last, bits); error < least) {
          least = error;
          first = edge;
        }
      }
      for (std::int64_t edge = bins; edge > first; --edge) {
        if (const double error = predicted_error(first, edge, bits); error < least) {
          least = error;
          last = edge;
        }
      }
      if (!(least < before)) break;
    }
    return {static_cast<float>(low_ + static_cast<double>(first) * width_),
            static_cast<float>(low_ + static_cast<double>(last) * width_)};
  }

 private:
  // Σ (w − edge)² over the bins [begin, end).
  double beyond(std::int64_t begin, std::int64_t end, std::int64_t edge) const {
    const double at = static_cast<double>(edge) * width_;
    return (squares_[end] - squares_[begin]) - 2 * at * (sum_[end] - sum_[begin]) +
           at * at * (count_[end] - count_[begin]);
  }

  double low_, width_;
  std::vector<double> count_, sum_, squares_;  // sums over all bins below an edge
};

// A value that the samples of a calibration never met may matter all the same: without a floor its weight
// could be clipped to nothing at no cost. Nothing where all counts are 0.
std::vector<float> with_floor(std::span<const float> importance) {
  constexpr double kFloor = 1.0 / 1024;  // times the mean
  double sum = 0;
  for (const float counts : importance) sum += counts;
  if (!(sum > 0)) return {};
  const double mean = sum / static_cast<double>(importance.size());
  std::vector<float> counts;
  counts.reserve(importance.size());
  for (const float value : importance) counts.push_back(static_cast<float>(value / mean + kFloor));
  return counts;
}

struct Candidate {
  Range range;
  double error = 0;
};

// Moves one end or both by a step, as long as a move lowers the error, and takes the best; then halves the
// step.
Candidate search(const Weighted& values, Candidate best, int bits, const Context& context) {
  constexpr std::array<std::array<int, 2>, 6> kMoves{{{1, 0}, {-1, 0}, {0, 1}, {0, -1}, {1, -1}, {-1, 1}}};
  double step = kFirstStep;
  while (step >= kLastStep) {
    for (int round = 0; round < kMostRounds; ++round) {
      Candidate next = best;
      const double by = step * (static_cast<double>(best.range.high) - best.range.low);
      for (const auto& [low, high] : kMoves) {
        const Range range{static_cast<float>(best.range.low + low * by),
                          static_cast<float>(best.range.high + high * by)};
        if (!(range.low < range.high)) continue;
        const double error = squared_error(values, range, bits, context);
        if (error < next.error) next = {range, error};
      }
      if (!(next.error < best.error)) break;
      best = next;
    }
    step /= 2;
  }
  return best;
}

}  // namespace

Range choose_range(std::span<const float> values, std::span<const float> importance,
                   const IntegerOptions& options, const Context& context) {
  const Range all = extremes(values);
  if (options.range == RangeRule::min_max || all.low == all.high) return all;
  const std::vector<float> counts = with_floor(importance);
  const Weighted weighted{values, counts};
  Candidate best{all, squared_error(weighted, all, options.bits, context)};
  const Range predicted = Histogram(weighted, all, options.histogram_bins).best(options.bits);
  const double error = squared_error(weighted, predicted, options.bits, context);
  if (error < best.error) best = {predicted, error};
  if (options.range == RangeRule::mse) best = search(weighted, best, options.bits, context);
  return best.range;
}

}  // namespace parsimony::quant
