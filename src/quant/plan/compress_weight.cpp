#include "quant/plan/compress_weight.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <utility>

#include "parsimony/core/half.hpp"
#include "parsimony/quant/blocks.hpp"
#include "parsimony/quant/product_quantizer.hpp"
#include "quant/codes/check_weight.hpp"

namespace parsimony::quant {
namespace {

constexpr float kLargestHalf = 65504;
constexpr float kLeastNormalHalf = 0x1p-14f;

QuantizedTensor quantize_integers(const WeightView& weight, const WeightRecipe& recipe,
                                  const CompressOptions& options, const Context& context) {
  IntegerOptions integer{.bits = recipe.bits, .range = options.range};
  QuantizedTensor tensor = integer_quantize(weight, integer, {}, context);
  integer.range = RangeRule::min_max;
  std::vector<std::uint16_t> codes;  // unpacked when the first output needs other codes
  const std::int64_t outputs = weight.shape[0], n = std::ssize(weight.values) / outputs;
  for (std::int64_t o = 0; o < outputs; ++o) {
    const std::span<const float> values = weight.values.subspan(o * n, n);
    const AffineCode chosen{tensor.scale[o], tensor.zero_point[o]};
    AffineCode code = chosen;
    if (recipe.zero_point_dtype == DType::uint8 && !std::in_range<std::uint8_t>(code.zero_point)) {
      // A clipped range may leave out the 0 that lies among the values; the range of all values holds it.
      code = choose_affine_code(values, integer);
    }
    if (recipe.scale_dtype == DType::float16) code = with_half_scale(code);
    if (code.scale == chosen.scale && code.zero_point == chosen.zero_point) continue;
    if (codes.empty()) codes = unpack_codes(tensor.packed, recipe.bits, outputs * n);
    tensor.scale[o] = code.scale;
    tensor.zero_point[o] = code.zero_point;
    for (std::int64_t i = 0; i < n; ++i) codes[o * n + i] = integer_code(values[i], code, recipe.bits);
  }
  if (!codes.empty()) tensor.packed = pack_codes(codes, recipe.bits);
  return tensor;
}

}  // namespace

bool fits_half(std::span<const float> values, bool each) {
  double squares = 0;
  std::int64_t count = 0;
  for (const float value : values) {
    if (!std::isfinite(value)) continue;
    squares += static_cast<double>(value) * value;
    ++count;
  }
  const double mean = each || count == 0 ? 0 : std::sqrt(squares / static_cast<double>(count));
  return std::all_of(values.begin(), values.end(), [&](float value) {
    const double most = 0x1p-11 * std::max<double>(std::abs(value), mean);
    return std::isnan(value) || std::abs(static_cast<double>(from_half(to_half(value))) - value) <= most;
  });
}

WeightRange range_of(std::span<const float> values, std::int64_t outputs) {
  WeightRange range;
  const std::int64_t n = std::ssize(values) / outputs;
  double squares = 0;
  for (std::int64_t o = 0; o < outputs; ++o) {
    float low = values[o * n], high = low;
    for (const float value : values.subspan(o * n, n)) {
      if (!(std::abs(value) <= kLargestBlockValue)) range.usable = false;
      squares += static_cast<double>(value) * value;
      low = std::min(low, value);
      high = std::max(high, value);
    }
    range.constant = range.constant && low == high && low == values[0];
    range.zero_in_outputs = range.zero_in_outputs && low <= 0 && high >= 0;
    range.largest = std::max({range.largest, std::abs(low), std::abs(high)});
    const float width = low == high ? std::abs(low) : high - low;
    if (width > 0 && (range.least_width == 0 || width < range.least_width)) range.least_width = width;
  }
  range.root_mean_square = std::sqrt(squares / static_cast<double>(values.size()));
  return range;
}

WeightRecipe integer_recipe(const TensorInfo& weight, int bits, const WeightRange& range,
                            const CompressOptions& options) {
  WeightRecipe recipe;
  recipe.name = weight.name;
  recipe.shape = weight.shape;
  recipe.dtype = weight.dtype;
  recipe.scheme = Scheme::integer;
  recipe.bits = bits;
  recipe.scales = weight.shape[0];
  recipe.zero_point_dtype = range.zero_in_outputs ? DType::uint8 : DType::int32;
  // No scale is larger than the largest value: ranges are at most twice as wide, and 2 bits have three steps.
  const float least = range.least_width / static_cast<float>((1 << bits) - 1);
  const bool fits = range.largest == 0 || (half_scale_fits(least) && half_scale_fits(range.largest));
  recipe.scale_dtype = options.half && fits ? DType::float16 : DType::float32;
  return recipe;
}

WeightRecipe grouped_recipe(const TensorInfo& weight, int bits, std::int64_t group, LevelKind levels,
                            const WeightRange& range, const CompressOptions& options) {
  WeightRecipe recipe = integer_recipe(weight, bits, range, options);
  const std::int64_t n = weight.values() / weight.shape[0];
  if (group >= n) group = 0;
  constexpr float kLeastForGroups = 0x1p-60f;
  const bool tiny = range.largest > 0 && range.largest < kLeastForGroups;
  if (tiny || (group == 0 && levels == LevelKind::uniform)) return recipe;
  recipe.group = group;
  recipe.levels = levels;
  recipe.scales = weight.shape[0] * groups_of(n, group);
  recipe.packed_zeros = levels == LevelKind::uniform;
  recipe.zero_point_dtype = DType::uint8;
  const bool halves = options.half && range.largest >= kLeastNormalHalf && range.largest <= kLargestHalf;
  recipe.scale_dtype = halves ? DType::float16 : DType::float32;
  constexpr std::int64_t kScaleValues = 256;
  if (recipe.scales + 4 * kScaleValues < recipe.scales * (halves ? 2 : 4)) {
    recipe.scale_dtype = DType::uint8;
    recipe.scale_values = kScaleValues;
  }
  return recipe;
}

WeightRecipe product_recipe(const TensorInfo& weight, std::int64_t block_size, std::int64_t centroids,
                            BlockLayout layout, const WeightRange& range, const CompressOptions& options) {
  WeightRecipe recipe;
  recipe.name = weight.name;
  recipe.shape = weight.shape;
  recipe.dtype = weight.dtype;
  recipe.scheme = Scheme::product;
  recipe.scales = 0;
  recipe.layout = weight.shape.size() == 2 || weight.shape[1] == 1 ? BlockLayout::row : layout;
  recipe.block_size = std::min(block_size, block_grid(weight.shape, block_size, recipe.layout).run_length());
  const std::int64_t blocks = block_grid(weight.shape, recipe.block_size, recipe.layout).count();
  recipe.centroids = centroids_for(blocks, {.centroids = centroids});
  recipe.bits =
      std::max(1, static_cast<int>(std::bit_width(static_cast<std::uint64_t>(recipe.centroids - 1))));
  const bool halves_hold_it =
      range.largest <= kLargestHalf && (range.largest == 0 || range.largest >= kLeastNormalHalf);
  const bool other = options.codebook == CodebookType::float16 && !halves_hold_it;
  recipe.codebook_type = other ? CodebookType::float32 : options.codebook;
  // One scale for all centroids loses a part of 1 / (12 · 127²) · (largest / rms)² of the weight's energy. At
  // 14 that is a thousandth, which is a hundredth of the error of product codes.
  constexpr double kOutlier = 14;
  if (recipe.codebook_type == CodebookType::int8 && halves_hold_it &&
      range.largest > kOutlier * range.root_mean_square) {
    recipe.codebook_scales = recipe.centroids;
  }
  return recipe;
}

QuantizedTensor quantize_weight(const WeightView& weight, const WeightRecipe& recipe,
                                const CompressOptions& options, const Context& context) {
  if (recipe.group > 0 || recipe.levels != LevelKind::uniform) {
    return integer_quantize(weight,
                            {.bits = recipe.bits,
                             .range = options.range,
                             .group = recipe.group,
                             .levels = recipe.levels,
                             .scale_values = recipe.scale_values,
                             .half_scales = recipe.scale_dtype == DType::float16},
                            {}, context);
  }
  if (recipe.scheme == Scheme::integer) return quantize_integers(weight, recipe, options, context);
  return product_quantize(weight,
                          {.block_size = recipe.block_size,
                           .centroids = recipe.centroids,
                           .layout = recipe.layout,
                           .codebook = recipe.codebook_type,
                           .centroid_scales = recipe.codebook_scales > 1,
                           .max_iterations = options.max_iterations,
                           .seed = options.seed},
                          context);
}

}  // namespace parsimony::quant
