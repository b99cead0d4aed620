#include "quant/codes/group_quantizer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "parsimony/core/half.hpp"
#include "quant/codes/check_weight.hpp"
#include "quant/codes/importance.hpp"
#include "quant/codes/level_table.hpp"
#include "quant/codes/scale_values.hpp"

namespace parsimony::quant {
namespace {

constexpr std::int64_t kBlockValues = 1 << 15;
constexpr int kFits = 2;         // fits of a scale to its codes after the search
constexpr int kTableRounds = 2;  // fits of learned levels to the final scales
// Rounds of the learning of levels: all scales are searched in the first ones, and then only fitted.
constexpr int kSearchedRounds = 3, kLearningRounds = 40;
constexpr std::int64_t kSampledValues = 1 << 18;  // the levels of one table need no more

// The groups of a weight, numbered output by output.
class Groups {
 public:
  Groups(const WeightView& weight, std::int64_t group)
      : weight_(weight),
        importance_(weight),
        n_(std::ssize(weight.values) / weight.shape[0]),
        length_(group == 0 ? n_ : std::min(group, n_)),
        each_(groups_of(n_, length_)) {}

  std::int64_t count() const { return weight_.shape[0] * each_; }
  std::int64_t length() const { return length_; }
  std::int64_t begin(std::int64_t g) const { return g / each_ * n_ + g % each_ * length_; }
  void read(std::int64_t g, GroupValues& values) const {
    const std::int64_t output = g / each_, first = g % each_ * length_, last = std::min(n_, first + length_);
    values.assign(weight_.values.subspan(output * n_ + first, last - first),
                  [&](std::int64_t i) { return importance_(output, first + i); });
  }
  // body(g, values) for every step-th group, from several threads, in blocks of about 2^15 values.
  template <class Body>
  void for_each(std::int64_t step, const Context& context, const Body& body) const {
    const std::int64_t block = std::max<std::int64_t>(1, kBlockValues / length_);
    context.for_blocks((count() + step - 1) / step, block, [&](std::int64_t first, std::int64_t last) {
      GroupValues values;
      for (std::int64_t i = first; i < last; ++i) {
        read(i * step, values);
        body(i * step, values);
      }
    });
  }

 private:
  const WeightView& weight_;
  Importance importance_;
  std::int64_t n_, length_, each_;
};

// Tries codes and keeps the one of least error; the first of those that are as good.
template <class Table>
class Search {
 public:
  Search(const Table& table, const GroupValues& values) : table_(table), values_(values) {}

  void offer(const GroupCode& code) {
    const double error = table_.error(values_, code);
    if (best_error_ >= 0 && error >= best_error_) return;
    best_ = code;
    best_error_ = error;
  }
  void fit() {
    for (int i = 0; i < kFits; ++i) offer(table_.refit(values_, best_));
  }
  const GroupCode& best() const { return best_; }

