// Integers of 2 to 8 bits, with a scale and a zero point per tensor or per output channel.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

#include "parsimony/core/context.hpp"
#include "parsimony/core/options.hpp"
#include "parsimony/quant/quantized_tensor.hpp"
#include "parsimony/quant/weight_view.hpp"

namespace parsimony::quant {

enum class Granularity { per_tensor, per_channel };

/// Rule for the range [low, high] that the codes cover.
enum class RangeRule {
  min_max,    ///< range of the values, so that none is clipped; the fastest
  histogram,  ///< least error that a histogram predicts, or min_max if that is better
  mse,        ///< least squared error that a search over both ends finds, starting from the two above
};

constexpr auto names_of(Granularity) {
  using enum Granularity;
  return enum_names<Granularity>({{per_tensor, "per-tensor"}, {per_channel, "per-channel"}});
}

constexpr auto names_of(RangeRule) {
  using enum RangeRule;
  return enum_names<RangeRule>({{min_max, "min-max"}, {histogram, "histogram"}, {mse, "mse"}});
}

struct IntegerOptions {
  int bits = 8;
  Granularity granularity = Granularity::per_channel;
  RangeRule range = RangeRule::min_max;
  int histogram_bins = 2048;  ///< bins between the least and the largest value, for histogram and mse
  /// Consecutive values of an output that share a scale; 0: the granularity decides. Smaller groups have a
  /// smaller error and more scales: at 4 bits, groups of 64 with scales of a byte take 4.125 bits a weight.
  std::int64_t group = 0;
  /// Unless uniform, the codes stand for a table of levels, the scale of a group may be negative, and
  /// the weight has no zero points. nf4 needs 4 bits; learned takes 2 to 4.
  LevelKind levels = LevelKind::uniform;
  /// Most different scales, 1 to 256, so that a file holds each as an index of a byte; 0: no limit. Only with
  /// a group or levels.
  std::int64_t scale_values = 0;
  bool half_scales = false;  ///< rounds the scales of groups and levels to float16
};

template <OptionsOf<IntegerOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(Field{"bits", "bits of a code", 2, 8}, options.bits);
  visit(Field{"granularity", "values that share a scale"}, options.granularity);
  visit(Field{"range", "rule for the range of the values"}, options.range);
  visit(Field{"histogram_bins", "bins of the histogram", 16, 1 << 20}, options.histogram_bins);
  visit(Field{"group", "values of an output that share a scale", 1, 1 << 30, "none", 0}, options.group);
  visit(Field{"levels", "the values that codes stand for"}, options.levels);
  visit(Field{"scale_values", "most different scales", 1, 256, "unlimited", 0}, options.scale_values);
  visit(Field{"half_scales", "round the scales of groups to float16"}, options.half_scales);
}

/// φ(w) = (clamp(round(w / scale + zero_point), 0, 2^bits − 1) − zero_point) · scale
struct AffineCode {
  float scale = 1;
  std::int32_t zero_point = 0;
};

/// scale = (high − low) / (2^bits − 1), zero_point = −round(low / scale) [fan2021training]; both roundings
/// break ties to even. It departs from the formula where that has no meaning in float32: low = high gets a
/// scale of |low| (1 if it is 0), so that the value is met exactly, and a scale is at least 2⁻²³ of the
/// larger end, since float32 does not resolve smaller steps.
AffineCode affine_code(float low, float high, int bits);

/// The code for values by options.bits and options.range. Needs at least one value, all finite (not checked).
/// importance: how much the error of each value counts, for the rules histogram and mse; empty: all alike.
AffineCode choose_affine_code(std::span<const float> values, const IntegerOptions& options,
                              const Context& context = Context{}, std::span<const float> importance = {});

/// Whether with_half_scale costs little: 2⁻²⁰ ≤ scale ≤ 2¹⁵. Smaller scales would grow noticeably, since the
/// steps between halves are coarse there; the largest half is 65504.
bool half_scale_fits(float scale);

/// A code whose scale is a float16 value, not smaller than before, so that no value is clipped. The grid
/// moves by half a step at most. For scales that half_scale_fits.
AffineCode with_half_scale(const AffineCode& code);

/// The nearest code, clamped.
std::uint16_t integer_code(float value, const AffineCode& code, int bits);
/// φ of every value; `out` may be `values`.
void fake_quantize(std::span<const float> values, const AffineCode& code, int bits, std::span<float> out);

/// Quantizes a weight. decoded, when not empty, has room for all values and receives φ(w), the values that
/// decode() returns. O(size) with min_max; histogram adds one pass and O(bins) per scale, mse about 100
/// passes. The importance of the weight counts in the rules histogram and mse; values of importance 0 count a
/// thousandth of the mean, so that inputs that a calibration never met are not clipped away. Takes 2 bytes
/// per value beside the result. The same bytes for any number of threads.
///
/// With a group or levels (which imply a scale per output or group) min_max takes the scale that clips
/// nothing, and mse and histogram try about 20 scales of each group and then fit it to its codes. The zero
/// point of a group is one of its codes.
///
/// Throws invalid_argument (shape; options; a value that is not finite or above 1e38, named by its index) and
/// cancelled.
QuantizedTensor integer_quantize(const WeightView& weight, const IntegerOptions& options = {},
                                 std::span<float> decoded = {}, const Context& context = Context{});

}  // namespace parsimony::quant
