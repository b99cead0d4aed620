// Decodes and encodes PNG with libpng.
#pragma once

#include <string>
#include <string_view>

#include "core/images/samples.hpp"

namespace parsimony {

bool is_png(std::string_view bytes);

/// Any kind of PNG: a palette and fewer than 8 bits are expanded. The chunks iCCP, sRGB, gAMA, cHRM, pHYs and
/// eXIf are kept. Throws format (with the name and the fault), unsupported (too many pixels), and
/// memory_limit.
Samples decode_png(std::string_view bytes, const std::string& name, std::int64_t max_bytes);

/// Throws internal if libpng fails.
std::string encode_png(const Samples& samples);

}  // namespace parsimony
