// The checksum of a compact file, which lies in its metadata.
#pragma once

#include <span>
#include <string_view>

#include "parsimony/core/safetensors.hpp"

namespace parsimony::quant {

constexpr std::string_view kChecksumKey = "parsimony.checksum";

/// The metadata with the CRC-32 of the data that write_safetensors makes of these tensors. Tensors without
/// data get a checksum of the same length, so that sizes can be planned.
TensorMetadata with_checksum(TensorMetadata metadata, std::span<const TensorView> tensors);

/// Throws format if the file has a checksum that is not that of its data, and cancelled. Reads the whole
/// file.
void check_checksum(const SafetensorsFile& file, const Context& context);

}  // namespace parsimony::quant
