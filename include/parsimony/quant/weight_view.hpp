// A float weight on its way into codes.
#pragma once

#include <cstdint>
#include <span>

namespace parsimony::quant {

/// Values in C order, outputs first: a linear layer or an embedding 2-D, convolutions 3-D to 5-D (outputs,
/// input channels of a group, kernel). What is empty is not given.
struct WeightView {
  std::span<const float> values;
  std::span<const std::int64_t> shape;

  /// Of products: what a squared error counts, at least 0, in any unit. One value per input channel
  /// (shape[1]), per value of an output, or per value of the weight. The second moment E[x²] of a layer's
  /// input, per channel, makes the error that of the layer's outputs (of independent inputs). A grouped
  /// convolution, of which the outputs see different channels, needs one per value of the weight.
  std::span<const float> importance = {};

  /// Of products: position p holds input channel [p]; a permutation of 0..shape[1] − 1. Of a grouped
  /// convolution: of the channels of every group.
  std::span<const std::int32_t> channel_permutation = {};
};

}  // namespace parsimony::quant
