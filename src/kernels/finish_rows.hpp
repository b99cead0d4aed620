// The end of a convolution: batch norm, activation and the input of the block, added.
#pragma once

#include <cstdint>

#include "kernels/activation.hpp"

namespace parsimony::kernels {

/// Rows of `finish_rows` are padded to a multiple of this.
inline constexpr std::int64_t kFinishPadding = 16;

struct Finish {
  const float* factor = nullptr;  ///< one per column; nullptr: 1
  const float* bias = nullptr;    ///< one per column; nullptr: 0
  Activation activation = Activation::none;
};

/// y[r, c] = activation(x[r, c] · factor[c] + bias[c]) + add[r, c] for c < columns, a multiple of 16. add may
/// be nullptr. y may be x or add; otherwise it must not overlap them. No pointer needs alignment. The sigmoid
/// has an error below 3e-7, and SiLU below 4e-7 · max(1, |x|).
void finish_rows(const float* x, std::int64_t x_stride, std::int64_t rows, std::int64_t columns,
                 const Finish& finish, const float* add, std::int64_t add_stride, float* y,
                 std::int64_t y_stride);

/// The same in plain C++, as a reference for tests.
void finish_rows_scalar(const float* x, std::int64_t x_stride, std::int64_t rows, std::int64_t columns,
                        const Finish& finish, const float* add, std::int64_t add_stride, float* y,
                        std::int64_t y_stride);

}  // namespace parsimony::kernels
