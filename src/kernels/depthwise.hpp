// Depthwise convolutions on pixels with their channels side by side.
#pragma once

#include <cstdint>

#include "kernels/activation.hpp"

namespace parsimony::kernels {

/// Channels of a depthwise convolution are padded to a multiple of this.
inline constexpr std::int64_t kDepthwisePadding = 16;

struct Depthwise {
  std::int64_t kernel = 3;    ///< 3 or 5
  std::int64_t stride = 1;    ///< 1 or 2
  std::int64_t channels = 0;  ///< a multiple of 16
  const float* weights =
      nullptr;  ///< channel c at offset (u, v): weights[(u · kernel + v) · weight_stride + c]
  std::int64_t weight_stride = 0;
  const float* bias = nullptr;  ///< one per channel
  Activation activation = Activation::none;
};

/// A row of outputs: y[j · y_pixel + c] = activation(bias[c] + Σ_{u,v} weight[u, v, c] · x[u · x_row + (j ·
/// stride + v) · x_pixel + c]) for j < outputs. Unless sums is nullptr, sums[c] += Σ_j y[j · y_pixel + c].
/// The caller has put the zeros of the border around x. Nothing may overlap; no pointer needs alignment. The
/// sums run in the order of (u, v), and from left to right.
///
/// Limit: multiply-adds, kernel² for each value, with a load of x each; those of the weights are shared by 4
/// or 8 outputs.
void depthwise_row(const Depthwise& layer, const float* x, std::int64_t x_row, std::int64_t x_pixel,
                   std::int64_t outputs, float* y, std::int64_t y_pixel, float* sums);

/// The same in plain C++, as a reference for tests.
void depthwise_row_scalar(const Depthwise& layer, const float* x, std::int64_t x_row, std::int64_t x_pixel,
                          std::int64_t outputs, float* y, std::int64_t y_pixel, float* sums);

}  // namespace parsimony::kernels
