// Decodes and encodes portable float maps (PFM).
#pragma once

#include <string>
#include <string_view>

#include "parsimony/core/image.hpp"

namespace parsimony {

bool is_pfm(std::string_view bytes);

/// Grey ("Pf") or colours ("PF") in float32 of either byte order, kept as they are. Throws format,
/// unsupported and memory_limit.
Image decode_pfm(std::string_view bytes, const std::string& name, std::int64_t max_bytes);

/// Little-endian, of 1 or 3 channels.
std::string encode_pfm(const Image& image);

}  // namespace parsimony
