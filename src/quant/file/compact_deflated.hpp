// Compact files with a deflated header, for small models, where the header is a large part of the file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <vector>

#include "parsimony/quant/compact_file.hpp"

namespace parsimony::quant {

bool is_deflated(const SafetensorsFile& file);

/// tensors: as the plain form stores them. verify: see write_safetensors.
std::int64_t deflated_size(std::span<const TensorInfo> tensors, const CompactRecipe& recipe);
void write_deflated(const OutputPath& path, std::span<const TensorView> tensors, const CompactRecipe& recipe,
                    const std::function<void(const std::filesystem::path&)>& verify);

/// Returns the file in the plain form, in memory. Throws format, and memory_limit where the context has less
/// memory than it takes: at most a thousand times the bytes of the header, and the bytes of the file.
SafetensorsFile inflate_compact_file(const SafetensorsFile& file, const Context& context);

}  // namespace parsimony::quant
