// The tangent space of the manifold of unit-norm tight frames at a given frame.
#pragma once

#include <cstdint>
#include <vector>

#include "parsimony/core/matrix.hpp"

namespace parsimony::operators {

/// T = {Δ : ΩᵀΔ + ΔᵀΩ = 0, ⟨δ_i, w_i⟩ = 0 for all i} at a UNTF Ω (a × n, ΩᵀΩ = I, every ‖w_i‖² = n / a).
///
/// The orthogonal complement of T consists of the matrices ΩS + DΩ, S symmetric, D diagonal. The part of V
/// outside T has S = sym(ΩᵀV) − ΩᵀDΩ, and D solves the a equations (n/a I − K) d = r with K_ik = ⟨w_i, w_k⟩²,
/// r_i = ⟨v_i, w_i⟩ − w_iᵀ sym(ΩᵀV) w_i, so no basis of T is formed. n/a I − K has one null vector for each
/// part into which the operator is orthodecomposable, (1, …, 1) on that part. With more than one part, T is
/// larger than the set of directions that stay on the manifold, which has a singular point there.
///
/// The constructor takes O(a³ + a² n) time and keeps a² + a n numbers; a projection takes O(a n² + a²).
class TangentSpace {
 public:
  /// Throws invalid_argument when a < n, a value is not finite or Ω is not a UNTF to 1e-9.
  explicit TangentSpace(MatrixView<const double> analysis_operator);

  std::int64_t rows() const { return omega_.rows(); }
  std::int64_t cols() const { return omega_.cols(); }
  /// Number of parts into which Ω is orthodecomposable: 1 for almost every operator with a > n.
  std::int64_t parts() const { return parts_; }
  /// a n − n (n + 1) / 2 − a + parts.
  std::int64_t dimension() const { return cols() * rows() - cols() * (cols() + 1) / 2 - rows() + parts_; }

  /// Least eigenvalue of n/a I − K apart from the null vectors; infinite where there is none.
  double stiffness() const { return stiffness_; }
  /// For another UNTF Ω + Δ, the part of Δ outside T is at most this times ‖Δ‖_F². With E = −½ΔᵀΔ and e_i =
  /// −½‖δ_i‖² its square is ‖E‖² + rᵀ(n/a I − K)⁺r, r_i = e_i − w_iᵀEw_i, and ‖r‖ ≤ ½(1 + √(n/a))‖Δ‖². The
  /// bound is exact at any distance: no series is cut off.
  double bending() const;

  struct Normal {
    Matrix<double> symmetric;      ///< S, n × n
    std::vector<double> diagonal;  ///< D, a values
  };
  /// V ← P_T V for V of a × n. Returns the S and D of the part taken away, ΩS + DΩ.
  Normal project(MatrixView<double> v) const;

 private:
  Matrix<double> omega_;
  Matrix<double> inverse_;  // pseudo-inverse of n/a I − K
  std::int64_t parts_ = 0;
  double stiffness_ = 0;
};

}  // namespace parsimony::operators
