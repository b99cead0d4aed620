// Views of matrices as Eigen maps, without a copy.
#pragma once

#include <Eigen/Core>

#include "parsimony/core/matrix.hpp"

namespace parsimony::operators {

using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

inline Eigen::Map<RowMajor, 0, Eigen::OuterStride<>> as_eigen(MatrixView<double> matrix) {
  return {matrix.data, matrix.rows, matrix.cols, Eigen::OuterStride<>(matrix.stride)};
}

inline Eigen::Map<const RowMajor, 0, Eigen::OuterStride<>> as_eigen(MatrixView<const double> matrix) {
  return {matrix.data, matrix.rows, matrix.cols, Eigen::OuterStride<>(matrix.stride)};
}

}  // namespace parsimony::operators
