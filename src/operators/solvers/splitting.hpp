// The iteration of Douglas and Rachford on a block of signals that stays in the cache.
#pragma once

#include <cstdint>

#include "parsimony/core/matrix.hpp"

namespace parsimony::operators {

inline constexpr std::int64_t kSignalsPerSplitting = 64;

/// What the blocks of one operator share: its products, padded as kernels/outer_products wants them.
template <class T>
class Splitting {
 public:
  /// gamma = 0: automatic.
  Splitting(MatrixView<const double> omega, double lambda, double gamma = 0);

  struct Gap {
    double objective = 0;  ///< of the signals that the dual gives
    double gap = 0;        ///< by which it is at most too large
  };

  std::int64_t rows() const { return rows_; }
  std::int64_t cols() const { return cols_; }
  double gamma() const { return gamma_; }

  /// Iterations on a block: y is cols × 64 (a signal a column), b the scaled dual, padded_rows() × 64, which
  /// begins anywhere and is changed. x, padded_cols() × 64, begins and ends as the signals of the iteration.
  void iterate(const T* y, T* b, T* x, int iterations);

  /// x = Y − Ωᵀ(γ B) / λ and how good it is.
  Gap finish(const T* y, const T* b, T* x);

  std::int64_t padded_rows() const { return padded_rows_; }
  std::int64_t padded_cols() const { return padded_cols_; }

 private:
  std::int64_t rows_, cols_, padded_rows_, padded_cols_;
  double lambda_, gamma_;
  Matrix<T> analysis_;                           // cols × padded_rows: Ωᵀ
  Matrix<T> adjoint_;                            // rows × padded_cols: Ω
  Matrix<T> synthesis_;                          // rows × padded_cols: γ Ω (λ I + γ ΩᵀΩ)⁻¹
  Matrix<T> fidelity_;                           // cols × padded_cols: λ (λ I + γ ΩᵀΩ)⁻¹
  Matrix<T> anchor_, coefficients_, reflected_;  // of the block at work
};

}  // namespace parsimony::operators
