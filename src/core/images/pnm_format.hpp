// Decodes and encodes portable grey maps and pixel maps (PGM, PPM).
#pragma once

#include <string>
#include <string_view>

#include "core/images/png_format.hpp"

namespace parsimony {

/// True for P2, P3, P5 and P6. decode_pnm names P1, P4 and P7 as unsupported.
bool is_pnm(std::string_view bytes);

/// most: set to the maximum of a sample. Throws format (with the name and the offset of the fault),
/// unsupported and memory_limit.
Samples decode_pnm(std::string_view bytes, const std::string& name, std::int64_t max_bytes, int& most);

/// Writes P5 or P6 with maximum 255 or 65535.
std::string encode_pnm(const Samples& samples);

}  // namespace parsimony
