// The multipliers of a local optimum with the smallest max|M|, as a linear program.
#pragma once

#include <vector>

#include "operators/certificates/zero_pattern.hpp"
#include "operators/solvers/linear_program.hpp"

namespace parsimony::operators {

struct ExactMultipliers {
  bool solved = false;
  double largest = 0;               // max|M|; infinite where no M satisfies the equation
  std::vector<double> multipliers;  // for each element of Λ; empty where no M exists
  Matrix<double>
      direction;  // Δ of T with ⟨Δ, G⟩ = −1 and ‖P_Λ(ΔX)‖₁ = 1 / max|M|, both to the solver's tolerances
  std::int64_t iterations = 0;
};

/// min_M max|M| subject to P_T(G + M Xᵀ) = 0, M on Λ. By duality that is the largest |⟨Δ, G⟩| / ‖P_Λ(ΔX)‖₁
/// over T: below 1 Ω is a strict local optimum, above 1 it is not a local optimum.
///
/// Solved as: maximise s subject to M Xᵀ + s G = ΩS + DΩ, |M| ≤ 1, S symmetric and D diagonal free, which has
/// a n rows and |Λ| + n (n + 1) / 2 + a columns, those of M with n values each. The M of the first problem is
/// M / s. omega: ΩᵀΩ = I. Columns are scaled to signals of norm 1.
ExactMultipliers exact_multipliers(MatrixView<const double> omega, MatrixView<const float> signals,
                                   const ZeroPattern& pattern, const Context& context);

/// Adds free columns for S and D of ΩS + DΩ; its value (i, c) is in row i n + c.
void add_normal_space(MatrixView<const double> omega, LinearProgram& program);

}  // namespace parsimony::operators
