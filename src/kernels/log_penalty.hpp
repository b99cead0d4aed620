// Sums of log(1 + nu r²), the concave penalty of sparse coefficients, and its derivative.
#pragma once

#include <cstdint>

namespace parsimony::kernels {

/// Returns Σ log(1 + nu·r²) over `count` values, nu ≥ 0. Unless derivative is null, writes 2·nu·r / (1 +
/// nu·r²) to it. derivative may be r itself but must not overlap it otherwise. No pointer needs alignment. T
/// is float or double.
///
/// Only one logarithm is taken: mantissas of the values 1 + nu r² are multiplied and their exponents added.
/// Each term has about the rounding error of 1 + nu r² in T; the error of the sum is below count · 2⁻²² in
/// float and count · 2⁻⁵¹ in double. A value r with infinite or undefined nu r² makes the sum NaN.
///
/// Limit: the division of the derivative; without a derivative, reading r from memory.
template <class T>
double log_penalty(const T* r, std::int64_t count, T nu, T* derivative);

/// The same in plain C++ with all sums in float64, as a reference for tests.
template <class T>
double log_penalty_scalar(const T* r, std::int64_t count, T nu, T* derivative);

}  // namespace parsimony::kernels
