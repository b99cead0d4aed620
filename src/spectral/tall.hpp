// Products of tall matrices: N rows, some hundred columns.
#pragma once

#include <cstdint>

#include "parsimony/core/context.hpp"
#include "parsimony/core/matrix.hpp"

namespace parsimony::spectral {

/// aᵀ b in float64, for float32 matrices of equally many rows: a.cols × b.cols. Blocks of rows are added in
/// their order. O(N · a.cols · b.cols).
Matrix<double> gram(MatrixView<const float> a, MatrixView<const float> b, const Context& context);

/// The last columns of `basis`, as many as `factors` has, become basis · factors (basis.cols × c), in place
/// and row by row; sums are float32. O(N · basis.cols · c).
void multiply_in_place(MatrixView<float> basis, MatrixView<const double> factors, const Context& context);

}  // namespace parsimony::spectral
