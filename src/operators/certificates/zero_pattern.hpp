// The zeros Λ of ΩX, and the linear map Δ ↦ P_Λ(ΔX) with its adjoint.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "parsimony/core/context.hpp"
#include "parsimony/core/matrix.hpp"
#include "parsimony/operators/certificate.hpp"

namespace parsimony::operators {

struct ZeroPattern {
  std::vector<std::int64_t> offsets;  // a + 1 values: the start of each row in `signals`
  std::vector<std::int64_t> signals;  // ascending in each row
  Matrix<double> gradient;            // G = sgn(ΩX)Xᵀ, 0 on Λ
  CosparsityProfile profile;
  double objective = 0;  // ‖ΩX‖₁
  double zero_sum = 0;   // Σ over Λ of |⟨w_i, x_j⟩|
};

/// Throws invalid_argument as cosparsity_profile does.
ZeroPattern find_zeros(MatrixView<const double> omega, MatrixView<const float> signals, double tolerance,
                       const Context& context);

/// ‖ΩX‖₁.
double analysis_objective(MatrixView<const double> omega, MatrixView<const float> signals,
                          const Context& context);

/// The map A Δ = P_Λ(ΔX), one value for each element of Λ, row by row. The arguments must outlive it.
class ZeroMap {
 public:
  ZeroMap(MatrixView<const float> signals, const ZeroPattern& pattern, const Context& context)
      : signals_(signals), pattern_(pattern), context_(context) {}

  std::int64_t size() const { return pattern_.offsets.back(); }
  std::int64_t rows() const { return static_cast<std::int64_t>(pattern_.offsets.size()) - 1; }
  void apply(MatrixView<const double> delta, std::span<double> out) const;
  /// out (a × n) = G + M Xᵀ, or M Xᵀ.
  void adjoint(std::span<const double> multipliers, bool with_gradient, MatrixView<double> out) const;
  /// n × n blocks Σ_{j∈Λ_i} x_j x_jᵀ, one under the other: AᵀA.
  Matrix<double> blocks() const;

 private:
  MatrixView<const float> signals_;
  const ZeroPattern& pattern_;
  const Context& context_;
};

}  // namespace parsimony::operators
