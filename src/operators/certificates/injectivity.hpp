// Bounds how far Δ ↦ P_Λ(ΔX) is from losing a direction of the tangent space.
#pragma once

#include "parsimony/core/context.hpp"
#include "parsimony/core/matrix.hpp"

namespace parsimony::operators {

struct Injectivity {
  bool injective = false;
  bool undecided = false;  // too many directions may be lost to compute the test
  double lower = 0;        // ‖P_Λ(ΔX)‖₁ ≥ lower · ‖Δ‖_F for all Δ of T
  double largest = 0;      // bound of the largest eigenvalue of AᵀA on T
};

/// blocks: the a matrices H_i = Σ_{j∈Λ_i} x_j x_jᵀ of ZeroMap::blocks(); largest_signal: the largest ‖x_j‖ on
/// Λ; omega: ΩᵀΩ = I.
///
/// Let E be the span of the eigenvectors of all H_i on w_i⊥ above a threshold, κ the least of their
/// eigenvalues, and N the span of the other eigenvectors. Δ = Δ_E + Δ_N in T has sym(ΩᵀΔ_N) = −sym(ΩᵀΔ_E), so
/// σ‖Δ_N‖ ≤ ‖Δ_E‖, with σ the least singular value of Δ ↦ sym(ΩᵀΔ) on N. N has at most n (n + 1) / 2
/// dimensions unless σ = 0, and the test handles at most kMostLost. Hence ‖P_Λ(ΔX)‖₂² ≥ κ‖Δ‖² / (1 + 1/σ²),
/// and ‖P_Λ(ΔX)‖₁ ≥ max(‖·‖₂, ‖·‖₂² / (‖Δ‖ largest_signal)). Every threshold gives a bound; the result is the
/// best of a few.
Injectivity injectivity(MatrixView<const double> omega, const Matrix<double>& blocks, double largest_signal,
                        const Context& context);

}  // namespace parsimony::operators
