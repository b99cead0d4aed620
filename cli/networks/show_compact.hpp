// What a file of tensors holds, for people and for programs.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>

#include "parsimony/quant/compact_file.hpp"
#include "parsimony/quant/compress.hpp"

namespace parsimony::cli {

/// "int4 per channel", "pq of 9, 256 centroids, shared".
std::string scheme_text(const quant::WeightRecipe& weight);

/// Every tensor of a safetensors file.
std::string tensors_text(const SafetensorsFile& file);
nlohmann::ordered_json tensors_json(const SafetensorsFile& file);

/// Every weight with its bytes of the file and of the model, and its error where there is one; the other
/// tensors in total.
std::string compact_text(const quant::CompactRecipe& recipe, std::span<const double> relative_mse = {});
nlohmann::ordered_json compact_json(const quant::CompactRecipe& recipe,
                                    std::span<const double> relative_mse = {});

/// A line for each that one would not expect, and for each reason of the others.
std::string left_alone_text(std::span<const quant::LeftAlone> left_alone);

/// Bytes of the safetensors file that the model would be uncompressed.
std::int64_t model_bytes(const quant::CompactRecipe& recipe);

}  // namespace parsimony::cli
