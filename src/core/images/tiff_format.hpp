// Decodes and encodes TIFF with libtiff, where it was found when this library was configured.
#pragma once

#include <string>
#include <string_view>

#include "parsimony/core/image.hpp"

namespace parsimony {

bool is_tiff(std::string_view bytes);

/// One image of grey, RGB or palette, 1 to 16 bits in whole numbers or 32 bits in floats (kept as they are),
/// with or without alpha, in strips or tiles, with the compressions that libtiff has. The ICC profile, the
/// resolution and the orientation are kept. Throws format, unsupported (several images, other kinds, raw
/// photographs; no libtiff) and memory_limit.
Image decode_tiff(std::string_view bytes, const std::string& name, std::int64_t max_bytes);

/// 8 or 16 bits, or floats for 32, with deflate.
std::string encode_tiff(const Image& image);

}  // namespace parsimony
