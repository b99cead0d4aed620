// ‖Ω X‖₁ and its subgradient sgn(Ω X) Xᵀ, without the coefficients Ω X of all signals.
#pragma once

#include <cstdint>

#include "parsimony/core/context.hpp"
#include "parsimony/core/matrix.hpp"

namespace parsimony::operators {

/// Keeps the signals as the products want them, twice: 8 bytes per value.
class L1Analysis {
 public:
  explicit L1Analysis(MatrixView<const float> signals);

  std::int64_t samples() const { return samples_; }
  std::int64_t cols() const { return cols_; }

  /// The objective; where gradient (a × n) is not null, it too. Coefficients in float32, a block of signals
  /// at a time; sums in float64, in the order of the blocks. 4 · a · n · samples flops.
  double evaluate(MatrixView<const double> omega, Matrix<double>* gradient, const Context& context) const;

 private:
  std::int64_t samples_, cols_, padded_cols_;
  Matrix<float> signals_;     // whole blocks of rows, padded columns
  Matrix<float> transposed_;  // of every block: cols × kSignalsPerProduct
};

}  // namespace parsimony::operators
