// The span of the rows of an operator; operators with a null space are tested within this span.
#pragma once

#include "core/linear_algebra/decompositions.hpp"
#include "operators/frames/eigen_map.hpp"

namespace parsimony::operators {

/// An orthonormal basis, n × r, of the span of the rows; the identity where they span everything.
inline RowMajor span_of_rows(MatrixView<const double> omega) {
  constexpr double kNullSpace = 1e-10;  // relative eigenvalue of ΩᵀΩ below which a direction is lost
  const auto w = as_eigen(omega);
  const Eigen::SelfAdjointEigenSolver<RowMajor> solver(RowMajor(w.transpose() * w));
  const double least = kNullSpace * solver.eigenvalues().tail(1)[0];
  const auto rank = (solver.eigenvalues().array() > least).count();
  if (rank == omega.cols || rank == 0) return RowMajor::Identity(omega.cols, omega.cols);
  return solver.eigenvectors().rightCols(rank);
}

/// Whether every row has mean 0, to rounding.
inline bool is_zero_mean(MatrixView<const double> omega) {
  const auto w = as_eigen(omega);
  return w.rowwise().sum().norm() <= 1e-6 * w.norm();
}

/// Whether there are at least as many rows as values, or one less where every row has mean 0.
inline bool has_enough_rows(MatrixView<const double> omega) {
  return omega.cols >= 1 && omega.rows >= omega.cols - (is_zero_mean(omega) ? 1 : 0);
}

}  // namespace parsimony::operators
