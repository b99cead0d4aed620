// Rounds rows of floats to bytes, with a scale for each segment.
#pragma once

#include <cstdint>

namespace parsimony::kernels {

/// A value of a row that is left out of the bytes.
struct OutlierInput {
  std::int32_t place = 0;
  float value = 0;
};

/// Most outliers of a segment.
inline constexpr std::int64_t kMostOutlierInputs = 4;
/// A value is an outlier if it is so many times the root mean square of the others of its segment. The
/// largest of 64 normal values is about 2.5 times it. A lower limit is more exact and finds more of them: on
/// 128 tokens of MiniLM, 6 takes 24 % more time than no limit, 8 takes 8 %, and 12 about 2 %.
inline constexpr float kOutlierInput = 12;

/// Outliers of a row, by their segments, in no order within one; room for kMostOutlierInputs of each segment.
struct OutlierInputs {
  OutlierInput* data = nullptr;
  std::int64_t count = 0;
};

/// For each segment of 64 of the `inputs` values of x, with the largest magnitude m: scale = m / most, and
/// out[i] = most + 1 + the whole number nearest to x[i] · (most / m), ties to even. most is 63 for bytes of 7
/// bits, and 127 for 8. The last segment is completed by zeros. With m < 2⁻¹⁰⁰ all values of the segment
/// count as 0; if one is not finite, the scale is NaN. With `outliers`, up to kMostOutlierInputs values of a
/// segment that would leave few digits to the others are added to them, and count as 0. Returns Σ scale ·
/// (out[i] − most − 1) over all segments in their order, the sum of the rounded row. No pointer needs
/// alignment.
float integer_row(const float* x, std::int64_t inputs, int most, std::uint8_t* out, float* scales,
                  OutlierInputs* outliers = nullptr);

/// The same in plain C++, as a reference for tests.
float integer_row_scalar(const float* x, std::int64_t inputs, int most, std::uint8_t* out, float* scales,
                         OutlierInputs* outliers = nullptr);

}  // namespace parsimony::kernels
