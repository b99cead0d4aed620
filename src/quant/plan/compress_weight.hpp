// Codes of one weight, and the recipe that says how they lie in the file.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "parsimony/quant/compress.hpp"
#include "parsimony/quant/weight_view.hpp"

namespace parsimony::quant {

/// Properties of the values that decide, before there are codes, which dtypes the file takes.
struct WeightRange {
  bool usable = true;           ///< every value is finite and at most 1e15 in magnitude
  bool constant = true;         ///< all values are the same
  bool zero_in_outputs = true;  ///< the range of each output holds 0, so that zero points are codes
  float largest = 0;            ///< largest magnitude
  float least_width = 0;  ///< narrowest range of an output that is not 0 (a constant output counts its value)
};

/// Whether float16 holds each value to a relative error of 2^-11, as it does from its least normal value to
/// its largest. A NaN fits: it stays one.
bool fits_half(std::span<const float> values);

WeightRange range_of(std::span<const float> values, std::int64_t outputs);

/// weight: name, shape and dtype of the tensor in the model.
WeightRecipe integer_recipe(const TensorInfo& weight, int bits, const WeightRange& range,
                            const CompressOptions& options);
/// Lowers K as product_quantize does, and the block size to the length of the runs that blocks are cut from.
WeightRecipe product_recipe(const TensorInfo& weight, std::int64_t block_size, std::int64_t centroids,
                            BlockLayout layout, const WeightRange& range, const CompressOptions& options);

/// Codes as the recipe describes them. weight may be a part of the outputs; K may be smaller then.
QuantizedTensor quantize_weight(const WeightView& weight, const WeightRecipe& recipe,
                                const CompressOptions& options, const Context& context);

}  // namespace parsimony::quant
