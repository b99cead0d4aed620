// Inner products of one row of bytes with rows of codes, without a tile between them.
#pragma once

#include <cstdint>

#include "kernels/integer_product.hpp"
#include "kernels/interleave_bytes.hpp"

namespace parsimony::kernels {

/// A row of signed bytes in segments of 64, the last one completed by zeros.
struct DotRow {
  /// For codes of 4 bits, a segment has the 32 values of its even inputs first, then those of the odd ones.
  const std::int8_t* values = nullptr;
  const float* scales = nullptr;       ///< one for each segment
  const std::int32_t* sums = nullptr;  ///< the sum of the values of each segment; only with a zero
  std::int64_t inputs = 0;
};

/// Rows of codes; each code stands for code − zero, or for table[code] − zero.
struct DotCodes {
  const std::uint8_t* data = nullptr;
  std::int64_t stride = 0;              ///< bytes from one row to the next
  std::int64_t count = 0;               ///< rows
  bool nibbles = false;                 ///< codes of 4 bits, the first in the low half of a byte
  const std::uint8_t* table = nullptr;  ///< kTableBytes values, and no code is above 15; or nullptr
  std::int32_t zero = 0;
  const float* scales = nullptr;  ///< row o, segment s: scales[o · scale_stride + s / segments]; nullptr: 1
  std::int64_t scale_stride = 0;
  std::int64_t segments = 1;  ///< that share a scale
};

/// out[o] = Σ_s x scale · code scale · Σ_i x[i] · (code[i] − zero) for all rows o, i over the inputs of
/// segment s. Integer sums are exact; a result has 16 partial sums of floats, or fewer on narrow vectors.
/// range: rows8 for values of x of −127 to 127, the others for −63 to 63. No pointer needs alignment; no byte
/// behind the codes is read.
///
/// Limit: the bytes of the codes. Each takes part in about three instructions for 64 of them, so a few rows
/// of x are best multiplied so, and more by integer_product.
void code_dots(const DotRow& x, const DotCodes& codes, IntegerRange range, float* out);

/// Rows of x up to which code_dots is faster than a tile: 2, and 8 without SIMD.
std::int64_t most_dot_rows();

/// The same in plain C++, as a reference for tests.
void code_dots_scalar(const DotRow& x, const DotCodes& codes, IntegerRange range, float* out);

}  // namespace parsimony::kernels
