// A float weight as the quantizers take it.
#pragma once

#include <cstdint>
#include <span>

namespace parsimony::quant {

/// Values in C order, outputs first. A linear layer or an embedding is 2-D; convolutions are 3-D to 5-D
/// (outputs, input channels of a group, kernel).
struct WeightView {
  std::span<const float> values;
  std::span<const std::int64_t> shape;

  /// Weight of each squared error, at least 0, in any unit. Empty: all count the same. One
  /// number per input channel (shape[1]), per value of an output, or per value of the weight. Give the second
  /// moment E[x²] of each channel of the layer's input, and the error becomes that of the layer's outputs
  /// (for independent inputs). A convolution in groups, whose outputs see different channels, needs one
  /// number per value of the weight.
  std::span<const float> importance = {};

  /// Order of the input channels; for products only. Position p holds input channel [p]; a permutation of
  /// 0..shape[1] − 1, applied within each group of a convolution. Empty: the order stays.
  std::span<const std::int32_t> channel_permutation = {};
};

}  // namespace parsimony::quant
