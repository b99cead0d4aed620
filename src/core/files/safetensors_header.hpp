// The header of a safetensors file: a JSON object with the tensors and the offsets of their bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "parsimony/core/safetensors.hpp"

namespace parsimony {

struct SafetensorsEntry {
  TensorInfo info;
  std::uint64_t begin = 0;  ///< offset of its data after the header
  std::uint64_t end = 0;
};

struct SafetensorsHeader {
  std::vector<SafetensorsEntry> tensors;  ///< in the order of the header
  TensorMetadata metadata;
};

constexpr std::size_t kMostHeaderBytes = 100'000'000;  // the limit of the reference implementation

/// Throws format for any JSON that the format does not allow: unknown keys, wrong types, numbers that are not
/// 64-bit sizes, missing keys and repeated keys within one object. The caller checks repeated names of
/// tensors and the offsets.
SafetensorsHeader parse_safetensors_header(std::string_view json, const std::string& file,
                                           const std::stop_token& stop = {});

/// An upper bound of the bytes that the header and the tensors of its file take, by the text alone.
std::int64_t header_memory(std::string_view json);

/// The order of the tensors in a file: the widest alignment first, then by name.
bool stored_before(const TensorInfo& a, const TensorInfo& b);

/// The metadata with "format": "pt", unless it has a format already.
TensorMetadata with_format(TensorMetadata metadata);

/// Bytes of all values; nothing for a negative side, for sizes that do not fit 64 bits, and for values that
/// are not a whole number of bytes together.
std::optional<std::int64_t> bytes_of(const TensorInfo& tensor);

/// The bytes before the data: length, JSON, and spaces up to a multiple of 8. The data must follow in the
/// order of the tensors.
std::string safetensors_header(std::span<const TensorInfo* const> tensors, const TensorMetadata& metadata);

}  // namespace parsimony
