// The recipes that a weight may get.
#pragma once

#include <cstdint>
#include <vector>

#include "quant/plan/compress_weight.hpp"
#include "quant/plan/layer_scheme.hpp"

namespace parsimony::quant {

/// Bytes that a tensor takes in the header beside its name, about.
inline constexpr std::int64_t kHeaderEntry = 62;

/// Bytes that a weight takes in the file, about: its tensors and their entries in the header.
std::int64_t file_bytes(const WeightRecipe& weight);

/// The recipe by the scheme alone; int8 for auto, and where a product would be larger than int8. weight: as
/// its codes see it, outputs first; the recipes have no axes yet.
WeightRecipe uniform_recipe(const TensorInfo& weight, const WeightRange& range, const LayerScheme& scheme,
                            const CompressOptions& options);

/// The recipes to measure for a budget: for auto integers of 2 to 8 bits, for auto and pq products of several
/// block sizes, layouts and codebook sizes that are not larger than int8, and one for other schemes. At least
/// one.
std::vector<WeightRecipe> candidates_of(const TensorInfo& weight, const WeightRange& range,
                                        const LayerScheme& scheme, const CompressOptions& options);

}  // namespace parsimony::quant
