// Decodes and encodes portable bit maps, grey maps, pixel maps (PBM, PGM, PPM) and arbitrary maps (PAM).
#pragma once

#include <string>
#include <string_view>

#include "core/images/samples.hpp"

namespace parsimony {

/// True for P1 to P7.
bool is_pnm(std::string_view bytes);

/// One image, with any maximum. Throws format (with the name and the offset of the fault), unsupported and
/// memory_limit.
Samples decode_pnm(std::string_view bytes, const std::string& name, std::int64_t max_bytes);

/// Writes P5 or P6 with maximum 255 or 65535; P7 of samples with alpha.
std::string encode_pnm(const Samples& samples);

}  // namespace parsimony
