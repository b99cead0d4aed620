// Integers of 2 to 8 bits: a scale and a zero point per tensor or per output channel.
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

/// How the range [min, max] of the formula is chosen.
enum class RangeRule {
  min_max,    ///< of the values: none is clipped
  histogram,  ///< of the least error that a histogram predicts; where that is worse than min_max, min_max
  mse,        ///< of the least squared error found by a search over both ends, from the two above
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
  int histogram_bins = 2048;  ///< between the least and the largest value
};

template <OptionsOf<IntegerOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(Field{"bits", "bits of a code", 2, 8}, options.bits);
  visit(Field{"granularity", "what shares a scale"}, options.granularity);
  visit(Field{"range", "how the range of the values is chosen"}, options.range);
  visit(Field{"histogram_bins", "bins of the histogram", 16, 1 << 20}, options.histogram_bins);
}

/// φ(w) = (clamp(round(w / scale + zero_point), 0, 2^bits − 1) − zero_point) · scale
struct AffineCode {
  float scale = 1;
  std::int32_t zero_point = 0;
};

/// scale = (high − low) / (2^bits − 1), zero_point = −round(low / scale) [fan2021training]; ties of both
/// rounds go to even. Departures, where the formula has no meaning in float32: low = high is met exactly (a
/// scale of |low|, of 1 if it is 0), and a scale is not below 2⁻²³ of the larger end, which float32 could not
/// resolve.
AffineCode affine_code(float low, float high, int bits);

/// The code of values by options.bits and options.range. At least one value, all finite (not checked).
AffineCode choose_affine_code(std::span<const float> values, const IntegerOptions& options,
                              const Context& context = Context{});

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

/// Codes of a weight by options. decoded, when not empty, receives φ(w), equal to what decode() makes of the
/// result. O(size) with min_max; histogram adds one pass and O(bins) per scale, mse about 100 passes. 2 bytes
/// per value beside the result. The same bytes for any number of threads.
///
/// Throws invalid_argument (shape, options, a value that is not finite or above 1e38: named by its index) and
/// cancelled.
QuantizedTensor integer_quantize(const WeightView& weight, const IntegerOptions& options = {},
                                 std::span<float> decoded = {}, const Context& context = Context{});

}  // namespace parsimony::quant
