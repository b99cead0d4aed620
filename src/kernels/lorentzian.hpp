// Mixtures of Lorentzian penalties where descent meets them: their influence function, and that one's
// derivative.
#pragma once

#include <array>
#include <cstdint>

namespace parsimony::kernels {

/// The widths κ_k of the three parts.
inline constexpr std::array<float, 3> kLorentzianWidths{1, 3, 9};
using LorentzianWeights = std::array<float, 3>;

/// r ← 2 r Σ_k weights[k] · κ_k / (κ_k² + r²), the derivative of the penalty Σ_k weights[k] · κ_k log(κ_k² +
/// r²): all parts reach weights[k], at κ_k. Beyond |r| = 10⁶ the value is bounded, not exact. No alignment is
/// needed.
///
/// Limit: multiplications; there is one division.
void lorentzian_influence(float* r, std::int64_t count, const LorentzianWeights& weights);

/// The same r ← influence(r); tangent ← influence'(r) · tangent. Returns the derivatives by the weights of Σ
/// influence(r) · tangent of the values before. The arrays do not overlap. Partial sums are float32, one a
/// lane.
std::array<double, 3> lorentzian_backward(float* r, float* tangent, std::int64_t count,
                                          const LorentzianWeights& weights);

/// The same in plain C++, for tests.
void lorentzian_influence_scalar(float* r, std::int64_t count, const LorentzianWeights& weights);
std::array<double, 3> lorentzian_backward_scalar(float* r, float* tangent, std::int64_t count,
                                                 const LorentzianWeights& weights);

}  // namespace parsimony::kernels
