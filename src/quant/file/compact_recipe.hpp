// The recipe of a compact file as the JSON text of its metadata, and what each weight is made of.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "parsimony/core/error.hpp"
#include "parsimony/quant/compact_file.hpp"

namespace parsimony::quant {

constexpr std::string_view kRecipeKey = "parsimony.recipe";
constexpr std::string_view kVersionKey = "parsimony.format_version";
constexpr std::string_view kProducerKey = "parsimony.producer";
constexpr std::string_view kFormatVersion = "1";

std::string codebook_name(const WeightRecipe& weight);
/// Of an int8 codebook.
std::string codebook_scale_name(const WeightRecipe& weight);

/// uint8, int16 or int32: what holds every channel number.
DType permutation_dtype(std::int64_t channels);

/// Throws invalid_argument for what the format does not have.
void check_recipe(const WeightRecipe& weight);

/// Of the codes; the recipe has been checked.
std::int64_t packed_bytes(const WeightRecipe& weight);

/// The metadata of the file: that of the model and of the format.
TensorMetadata file_metadata(const CompactRecipe& recipe);

/// What file_metadata said: of the weights all but what their tensors say (shape, scales, block, centroids
/// and the dtypes), of the others the names of those that are no halved float32, unless nothing is halved.
struct ParsedRecipe {
  std::vector<WeightRecipe> weights;
  std::map<std::string, std::string, std::less<>> aliases;
  bool halved = false;
  std::vector<std::string> halves;  ///< float16 in the model too, sorted; read_compact_file checks them
};
ParsedRecipe parse_recipe(const SafetensorsFile& file);

}  // namespace parsimony::quant
