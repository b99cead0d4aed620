// Inner products of a few rows of floats with the rows of a matrix in the memory of a file.
#pragma once

#include <cstdint>

namespace parsimony::kernels {

enum class RowType { float32, float16, bfloat16 };

/// The rows of a matrix as a file has them, one after the other, at any address.
struct MatrixRows {
  const void* data = nullptr;
  RowType type = RowType::float32;
  std::int64_t columns = 0;
};

/// y[r · y_stride + o] = Σ_i x[r · x_stride + i] · row (first + o)[i] for `outputs` rows of the matrix and
/// `rows` of x. A result has 32 partial sums of floats, or fewer on narrow vectors. y must not overlap the
/// others.
///
/// Limit: the bytes of the matrix, which are read once for a row of x.
void row_dots(const MatrixRows& matrix, std::int64_t first, std::int64_t outputs, const float* x,
              std::int64_t x_stride, std::int64_t rows, float* y, std::int64_t y_stride);

/// The same in plain C++, as a reference for tests.
void row_dots_scalar(const MatrixRows& matrix, std::int64_t first, std::int64_t outputs, const float* x,
                     std::int64_t x_stride, std::int64_t rows, float* y, std::int64_t y_stride);

}  // namespace parsimony::kernels