 private:
  const Table& table_;
  const GroupValues& values_;
  GroupCode best_;
  double best_error_ = -1;
};

// Parts of the covering range that are tried. Fewer levels gain more from clipping.
std::vector<float> parts(int bits, RangeRule range) {
  if (range == RangeRule::min_max) return {1.0f};
  std::vector<float> out;
  const float last = bits >= 5 ? 0.8f : bits == 4 ? 0.6f : bits == 3 ? 0.45f : 0.3f;
  float part = 1;
  while (part >= last) {
    out.push_back(part);
    part -= 0.05f;
  }
  return out;
}

GroupCode search(const LevelTable& table, const GroupValues& values, std::span<const float> parts_tried) {
  Search<LevelTable> best(table, values);
  const float scales[2] = {table.covering(values, false), table.covering(values, true)};
  for (const float part : parts_tried) {
    for (const float scale : scales) best.offer({scale * part, 0});
  }
  if (parts_tried.size() > 1) best.fit();
  return best.best();
}

// Also the neighbours of a zero point.
void offer_zeros(Search<UniformCodes>& best, const UniformCodes& codes, const GroupCode& code) {
  best.offer(code);
  for (const int step : {-1, 1}) {
    const std::int32_t zero = code.zero + step;
    if (zero >= 0 && zero <= static_cast<std::int32_t>(codes.top)) best.offer({code.scale, zero});
  }
}

GroupCode search(const UniformCodes& codes, const GroupValues& values, std::span<const float> parts_tried) {
  Search<UniformCodes> best(codes, values);
  if (parts_tried.size() == 1) return codes.covering(values, 1);
  for (const float part : parts_tried) offer_zeros(best, codes, codes.covering(values, part));
  best.fit();
  return best.best();
}

// The best code whose scale is one of the rising values, among the four nearest.
template <class Table>
GroupCode among(const Table& table, const GroupValues& values, const GroupCode& code,
                std::span<const float> scales) {
  if (code.scale == 0) return code;  // among the scales, since they were made from it
  Search<Table> best(table, values);
  const std::int64_t at = std::lower_bound(scales.begin(), scales.end(), code.scale) - scales.begin();
  for (std::int64_t i = std::max<std::int64_t>(0, at - 2); i < std::min(std::ssize(scales), at + 2); ++i) {
    if constexpr (std::is_same_v<Table, UniformCodes>) {
      offer_zeros(best, table, {scales[i], code.zero});
    } else {
      best.offer({scales[i], 0});
    }
  }
  return best.best();
}

// Rounds the scales to what the file holds.
template <class Table>
void round_scales(const Groups& groups, const Table& table, const IntegerOptions& options,
                  std::vector<GroupCode>& codes, const Context& context) {
  if (options.scale_values == 0) {
    for (GroupCode& code : codes) {
      if (options.half_scales) code.scale = from_half(to_half(code.scale));
    }
    return;
  }
  std::vector<float> scales;
  scales.reserve(codes.size());
  for (const GroupCode& code : codes) scales.push_back(code.scale);
  const std::vector<float> chosen = choose_scale_values(scales, options.scale_values);
  groups.for_each(1, context, [&](std::int64_t g, const GroupValues& values) {
    codes[g] = among(table, values, codes[g], chosen);
  });
}

// Σ a s² l² terms of each level: the level of least error for fixed codes and scales is above / below.
struct LevelSums {
  std::array<double, 16> above{}, below{};
};

// Fits each level to the values that have its code; keeps a level without values.
LevelTable fitted(const LevelTable& table, const Groups& groups, const std::vector<GroupCode>& codes,
                  std::int64_t step, const Context& context) {
  const std::int64_t sampled = (groups.count() + step - 1) / step;
  const std::int64_t block = std::max<std::int64_t>(1, kBlockValues / groups.length());
  std::vector<LevelSums> parts((sampled + block - 1) / block);
  context.for_blocks(sampled, block, [&](std::int64_t first, std::int64_t last) {
    LevelSums& sums = parts[first / block];
    GroupValues values;
    for (std::int64_t i = first; i < last; ++i) {
      groups.read(i * step, values);
      const double scale = codes[i * step].scale;
      if (scale == 0) continue;
      const float inverse = 1 / codes[i * step].scale;
      for (std::size_t v = 0; v < values.count; ++v) {
        const std::size_t k = table.nearest(values.x[v] * inverse);
        sums.above[k] += values.a[v] * scale * values.x[v];
        sums.below[k] += values.a[v] * scale * scale;
      }
    }
  });
  std::vector<float> levels = table.levels();
  for (std::size_t k = 0; k < levels.size(); ++k) {
    double above = 0, below = 0;
    for (const LevelSums& part : parts) {
      above += part.above[k];
      below += part.below[k];
    }
    if (below > 0 && std::isfinite(above / below)) levels[k] = static_cast<float>(above / below);
  }
  std::sort(levels.begin(), levels.end());
  return LevelTable(std::move(levels));
}

// The quantiles of a normal distribution are a good start for any weight; the largest level becomes 1.
LevelTable first_table(int bits) {
  const std::vector<float> nf4 = nf4_levels();
  std::vector<float> levels;
  const std::size_t step = std::size_t{1} << (4 - bits);
  for (std::size_t k = 0; k < nf4.size(); k += step) {
    levels.push_back(step == 1 ? nf4[k] : (nf4[k] + nf4[k + step - 1]) / 2);
  }
  for (float& level : levels) level /= std::max(-levels.front(), levels.back());
  return LevelTable(std::move(levels));
}

LevelTable learn_table(const Groups& groups, const IntegerOptions& options, std::span<const float> tried,
                       const Context& context) {
  LevelTable table = first_table(options.bits);
  const std::int64_t step = std::max<std::int64_t>(1, groups.count() * groups.length() / kSampledValues);
  std::vector<GroupCode> codes(groups.count());
  for (int round = 0; round < kLearningRounds; ++round) {
    groups.for_each(step, context, [&](std::int64_t g, const GroupValues& values) {
      if (round < kSearchedRounds) {
        codes[g] = search(table, values, tried);
      } else {
        Search<LevelTable> best(table, values);
        best.offer(codes[g]);
        best.offer(table.refit(values, codes[g]));
        codes[g] = best.best();
      }
    });
    table = fitted(table, groups, codes, step, context);
  }
  std::vector<float> levels = table.levels();
  const float largest = std::max(std::abs(levels.front()), std::abs(levels.back()));
  if (largest > 0) {
    for (float& level : levels) level /= largest;
  }
  return LevelTable(std::move(levels));
}

void set_codes(QuantizedTensor& out, const Groups& groups, const std::vector<GroupCode>& codes,
               const auto& code_of, const Context& context, std::int64_t size) {
  std::vector<std::uint16_t> all(size);
  groups.for_each(1, context, [&](std::int64_t g, const GroupValues& values) {
    const float scale = codes[g].scale, inverse = scale == 0 ? 0 : 1 / scale;
    for (std::size_t i = 0; i < values.count; ++i) {
      all[groups.begin(g) + static_cast<std::int64_t>(i)] = code_of(values.x[i] * inverse, codes[g]);
    }
  });
  for (const GroupCode& code : codes) out.scale.push_back(code.scale);
  out.packed = pack_codes(all, out.bits);
}

void check_group_options(const IntegerOptions& options) {
  const bool learned = options.levels == LevelKind::learned;
  if (options.levels == LevelKind::nf4 && options.bits != 4) {
    refuse(fmt::format("bits: {}; must be 4 with levels nf4", options.bits));
  }
  if (learned && options.bits > 4) {
    refuse(fmt::format("bits: {}; must be 2 to 4 with learned levels", options.bits));
  }
}

}  // namespace

QuantizedTensor group_quantize(const WeightView& weight, const IntegerOptions& options,
                               const Context& context) {
  check_group_options(options);
  const std::int64_t size = std::ssize(weight.values), n = size / weight.shape[0];
  const Groups groups(weight, options.group);
  const std::vector<float> tried = parts(options.bits, options.range);
  QuantizedTensor out;
  out.shape.assign(weight.shape.begin(), weight.shape.end());
  out.scheme = Scheme::integer;
  out.bits = options.bits;
  out.group = options.group >= n ? 0 : options.group;
  std::vector<GroupCode> codes(groups.count());
  const auto search_all = [&](const auto& table) {
    groups.for_each(1, context, [&](std::int64_t g, const GroupValues& values) {
      codes[g] = search(table, values, tried);
    });
    round_scales(groups, table, options, codes, context);
  };
  if (options.levels == LevelKind::uniform) {
    const UniformCodes uniform{static_cast<float>((1 << options.bits) - 1)};
    search_all(uniform);
    set_codes(
        out, groups, codes,
        [&](float y, const GroupCode& code) {
          return static_cast<std::uint16_t>(uniform.level(y, code.zero) + static_cast<float>(code.zero));
        },
        context, size);
    for (const GroupCode& code : codes) out.zero_point.push_back(code.zero);
    return out;
  }
  LevelTable table = options.levels == LevelKind::nf4 ? LevelTable(nf4_levels())
                                                      : learn_table(groups, options, tried, context);
  search_all(table);
  for (int round = 0; options.levels == LevelKind::learned && round < kTableRounds; ++round) {
    table = fitted(table, groups, codes, 1, context);
  }
  set_codes(
      out, groups, codes,
      [&](float y, const GroupCode&) { return static_cast<std::uint16_t>(table.nearest(y)); }, context, size);
  out.levels = table.levels();
  return out;
}

}  // namespace parsimony::quant
