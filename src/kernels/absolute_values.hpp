// What the l1 norm asks of coefficients: its sum, its subgradient, and the projection on its dual ball.
#pragma once

#include <cstdint>

namespace parsimony::kernels {

/// Returns Σ |r| over `count` values, summed in float64, and, where sign is not null, writes −1, 0 or 1.
/// sign may be r itself and overlaps it no other way; nothing need be aligned. A NaN makes the sum NaN.
/// T is float or double.
///
/// Limit: the reading of r.
template <class T>
double absolute_sum(const T* r, std::int64_t count, T* sign);

/// clipped = min(max(v, −bound), bound), reflected = v − 2 · clipped. bound ≥ 0. Either output may be v
/// itself, they overlap in no other way.
///
/// Limit: memory.
template <class T>
void clip_and_reflect(const T* v, std::int64_t count, T bound, T* clipped, T* reflected);

/// The same in plain C++, for tests.
template <class T>
double absolute_sum_scalar(const T* r, std::int64_t count, T* sign);
template <class T>
void clip_and_reflect_scalar(const T* v, std::int64_t count, T bound, T* clipped, T* reflected);

}  // namespace parsimony::kernels
