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
  double root_mean_square = 0;
  float least_width = 0;  ///< narrowest range of an output that is not 0 (a constant output counts its value)
};

/// Whether float16 holds each value to a relative error of 2^-11, or unless `each` to that part of the root
/// mean square, as it does for values below its least normal one among larger ones. A NaN fits: it stays one.
bool fits_half(std::span<const float> values, bool each = false);

WeightRange range_of(std::span<const float> values, std::int64_t outputs);

/// weight: name, shape and dtype of the tensor in the model.
WeightRecipe integer_recipe(const TensorInfo& weight, int bits, const WeightRange& range,
                            const CompressOptions& options);
/// Integers in groups of so many values (0: the whole output), or with a table of levels. Falls back on
/// integer_recipe for values too small for the scales of groups.
WeightRecipe grouped_recipe(const TensorInfo& weight, int bits, std::int64_t group, LevelKind levels,
                            const WeightRange& range, const CompressOptions& options);
/// Lowers K as product_quantize does, and the block size to the length of the runs that blocks are cut from.
WeightRecipe product_recipe(const TensorInfo& weight, std::int64_t block_size, std::int64_t centroids,
                            BlockLayout layout, const WeightRange& range, const CompressOptions& options);

/// Codes as the recipe describes them, but of the coded weight, outputs first: see set_axes. weight may be a
/// part of the outputs; K may be smaller then.
QuantizedTensor quantize_weight(const WeightView& weight, const WeightRecipe& recipe,
                                const CompressOptions& options, const Context& context);
/// Gives codes of the whole coded weight the shape and the axes of the model's.
inline void set_axes(QuantizedTensor& tensor, const WeightRecipe& recipe) {
  tensor.shape = recipe.shape;
  tensor.axes = recipe.axes;
}

}  // namespace parsimony::quant
