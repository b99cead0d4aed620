// The compact file layout as JSON text in the metadata, and the parts of each weight.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "parsimony/core/error.hpp"
#include "parsimony/quant/compact_file.hpp"

namespace parsimony::quant {

constexpr std::string_view kRecipeKey = "parsimony.recipe";
constexpr std::string_view kVersionKey = "parsimony.format_version";
constexpr std::string_view kProducerKey = "parsimony.producer";
constexpr std::string_view kFirstVersion = "1";          // a plain header
constexpr std::string_view kFirstDeflatedVersion = "2";  // a deflated header
// Versions with either header: a deflated one has no recipe in the metadata. 4 has folded batch norms.
constexpr std::array<std::string_view, 2> kLaterVersions{"3", "4"};
constexpr std::string_view kFormatVersion = kLaterVersions.back();

inline bool is_later_version(std::string_view version) {
  return std::find(kLaterVersions.begin(), kLaterVersions.end(), version) != kLaterVersions.end();
}

// Names of the tensors of a batch norm m after "m".
constexpr std::string_view kRunningMean = ".running_mean", kRunningVariance = ".running_var";

/// Whether a file with this metadata is compact, with a plain or a deflated header.
bool has_compact_metadata(const TensorMetadata& metadata);

/// The outputs of a weight as its codes see it.
std::int64_t outputs_of(const WeightRecipe& weight);

std::string codebook_name(const WeightRecipe& weight);
/// Name of the scale that an int8 codebook has.
std::string codebook_scale_name(const WeightRecipe& weight);

/// The narrowest of uint8, int16 and int32 that holds every channel number.
DType permutation_dtype(std::int64_t channels);

/// Throws invalid_argument for a recipe that the format does not have.
void check_recipe(const WeightRecipe& weight);

/// Bytes of the codes of a recipe that has been checked.
std::int64_t packed_bytes(const WeightRecipe& weight);

/// Whether metadata under this key are the model's, not the format's.
bool is_metadata_of_model(std::string_view key);

/// The metadata of the file: the model's and the format's.
TensorMetadata file_metadata(const CompactRecipe& recipe);

/// The content of the metadata. Weights lack the fields that their tensors tell: shape, scales, block_size,
/// centroids and dtypes.
struct ParsedRecipe {
  std::vector<WeightRecipe> weights;
  std::map<std::string, std::string, std::less<>> aliases;
  bool halved = false;  ///< whether float16 tensors stand for float32, but for those in halves
  std::vector<std::string>
      halves;  ///< names of tensors that are float16 in the model too, sorted, not checked
  std::vector<std::string> folded;  ///< names of folded batch norms, not checked
};
ParsedRecipe parse_recipe(const SafetensorsFile& file);

}  // namespace parsimony::quant
