// Sums of log(1 + nu r²), the concave penalty of sparse coefficients, and its derivative.
#pragma once

#include <cstdint>

namespace parsimony::kernels {

/// Returns Σ log(1 + nu·r²) over `count` values, nu ≥ 0, and, where derivative is not null, writes
/// 2·nu·r / (1 + nu·r²). derivative may be r itself and overlaps it no other way; nothing need be aligned.
/// T is float or double.
///
/// No logarithm is taken but one: the mantissas of the values 1 + nu r² are multiplied, their exponents
/// added. Each term is off by about the rounding of 1 + nu r² in T, so the sum by less than count · 2⁻²² in
/// float and count · 2⁻⁵¹ in double. A value that is not finite, or whose nu r² is not, makes the sum NaN.
///
/// Limit: the division of the derivative; without it, the reading of r.
template <class T>
double log_penalty(const T* r, std::int64_t count, T nu, T* derivative);

/// The same in plain C++, every sum in float64, for tests.
template <class T>
double log_penalty_scalar(const T* r, std::int64_t count, T nu, T* derivative);

}  // namespace parsimony::kernels
