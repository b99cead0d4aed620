// Operators with rows of norm 1, as images and signals are denoised with them.
#pragma once

#include <fmt/format.h>

#include <cmath>

#include "parsimony/core/error.hpp"
#include "parsimony/core/matrix.hpp"

namespace parsimony::operators {

/// The operator with its rows scaled to norm 1. Throws invalid_argument, naming the row, for rows of zeros
/// and values that are not finite.
inline Matrix<double> unit_rows(MatrixView<const double> omega) {
  Matrix<double> out(omega.rows, omega.cols);
  for (std::int64_t i = 0; i < omega.rows; ++i) {
    double squares = 0;
    for (const double value : omega.row(i)) squares += value * value;
    if (!(squares > 0) || !std::isfinite(squares)) {
      refuse(fmt::format("operator: row {} is 0 or not finite; each must have a direction", i));
    }
    for (std::int64_t k = 0; k < omega.cols; ++k) out(i, k) = omega(i, k) / std::sqrt(squares);
  }
  return out;
}

}  // namespace parsimony::operators
