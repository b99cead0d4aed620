// Puts rows of codes into the order of a tile of integer_product, as signed bytes.
#pragma once

#include <array>
#include <cstdint>

#include "kernels/integer_product.hpp"

namespace parsimony::kernels {

/// Bytes of a table of CodeBytes.
inline constexpr std::int64_t kTableBytes = 16;

/// A segment of 64 inputs of up to 64 rows of codes, which are the outputs of a tile.
struct SegmentCodes {
  const std::uint8_t* data = nullptr;
  std::int64_t stride = 0;  ///< bytes from one row to the next
  std::int64_t count = 0;   ///< rows, at least 1
  bool nibbles = false;     ///< codes of 4 bits, the first in the low half of a byte, instead of bytes
  /// The bytes so far behind those of a row are fetched into the cache: the processor does not by itself
  /// where rows are far apart. They need not exist.
  std::int64_t soon = 0;
};

/// The bytes that codes stand for.
struct CodeBytes {
  const std::int8_t* table = nullptr;  ///< 16 values, and no code is above 15; nullptr: code − zero
  std::array<std::uint8_t, kIntegerOutputs> zero =
      {};  ///< one for each row; differences are taken modulo 256
};

/// The bytes of inputs 4 i to 4 i + 3 of row j go to tile + 256 i + 4 j. Places of rows after the last
/// get any bytes. No pointer needs alignment.
///
/// Limit: the stores, one of 16 bytes for 16 codes, or with AVX-512 one of 64 bytes for 64 codes.
void interleave_bytes(const SegmentCodes& codes, const CodeBytes& bytes, std::int8_t* tile);

/// The same in plain C++, as a reference for tests.
void interleave_bytes_scalar(const SegmentCodes& codes, const CodeBytes& bytes, std::int8_t* tile);

}  // namespace parsimony::kernels
