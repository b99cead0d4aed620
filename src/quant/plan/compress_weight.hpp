// One weight into codes as its recipe says.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "parsimony/quant/compress.hpp"
#include "parsimony/quant/weight_view.hpp"

namespace parsimony::quant {

/// What decides, before there are codes, how they lie in the file.
struct WeightRange {
  bool usable = true;           ///< finite, and none above 1e15
  bool constant = true;         ///< all values the same
  bool zero_in_outputs = true;  ///< each output has values on both sides of 0, or 0: zero points are codes
  float largest = 0;            ///< in magnitude
  float least_width = 0;        ///< of the outputs' ranges that are not 0 (of a constant output: its value)
};

/// Whether halves have each of the values to 2^-11 of it, as they have between their least normal value and
/// their largest; a NaN stays one.
bool fits_half(std::span<const float> values);

WeightRange range_of(std::span<const float> values, std::int64_t outputs);

/// dtype and name are of the tensor in the model.
WeightRecipe integer_recipe(const TensorInfo& weight, int bits, const WeightRange& range,
                            const CompressOptions& options);
/// K is lowered as product_quantize lowers it, and a block is not longer than what blocks are cut from.
WeightRecipe product_recipe(const TensorInfo& weight, std::int64_t block, std::int64_t centroids,
                            BlockLayout layout, const WeightRange& range, const CompressOptions& options);

/// Codes that the recipe describes, but for K where the weight is a part of that of the recipe.
QuantizedTensor quantize_weight(const WeightView& weight, const WeightRecipe& recipe,
                                const CompressOptions& options, const Context& context);

/// Of the calibration, or empty; per value where the input has the channels of several groups. Throws format,
/// naming the tensor, for one that does not fit.
std::vector<float> importance_of(const TensorInfo& weight, const SafetensorsFile* calibration);

}  // namespace parsimony::quant
