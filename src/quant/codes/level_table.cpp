#include "quant/codes/level_table.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace parsimony::quant {
namespace {

// Smaller scales have no reciprocal in float32. The values of such a group become 0.
constexpr float kLeastScale = 0x1p-100f;

float usable(float scale) {
  return scale < kLeastScale ? 0.0f : scale;
}

constexpr std::size_t kLanes = GroupValues::kLine;
using Line = std::array<float, kLanes>;

// scale² Σ a (x / scale − level(x / scale))², a line at a time in loops of fixed length, which compilers
// turn into vectors.
template <class Nearest>
double scaled_error(const GroupValues& values, float scale, const Nearest& nearest) {
  if (scale == 0) {
    double sum = 0;
    for (std::size_t i = 0; i < values.count; ++i) {
      sum += static_cast<double>(values.a[i]) * values.x[i] * values.x[i];
    }
    return sum;
  }
  const float inverse = 1 / scale;
  Line sums{};
  for (std::size_t i = 0; i < values.x.size(); i += kLanes) {
    Line y, q;
    for (std::size_t l = 0; l < kLanes; ++l) y[l] = values.x[i + l] * inverse;
    nearest(y, q);
    for (std::size_t l = 0; l < kLanes; ++l) sums[l] += values.a[i + l] * (y[l] - q[l]) * (y[l] - q[l]);
  }
  double sum = 0;
  for (const float part : sums) sum += part;
  return sum * scale * scale;
}

template <class LevelOf>
float fitted_scale(const GroupValues& values, float scale, const LevelOf& level_of) {
  if (scale == 0) return 0;
  const float inverse = 1 / scale;
  double above = 0, below = 0;
  for (std::size_t i = 0; i < values.count; ++i) {
    const double level = level_of(values.x[i] * inverse), counts = values.a[i];
    above += counts * values.x[i] * level;
    below += counts * level * level;
  }
  const auto fitted = static_cast<float>(above / below);
  return below > 0 && std::isfinite(fitted) && fitted * scale > 0 ? fitted : scale;
}

// round(y) of |y| below 2²², ties to even.
float rounded(float y) {
  constexpr float kShift = 0x1.8p23f;
  return (y + kShift) - kShift;
}

}  // namespace

LevelTable::LevelTable(std::vector<float> levels) : levels_(std::move(levels)) {
  for (std::size_t k = 1; k < levels_.size(); ++k) {
    thresholds_.push_back((levels_[k] + levels_[k - 1]) / 2);
    steps_.push_back(levels_[k] - levels_[k - 1]);
  }
}

std::size_t LevelTable::nearest(float y) const {
  return static_cast<std::size_t>(std::lower_bound(thresholds_.begin(), thresholds_.end(), y) -
                                  thresholds_.begin());
}

float LevelTable::covering(const GroupValues& values, bool negative) const {
  const float low = negative ? -values.high : values.low, high = negative ? -values.low : values.high;
  const float first = levels_.front(), last = levels_.back();
  const float scale = usable(std::max(first < 0 ? low / first : 0.0f, last > 0 ? high / last : 0.0f));
  return negative ? -scale : scale;
}

double LevelTable::error(const GroupValues& values, const GroupCode& code) const {
  return scaled_error(values, code.scale, [&](const Line& y, Line& q) {
    q.fill(levels_[0]);
    for (std::size_t k = 0; k < steps_.size(); ++k) {
      const float threshold = thresholds_[k], step = steps_[k];
      for (std::size_t l = 0; l < kLanes; ++l) q[l] += y[l] > threshold ? step : 0.0f;
    }
  });
}

GroupCode LevelTable::refit(const GroupValues& values, const GroupCode& code) const {
  return {fitted_scale(values, code.scale, [&](float y) { return levels_[nearest(y)]; }), 0};
}

GroupCode UniformCodes::covering(const GroupValues& values, float part) const {
  const float low = values.low * part, high = values.high * part;
  const float scale = usable((high - low) / top);
  if (scale == 0) return {};
  return {scale, static_cast<std::int32_t>(std::clamp(rounded(-low / scale), 0.0f, top))};
}

float UniformCodes::level(float y, std::int32_t zero) const {
  const auto z = static_cast<float>(zero);
  return rounded(std::clamp(y, -z, top - z));
}

double UniformCodes::error(const GroupValues& values, const GroupCode& code) const {
  return scaled_error(values, code.scale, [&](const Line& y, Line& q) {
    const auto zero = static_cast<float>(code.zero);
    const float least = -zero, most = top - zero;
    for (std::size_t l = 0; l < kLanes; ++l) {
      const float above = y[l] < least ? least : y[l];
      q[l] = rounded(above > most ? most : above);
    }
  });
}

GroupCode UniformCodes::refit(const GroupValues& values, const GroupCode& code) const {
  return {fitted_scale(values, code.scale, [&](float y) { return level(y, code.zero); }), code.zero};
}

std::vector<float> nf4_levels() {
  return {-1.0f,        -0.69619280f, -0.52507305f, -0.39491749f, -0.28444138f, -0.18477343f,
          -0.09105004f, 0.0f,         0.07958030f,  0.16093020f,  0.24611230f,  0.33791524f,
          0.44070983f,  0.56261700f,  0.72295684f,  1.0f};
}

}  // namespace parsimony::quant
