// Kernels of the l1 norm: the sum of absolute values, its subgradient, and the projection on the dual ball.
#pragma once

#include <cstdint>

namespace parsimony::kernels {

/// Returns Σ |r| over `count` values, summed in float64. Unless sign is null, writes −1, 0 or 1 for each
/// value. sign may be r itself but must not overlap it otherwise. No pointer needs alignment. A NaN makes the
/// sum NaN. T is float or double.
///
/// Limit: reading r from memory.
template <class T>
double absolute_sum(const T* r, std::int64_t count, T* sign);

/// clipped = min(max(v, −bound), bound), reflected = v − 2 · clipped. bound ≥ 0. Either output may be v
/// itself; otherwise the arrays must not overlap.
///
/// Limit: memory.
template <class T>
void clip_and_reflect(const T* v, std::int64_t count, T bound, T* clipped, T* reflected);

/// The same in plain C++, as a reference for tests.
template <class T>
double absolute_sum_scalar(const T* r, std::int64_t count, T* sign);
template <class T>
void clip_and_reflect_scalar(const T* v, std::int64_t count, T bound, T* clipped, T* reflected);

}  // namespace parsimony::kernels
