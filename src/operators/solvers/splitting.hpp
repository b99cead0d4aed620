// The iteration of Douglas and Rachford on a block of signals that stays in the cache.
#pragma once

#include <cstdint>

#include "parsimony/core/matrix.hpp"

namespace parsimony::operators {

inline constexpr std::int64_t kSignalsPerSplitting = 64;

/// The matrices that all blocks of one operator share, padded as kernels/outer_products needs them.
template <class T>
class Splitting {
 public:
  /// gamma = 0: chosen from the frame bounds.
  Splitting(MatrixView<const double> omega, double lambda, double gamma = 0);

  struct Gap {
    double objective = 0;  ///< at the signals that the dual gives
    double gap = 0;        ///< bound of its excess over the minimum
  };

  double gamma() const { return gamma_; }

  /// Iterations on a block: y is cols × 64 (a signal a column), b the scaled dual, padded_rows() × 64, which
  /// begins anywhere and is changed. x, padded_cols() × 64, begins and ends as the signals of the iteration.
  void iterate(const T* y, T* b, T* x, int iterations);

  /// Computes x = Y − Ωᵀ(γ B) / λ, its objective and its gap.
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
  Matrix<T> anchor_, coefficients_, reflected_;  // work space of the current block
};

}  // namespace parsimony::operators
