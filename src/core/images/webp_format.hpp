// Decodes and encodes WebP with libwebp, where it was found when this library was configured.
#pragma once

#include <string>
#include <string_view>

#include "core/images/samples.hpp"

namespace parsimony {

bool is_webp(std::string_view bytes);

/// RGB or RGBA of 8 bits, with the ICC profile and the EXIF. Throws format, unsupported (animations; no
/// libwebp) and memory_limit.
Samples decode_webp(std::string_view bytes, const std::string& name, std::int64_t max_bytes);

/// Lossless. Samples have 8 bits and at most 16383 × 16383 pixels; grey becomes RGB.
std::string encode_webp(const Samples& samples);

}  // namespace parsimony
