#include "quant/plan/compress_weight.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <utility>

#include "parsimony/core/error.hpp"
#include "parsimony/core/half.hpp"
#include "parsimony/quant/blocks.hpp"
#include "parsimony/quant/product_quantizer.hpp"
#include "quant/codes/check_weight.hpp"
#include "quant/codes/importance.hpp"

namespace parsimony::quant {
namespace {

constexpr float kLargestHalf = 65504;
constexpr float kLeastNormalHalf = 0x1p-14f;
constexpr float kLeastHalfScale = 0x1p-20f;  // below, the steps between halves are coarse

QuantizedTensor quantize_integers(const WeightView& weight, const WeightRecipe& recipe,
                                  const CompressOptions& options, const Context& context) {
  IntegerOptions integer{.bits = recipe.bits, .range = options.range};
  QuantizedTensor tensor = integer_quantize(weight, integer, {}, context);
  integer.range = RangeRule::min_max;
  std::vector<std::uint16_t> codes;  // once one of them is another
  const std::int64_t outputs = weight.shape[0], n = std::ssize(weight.values) / outputs;
  for (std::int64_t o = 0; o < outputs; ++o) {
    const std::span<const float> values = weight.values.subspan(o * n, n);
    const AffineCode chosen{tensor.scale[o], tensor.zero_point[o]};
    AffineCode code = chosen;
    if (recipe.zero_point_dtype == DType::uint8 && !std::in_range<std::uint8_t>(code.zero_point)) {
      code = choose_affine_code(values,
                                integer);  // clipped, a range need not hold the 0 that its values surround
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

// E[x²] of each channel of an input: samples first, the channels last for 2-D weights, second otherwise.
std::vector<float> second_moments(const TensorView& input, std::size_t weight_dimensions) {
  const std::vector<float> values = float32_values(input);
  const std::size_t axis = weight_dimensions == 2 ? input.shape.size() - 1 : 1;
  const auto channels = input.shape[axis];
  std::int64_t inner = 1;
  for (std::size_t i = axis + 1; i < input.shape.size(); ++i) inner *= input.shape[i];
  std::vector<double> sums(channels);
  for (std::int64_t i = 0; i < std::ssize(values); ++i) {
    sums[i / inner % channels] += static_cast<double>(values[i]) * values[i];
  }
  std::vector<float> moments(channels);
  const double count = static_cast<double>(values.size()) / static_cast<double>(channels);
  for (std::int64_t c = 0; c < channels; ++c) moments[c] = static_cast<float>(sums[c] / count);
  return moments;
}

// Of the channels of an input per value of the weight: of each group of a convolution's outputs those that it
// sees.
std::vector<float> of_groups(const std::vector<float>& moments, const TensorInfo& weight) {
  const std::int64_t outputs = weight.shape[0], channels = weight.shape[1];
  const std::int64_t positions = weight.values() / outputs / channels;
  const std::int64_t per_group = outputs * channels / std::ssize(moments);
  std::vector<float> out;
  out.reserve(static_cast<std::size_t>(weight.values()));
  for (std::int64_t o = 0; o < outputs; ++o) {
    for (std::int64_t c = 0; c < channels; ++c) {
      out.insert(out.end(), static_cast<std::size_t>(positions), moments[o / per_group * channels + c]);
    }
  }
  return out;
}

}  // namespace

bool fits_half(std::span<const float> values) {
  return std::all_of(values.begin(), values.end(), [](float value) {
    return std::isnan(value) || std::abs(from_half(to_half(value)) - value) <= 0x1p-11f * std::abs(value);
  });
}

WeightRange range_of(std::span<const float> values, std::int64_t outputs) {
  WeightRange range;
  const std::int64_t n = std::ssize(values) / outputs;
  for (std::int64_t o = 0; o < outputs; ++o) {
    float low = values[o * n], high = low;
    for (const float value : values.subspan(o * n, n)) {
      if (!(std::abs(value) <= kLargestBlockValue)) range.usable = false;
      low = std::min(low, value);
      high = std::max(high, value);
    }
    range.constant = range.constant && low == high && low == values[0];
    range.zero_in_outputs = range.zero_in_outputs && low <= 0 && high >= 0;
    range.largest = std::max({range.largest, std::abs(low), std::abs(high)});
    const float width = low == high ? std::abs(low) : high - low;
    if (width > 0 && (range.least_width == 0 || width < range.least_width)) range.least_width = width;
  }
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
  const float least = range.least_width / static_cast<float>((1 << bits) - 1);
  const bool fits = range.largest <= kLargestHalf / 2 && (range.least_width == 0 || least >= kLeastHalfScale);
  recipe.scale_dtype = options.half && fits ? DType::float16 : DType::float32;
  return recipe;
}

WeightRecipe product_recipe(const TensorInfo& weight, std::int64_t block, std::int64_t centroids,
                            BlockLayout layout, const WeightRange& range, const CompressOptions& options) {
  WeightRecipe recipe;
  recipe.name = weight.name;
  recipe.shape = weight.shape;
  recipe.dtype = weight.dtype;
  recipe.scheme = Scheme::product;
  recipe.scales = 0;
  recipe.layout = weight.shape.size() == 2 || weight.shape[1] == 1 ? BlockLayout::row : layout;
  recipe.block_size = std::min(block, block_grid(weight.shape, block, recipe.layout).run_length());
  const std::int64_t blocks = block_grid(weight.shape, recipe.block_size, recipe.layout).count();
  recipe.centroids = centroids_for(blocks, {.centroids = centroids});
  recipe.bits =
      std::max(1, static_cast<int>(std::bit_width(static_cast<std::uint64_t>(recipe.centroids - 1))));
  const bool halves_hold_it =
      range.largest <= kLargestHalf && (range.largest == 0 || range.largest >= kLeastNormalHalf);
  const bool other = options.codebook == CodebookType::float16 && !halves_hold_it;
  recipe.codebook_type = other ? CodebookType::float32 : options.codebook;
  return recipe;
}

QuantizedTensor quantize_weight(const WeightView& weight, const WeightRecipe& recipe,
                                const CompressOptions& options, const Context& context) {
  if (recipe.scheme == Scheme::integer) return quantize_integers(weight, recipe, options, context);
  return product_quantize(weight,
                          {.block_size = recipe.block_size,
                           .centroids = recipe.centroids,
                           .layout = recipe.layout,
                           .codebook = recipe.codebook_type,
                           .max_iterations = options.max_iterations,
                           .seed = options.seed},
                          context);
}

std::vector<float> importance_of(const TensorInfo& weight, const SafetensorsFile* calibration) {
  if (calibration == nullptr) return {};
  constexpr std::string_view kEnding = "weight";
  std::string prefix = weight.name;
  if (prefix.ends_with(kEnding)) {
    prefix.resize(prefix.size() - kEnding.size());
  } else {
    prefix += '.';
  }
  std::vector<float> importance;
  bool per_value = false;  // of an output
  std::string name = prefix + "input_second_moment";
  const auto fail = [&](const std::string& what) {
    throw Error(ErrorCode::format,
                fmt::format("{}: tensor {}: {}", calibration->name(), quoted_name(name), what));
  };
  if (const TensorView* moments = calibration->find(name)) {
    importance = float32_values(*moments);
    per_value = std::ssize(importance) == weight.values() / weight.shape[0];
  } else {
    name = prefix + "input";
    const TensorView* input = calibration->find(name);
    if (input == nullptr) return {};
    if (input->shape.size() < 2 || input->values() == 0) fail("must have samples and channels");
    importance = second_moments(*input, weight.shape.size());
  }
  const std::int64_t channels = weight.shape[1], count = std::ssize(importance), groups = count / channels;
  const bool grouped = !per_value && weight.shape.size() > 2 && groups > 1 && count % channels == 0 &&
                       weight.shape[0] % groups == 0;
  if (!per_value && count != channels && !grouped) {
    fail(fmt::format("of {} channels; {} of shape ({}) has {}", importance.size(), quoted_name(weight.name),
                     fmt::join(weight.shape, ", "), channels));
  }
  bool any = false;
  for (const float value : importance) {
    if (!(value >= 0 && std::isfinite(value))) fail(fmt::format("a second moment is {}", value));
    any = any || value > 0;
  }
  if (!any) fail("all second moments are 0");
  return grouped ? of_groups(importance, weight) : importance;
}

}  // namespace parsimony::quant
