// The multipliers of a local optimum with the smallest max|M|, as a linear program.
#pragma once

#include <vector>

#include "operators/certificates/zero_pattern.hpp"
#include "operators/solvers/linear_program.hpp"

namespace parsimony::operators {

struct ExactMultipliers {
  bool solved = false;
  double largest = 0;               // max|M|; infinite where no M does it
  std::vector<double> multipliers;  // of each element of Λ; empty where no M does it
  Matrix<double>
      direction;  // Δ of T with ⟨Δ, G⟩ = −1 and ‖P_Λ(ΔX)‖₁ = 1 / max|M|, both to the solver's tolerances
  std::int64_t iterations = 0;
};

/// min_M max|M| subject to P_T(G + M Xᵀ) = 0, M on Λ. By duality that is the largest |⟨Δ, G⟩| / ‖P_Λ(ΔX)‖₁
/// over T, so below 1 Ω is a strict local optimum and above 1 it is none.
///
/// Solved as: maximise s subject to M Xᵀ + s G = ΩS + DΩ, |M| ≤ 1, S symmetric and D diagonal free, which has
/// a n rows and |Λ| + n (n + 1) / 2 + a columns, those of M with n values each. M and s above are the
/// quotients by s. omega: ΩᵀΩ = I. Columns are scaled to signals of norm 1.
ExactMultipliers exact_multipliers(MatrixView<const double> omega, MatrixView<const float> signals,
                                   const ZeroPattern& pattern, const Context& context);

/// Free columns for S and D of ΩS + DΩ, whose value i, c is in row i n + c.
void add_normal_space(MatrixView<const double> omega, LinearProgram& program);

}  // namespace parsimony::operators
