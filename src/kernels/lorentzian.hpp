// The Lorentzian penalty log(1 + r²) where descent meets it: its influence function, and that one's
// derivative.
#pragma once

#include <cstdint>

namespace parsimony::kernels {

/// r ← 2 · weight · r / (1 + r²), the derivative of weight · log(1 + r²). No alignment is needed.
///
/// Limit: divisions.
void lorentzian_influence(float* r, std::int64_t count, float weight);

/// The same r ← influence(r); tangent ← influence'(r) · tangent with influence'(r) = 2 · weight · (1 − r²) /
/// (1 + r²)². Returns Σ influence(r) · tangent of the values before, which is the derivative by log weight of
/// Σ influence(r) · tangent. The arrays do not overlap. Partial sums are float32, one a lane.
double lorentzian_backward(float* r, float* tangent, std::int64_t count, float weight);

/// The same in plain C++, for tests.
void lorentzian_influence_scalar(float* r, std::int64_t count, float weight);
double lorentzian_backward_scalar(float* r, float* tangent, std::int64_t count, float weight);

}  // namespace parsimony::kernels
