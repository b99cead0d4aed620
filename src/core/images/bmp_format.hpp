// Decodes and encodes BMP, the bitmaps of Windows.
#pragma once

#include <string_view>

#include "core/images/samples.hpp"

namespace parsimony {

bool is_bmp(std::string_view bytes);

/// Without compression: 1, 4 and 8 bits with a palette (one of greys alone becomes grey), 24 and 32 bits, of
/// which the fourth byte is alpha where the header says so. Throws format, unsupported (other kinds, named)
/// and memory_limit.
Samples decode_bmp(std::string_view bytes, const std::string& name, std::int64_t max_bytes);

/// 8 bits: grey with a palette, or 24 bits of colour.
std::string encode_bmp(const Samples& samples);

}  // namespace parsimony
