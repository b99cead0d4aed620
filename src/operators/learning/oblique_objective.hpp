// The objective of learning an operator of unit rows, as a smooth function of rows of any norm.
#pragma once

#include <cstdint>
#include <span>

#include "parsimony/core/context.hpp"
#include "parsimony/core/matrix.hpp"

namespace parsimony::operators {

struct ObliqueWeights {
  double nu = 0;  ///< in the units of the samples
  double kappa = 0;
  double mu = 0;
};

/// −kappa/(m ln m) log det(WᵀW) − 2mu/(a² − a) Σ_{i≠j} log(1 − <w_i, w_j>²), W: a × m of unit rows,
/// contiguous (m = 1: no determinant, a = 1: no coherence); the derivative by W is added to gradient. NaN
/// where the rank is lost or two rows are equal. O(a² m + m³).
double frame_penalties(const Matrix<double>& w, const ObliqueWeights& weights, Matrix<double>& gradient);

/// The objective for samples l × n and variables U (a × m, rows of any norm but 0). W is U with its rows
/// normalised; Ω = W Bᵀ with a basis B (n × m, orthonormal columns), or Ω = W where the basis has no rows:
///
///   1/(m l) Σ_s Σ_i log(1 + nu <Ω_i, x_s>²) + frame_penalties(W)
///
/// T is the type that coefficients are computed in.
template <class T>
class ObliqueObjective {
 public:
  ObliqueObjective(MatrixView<const T> samples, std::int64_t rows, MatrixView<const double> basis,
                   const Context& context);

  ObliqueWeights weights;
  MatrixView<const T> samples;

  /// a × m values of U, a × m derivatives.
  double operator()(std::span<const double> u, std::span<double> gradient);
  /// Ω of U.
  Matrix<double> analysis(std::span<const double> u);

 private:
  double normalize(std::span<const double> u);

  std::int64_t rows_, dimension_;
  Matrix<double> basis_, transposed_basis_;  // n × m and m × n, padded; empty: m = n
  Matrix<double> w_, w_gradient_, slopes_;
  std::vector<double> norms_;
  const Context& context_;
};

}  // namespace parsimony::operators
