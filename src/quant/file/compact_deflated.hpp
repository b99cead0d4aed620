// A compact file whose header is deflated: that of small models, of which the header is a large part.
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
void write_deflated(const std::filesystem::path& path, std::span<const TensorView> tensors,
                    const CompactRecipe& recipe,
                    const std::function<void(const std::filesystem::path&)>& verify);

/// The file in the plain form, in memory. Throws format. No more is allocated than a thousand times the
/// bytes of its header and those of the file.
SafetensorsFile inflate_compact_file(const SafetensorsFile& file);

}  // namespace parsimony::quant
