// The bytes of portable grey and pixel maps.
#pragma once

#include <string>
#include <string_view>

#include "core/files/png_format.hpp"

namespace parsimony {

/// P2, P3, P5 or P6. P1, P4 and P7 are not, and are told apart by decode_pnm.
bool is_pnm(std::string_view bytes);

/// most: the maximum of a sample. Throws format (name, and the byte where it is broken), unsupported,
/// memory_limit.
Samples decode_pnm(std::string_view bytes, const std::string& name, std::int64_t max_bytes, int& most);

/// P5 or P6 with maximum 255 or 65535.
std::string encode_pnm(const Samples& samples);

}  // namespace parsimony
