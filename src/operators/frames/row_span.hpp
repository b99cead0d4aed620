// What the rows of an operator see: operators with a null space are tested within it.
#pragma once

#include <Eigen/Eigenvalues>

#include "operators/frames/eigen_map.hpp"

namespace parsimony::operators {

/// An orthonormal basis, n × r, of what the rows span; the identity where that is everything.
inline RowMajor span_of_rows(MatrixView<const double> omega) {
  constexpr double kNullSpace = 1e-10;  // of the largest eigenvalue of ΩᵀΩ, below which a direction is in it
  const auto w = as_eigen(omega);
  const Eigen::SelfAdjointEigenSolver<RowMajor> solver(RowMajor(w.transpose() * w));
  const double least = kNullSpace * solver.eigenvalues().tail(1)[0];
  const auto rank = (solver.eigenvalues().array() > least).count();
  if (rank == omega.cols || rank == 0) return RowMajor::Identity(omega.cols, omega.cols);
  return solver.eigenvectors().rightCols(rank);
}

inline bool is_zero_mean(MatrixView<const double> omega) {
  const auto w = as_eigen(omega);
  return w.rowwise().sum().norm() <= 1e-6 * w.norm();
}

/// At least as many rows as values, or one less where no row has a mean.
inline bool has_enough_rows(MatrixView<const double> omega) {
  return omega.cols >= 1 && omega.rows >= omega.cols - (is_zero_mean(omega) ? 1 : 0);
}

}  // namespace parsimony::operators
