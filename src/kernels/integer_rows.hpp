// Rounds rows of floats to bytes, with a scale for each segment.
#pragma once

#include <cstdint>

namespace parsimony::kernels {

/// For each segment of 64 of the `inputs` values of x, with the largest magnitude m: scale = m / most, and
/// out[i] = most + 1 + the whole number nearest to x[i] · (most / m), ties to even. most is 63 for bytes of 7
/// bits, and 127 for 8. The last segment is completed by zeros. With m < 2⁻¹⁰⁰ all values of the segment
/// count as 0; if one is not finite, the scale is NaN. Returns Σ scale · (out[i] − most − 1) over all
/// segments in their order, the sum of the rounded row. No pointer needs alignment.
float integer_row(const float* x, std::int64_t inputs, int most, std::uint8_t* out, float* scales);

/// The same in plain C++, as a reference for tests.
float integer_row_scalar(const float* x, std::int64_t inputs, int most, std::uint8_t* out, float* scales);

}  // namespace parsimony::kernels
