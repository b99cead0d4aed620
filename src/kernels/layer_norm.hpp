// Layer normalization of a sum, as after each part of a Transformer [ba2016layer].
#pragma once

#include <cstdint>

namespace parsimony::kernels {

/// The scale and shift of a layer norm: `count` values each.
struct LayerNorm {
  const float* weight = nullptr;
  const float* bias = nullptr;
  std::int64_t count = 0;
  float epsilon = 0;  ///< added to the variance
};

/// x = (x + y − mean) / √(variance + epsilon) · weight + bias over `count` ≥ 1 values; y may be nullptr. No
/// pointer needs alignment.
void layer_norm(float* x, const float* y, const LayerNorm& norm);

/// The same in plain C++, as a reference for tests.
void layer_norm_scalar(float* x, const float* y, const LayerNorm& norm);

}  // namespace parsimony::kernels
