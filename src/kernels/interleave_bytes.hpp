// Puts rows of codes into the order of a tile of integer_product, as signed bytes.
#pragma once

#include <array>
#include <cstdint>

namespace parsimony::kernels {

/// Inputs that a call must have a multiple of.
inline constexpr std::int64_t kInterleaved = 16;

/// The bytes that codes stand for.
struct CodeBytes {
  const std::int8_t* table = nullptr;     ///< 16 values, and no code is above 15; nullptr: code − zero
  std::array<std::uint8_t, 4> zero = {};  ///< one for each row; differences are taken modulo 256
};

/// The bytes of inputs 4 i to 4 i + 3 of row j go to tile + 256 i + 4 j, for `count` inputs of four rows. No
/// pointer needs alignment. Limit: the stores, one of 16 bytes for 16 codes.
void interleave_bytes(const std::array<const std::uint8_t*, 4>& rows, std::int64_t count,
                      const CodeBytes& bytes, std::int8_t* tile);

/// The same in plain C++, as a reference for tests.
void interleave_bytes_scalar(const std::array<const std::uint8_t*, 4>& rows, std::int64_t count,
                             const CodeBytes& bytes, std::int8_t* tile);

}  // namespace parsimony::kernels
