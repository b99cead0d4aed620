// The functions that follow a convolution.
#pragma once

namespace parsimony::kernels {

enum class Activation {
  none,
  relu6,    ///< min(max(x, 0), 6)
  silu,     ///< x / (1 + exp(−x))
  sigmoid,  ///< 1 / (1 + exp(−x))
};

/// The value for one number, in plain C++, as a reference for tests.
float activate_scalar(Activation activation, float x);

}  // namespace parsimony::kernels
