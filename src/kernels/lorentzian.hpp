// Influence function (derivative) of a mixture of Lorentzian penalties, and the derivative of the influence
// function.
#pragma once

#include <array>
#include <cstdint>

namespace parsimony::kernels {

/// The widths κ_k of the three parts.
inline constexpr std::array<float, 3> kLorentzianWidths{1, 3, 9};
using LorentzianWeights = std::array<float, 3>;

/// r ← 2 r Σ_k weights[k] · κ_k / (κ_k² + r²), the derivative of the penalty Σ_k weights[k] · κ_k log(κ_k² +
/// r²). Part k has its largest value, weights[k], at r = κ_k. Beyond |r| = 10⁶ the value is bounded, not
/// exact. No pointer needs alignment.
///
/// Limit: multiplications; the three parts share one division.
void lorentzian_influence(float* r, std::int64_t count, const LorentzianWeights& weights);

/// r ← influence(r) and tangent ← influence'(r) · tangent. Returns the derivatives of Σ influence(r) ·
/// tangent, of the values before, with respect to the weights. The arrays must not overlap. Partial sums are
/// float32, one per lane.
std::array<double, 3> lorentzian_backward(float* r, float* tangent, std::int64_t count,
                                          const LorentzianWeights& weights);

/// The same in plain C++, as a reference for tests.
void lorentzian_influence_scalar(float* r, std::int64_t count, const LorentzianWeights& weights);
std::array<double, 3> lorentzian_backward_scalar(float* r, float* tangent, std::int64_t count,
                                                 const LorentzianWeights& weights);

}  // namespace parsimony::kernels
