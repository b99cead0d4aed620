// The recipes that a weight may get.
#pragma once

#include <cstdint>
#include <vector>

#include "quant/plan/compress_weight.hpp"

namespace parsimony::quant {

/// Bytes that a tensor takes in the header beside its name, about.
inline constexpr std::int64_t kHeaderEntry = 62;

/// Bytes that a weight takes in the file, about: its tensors and their entries in the header.
std::int64_t file_bytes(const WeightRecipe& weight);

/// The recipe by options.scheme alone; int8 for auto, and where a product would be larger than int8.
WeightRecipe uniform_recipe(const TensorInfo& weight, const WeightRange& range,
                            const CompressOptions& options);

/// The recipes to measure for a budget: integers of 2 to 8 bits (without scheme pq), and products of several
/// block sizes, layouts and codebook sizes that are not larger than int8. At least one.
std::vector<WeightRecipe> candidates_of(const TensorInfo& weight, const WeightRange& range,
                                        const CompressOptions& options);

}  // namespace parsimony::quant
