// Codes of a group of values: levels[code] · scale, or (code − zero) · scale.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace parsimony::quant {

/// Scale of a group, negative where that turns an unsymmetric table to the side of the larger values, and
/// zero point of uniform codes.
struct GroupCode {
  float scale = 0;
  std::int32_t zero = 0;
};

/// The values of a group with their importance, completed by values of importance 0 to whole lines.
struct GroupValues {
  static constexpr std::size_t kLine = 16;

  std::vector<float> x, a;
  std::size_t count = 0;
  float low = 0, high = 0;  ///< extremes, with 0 between them

  /// importance(i) of value i.
  template <class ImportanceOf>
  void assign(std::span<const float> values, const ImportanceOf& importance) {
    count = values.size();
    const std::size_t whole = (count + kLine - 1) / kLine * kLine;
    x.assign(whole, 0.0f);
    a.assign(whole, 0.0f);
    low = high = 0;
    for (std::size_t i = 0; i < count; ++i) {
      x[i] = values[i];
      a[i] = importance(static_cast<std::int64_t>(i));
      low = values[i] < low ? values[i] : low;
      high = values[i] > high ? values[i] : high;
    }
  }
};

/// Rising values that codes stand for, before the scale.
class LevelTable {
 public:
  explicit LevelTable(std::vector<float> levels);

  const std::vector<float>& levels() const { return levels_; }
  std::size_t size() const { return levels_.size(); }
  float operator[](std::size_t code) const { return levels_[code]; }
  std::size_t nearest(float y) const;

  /// The scales, one of each sign, at which no value lies beyond the ends of the table.
  float covering(const GroupValues& values, bool negative) const;
  double error(const GroupValues& values, const GroupCode& code) const;
  /// The scale of least error for the codes that values have now; the same one if all levels are 0.
  GroupCode refit(const GroupValues& values, const GroupCode& code) const;

 private:
  std::vector<float> levels_, thresholds_, steps_;
};

/// Uniform codes of 0 to top with a zero point among them.
struct UniformCodes {
  float top = 15;

  GroupCode covering(const GroupValues& values, float part) const;
  float level(float y, std::int32_t zero) const;  ///< the nearest code − zero
  double error(const GroupValues& values, const GroupCode& code) const;
  GroupCode refit(const GroupValues& values, const GroupCode& code) const;
};

/// The 16 levels of NormalFloat [dettmers2023qlora].
std::vector<float> nf4_levels();

}  // namespace parsimony::quant
