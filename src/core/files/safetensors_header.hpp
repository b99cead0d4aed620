// The header of a safetensors file: a JSON object of the tensors and where their bytes lie.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "parsimony/core/safetensors.hpp"

namespace parsimony {

struct SafetensorsEntry {
  TensorInfo info;
  std::uint64_t begin = 0;  ///< of its data, after the header
  std::uint64_t end = 0;
};

struct SafetensorsHeader {
  std::vector<SafetensorsEntry> tensors;  ///< as they stand in the file
  TensorMetadata metadata;
};

constexpr std::size_t kMostHeaderBytes = 100'000'000;  // as the reference implementation has it

/// Throws format for anything but the JSON that the format describes: unknown keys, wrong types, numbers that
/// are no 64-bit sizes, keys that are missing or there twice in one object. Names of tensors that are there
/// twice are left to the caller, as are the offsets.
SafetensorsHeader parse_safetensors_header(std::string_view json, const std::string& file);

/// The bytes before the data: length, JSON, spaces up to a multiple of 8. The data lies in the order of the
/// tensors.
std::string safetensors_header(std::span<const TensorInfo* const> tensors, const TensorMetadata& metadata);

}  // namespace parsimony
