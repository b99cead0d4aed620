// ‖Ω X‖₁ and its subgradient sgn(Ω X) Xᵀ, without the coefficients Ω X of all signals.
#pragma once

#include <cstdint>

#include "parsimony/core/context.hpp"
#include "parsimony/core/matrix.hpp"

namespace parsimony::operators {

/// Keeps two copies of the signals in the layouts of the products: 8 bytes per value.
class L1Analysis {
 public:
  explicit L1Analysis(MatrixView<const float> signals);

  /// Returns the objective and writes gradient (a × n) where it is not null. Coefficients are float32,
  /// computed block by block; sums are float64, in the order of the blocks. 4 · a · n · samples flops.
  double evaluate(MatrixView<const double> omega, Matrix<double>* gradient, const Context& context) const;

 private:
  std::int64_t samples_, cols_, padded_cols_;
  Matrix<float> signals_;     // whole blocks of rows, padded columns
  Matrix<float> transposed_;  // block by block, each cols × kSignalsPerProduct
};

}  // namespace parsimony::operators
