// The content of files of tensors, as text and as JSON.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>

#include "parsimony/quant/compact_file.hpp"
#include "parsimony/quant/compress.hpp"

namespace parsimony::cli {

/// A list of the tensors of a safetensors file.
std::string tensors_text(const SafetensorsFile& file);
/// An upper bound of the bytes that the list of the tensors takes, with the copies that are printed.
std::int64_t listing_memory(const SafetensorsFile& file, bool json);
/// "2.00 times fewer than", "1.02 times more than" or "as many as", for bytes and those of the model.
std::string comparison_of_bytes(std::int64_t bytes, std::int64_t model_bytes);
nlohmann::ordered_json tensors_json(const SafetensorsFile& file);

/// A line for each weight: its bytes in the file and in the model, and its error if there is one. Other
/// tensors are added up.
std::string compact_text(const quant::CompactRecipe& recipe, std::span<const double> relative_mse = {});
nlohmann::ordered_json compact_json(const quant::CompactRecipe& recipe,
                                    std::span<const double> relative_mse = {});

/// The result of quantize. written: name of the file, or empty after a dry run.
std::string compression_text(const quant::Compression& made, const std::string& written);
nlohmann::ordered_json compression_json(const quant::Compression& made, const std::string& input,
                                        const std::string& written);

}  // namespace parsimony::cli
