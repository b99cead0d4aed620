#include "parsimony/quant/integer_quantizer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "core/count_of.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/core/half.hpp"
#include "parsimony/quant/decode.hpp"
#include "quant/codes/check_weight.hpp"
#include "quant/codes/group_quantizer.hpp"
#include "quant/codes/importance.hpp"
#include "quant/codes/integer_range.hpp"

namespace parsimony::quant {
namespace {

constexpr float kLargestValue = 1e38f;  // two of the coarsest steps above it are finite
constexpr std::int64_t kBlock = 1 << 16;

// Not below the value, so that no value is clipped by a scale that shrank.
float half_above(float value) {
  const std::uint16_t half = to_half(value);
  return from_half(from_half(half) < value ? static_cast<std::uint16_t>(half + 1) : half);
}

}  // namespace

AffineCode affine_code(float low, float high, int bits) {
  if (low == high) {
    const bool zero = low == 0;
    return {zero ? 1.0f : std::abs(low), low < 0 ? 1 : 0};
  }
  const double width = static_cast<double>(high) - low;
  const double largest = std::max(std::abs(static_cast<double>(low)), std::abs(static_cast<double>(high)));
  const double least = std::max<double>(largest * 0x1p-23, std::numeric_limits<float>::min());
  const auto scale = static_cast<float>(std::max(width / ((1 << bits) - 1), least));
  return {scale, static_cast<std::int32_t>(-round_to_even(low / static_cast<double>(scale)))};
}

bool half_scale_fits(float scale) {
  return scale >= 0x1p-20f && scale <= 0x1p15f;
}

// The zero point is rounded anew. Values far from 0 have a zero point of many steps, and the old one would
// move the grid by that many times the growth of the scale.
AffineCode with_half_scale(const AffineCode& code) {
  const float scale = half_above(code.scale);
  const double zero = std::round(static_cast<double>(code.zero_point) * code.scale / scale);
  return {scale, static_cast<std::int32_t>(zero)};
}

std::uint16_t integer_code(float value, const AffineCode& code, int bits) {
  return static_cast<std::uint16_t>(affine_level(value, code.scale, code.zero_point, (1 << bits) - 1));
}

void fake_quantize(std::span<const float> values, const AffineCode& code, int bits, std::span<float> out) {
  if (out.size() != values.size()) {
    refuse(fmt::format("fake_quantize: room for {} of {}", out.size(), count_of(values.size(), "value")));
  }
  const double scale = code.scale, zero = code.zero_point, top = (1 << bits) - 1;
  for (std::size_t i = 0; i < values.size(); ++i) {
    out[i] = static_cast<float>(affine_level(values[i], scale, zero, top) - zero) * code.scale;
  }
}

AffineCode choose_affine_code(std::span<const float> values, const IntegerOptions& options,
                              const Context& context, std::span<const float> importance) {
  const auto [low, high] = choose_range(values, importance, options, context);
  return affine_code(low, high, options.bits);
}

QuantizedTensor integer_quantize(const WeightView& weight, const IntegerOptions& options,
                                 std::span<float> decoded, const Context& context) {
  validate_fields(options);
  check_weight(weight, kLargestValue);
  const std::int64_t size = std::ssize(weight.values), outputs = weight.shape[0], n = size / outputs;
  if (!decoded.empty() && std::ssize(decoded) != size) {
    refuse(
        fmt::format("integer_quantize: room for {} of {}", decoded.size(), count_of(size, "decoded value")));
  }
  if (options.group > 0 || options.levels != LevelKind::uniform) {
    QuantizedTensor grouped = group_quantize(weight, options, context);
    if (!decoded.empty()) std::ranges::copy(decode(grouped, context), decoded.begin());
    return grouped;
  }
  QuantizedTensor out;
  out.shape.assign(weight.shape.begin(), weight.shape.end());
  out.scheme = Scheme::integer;
  out.bits = options.bits;
  const Importance importance(weight);
  // How much each value of some outputs counts; nothing where all count the same.
  const auto counts_of = [&](std::int64_t first, std::int64_t last) {
    std::vector<float> counts;
    if (!importance.given() || options.range == RangeRule::min_max) return counts;
    counts.reserve((last - first) * n);
    for (std::int64_t o = first; o < last; ++o) {
      for (std::int64_t i = 0; i < n; ++i) counts.push_back(importance(o, i));
    }
    return counts;
  };
  std::vector<std::uint16_t> codes(size);
  const auto encode = [&](std::int64_t begin, std::int64_t end, const AffineCode& code) {
    for (std::int64_t i = begin; i < end; ++i) codes[i] = integer_code(weight.values[i], code, options.bits);
    if (!decoded.empty()) {
      fake_quantize(weight.values.subspan(begin, end - begin), code, options.bits,
                    decoded.subspan(begin, end - begin));
    }
  };
  if (options.granularity == Granularity::per_tensor) {
    const AffineCode code = choose_affine_code(weight.values, options, context, counts_of(0, outputs));
    context.for_blocks(size, kBlock, [&](std::int64_t begin, std::int64_t end) { encode(begin, end, code); });
    out.scale = {code.scale};
    out.zero_point = {code.zero_point};
  } else {
    out.scale.resize(outputs);
    out.zero_point.resize(outputs);
    context.for_blocks(
        outputs, std::max<std::int64_t>(1, kBlock / n), [&](std::int64_t first, std::int64_t last) {
          Context alone(1);
          alone.stop = context.stop;
          for (std::int64_t o = first; o < last; ++o) {
            const AffineCode code =
                choose_affine_code(weight.values.subspan(o * n, n), options, alone, counts_of(o, o + 1));
            encode(o * n, (o + 1) * n, code);
            out.scale[o] = code.scale;
            out.zero_point[o] = code.zero_point;
          }
        });
  }
  out.packed = pack_codes(codes, options.bits);
  return out;
}

}  // namespace parsimony::quant
