// How much the relative error of a weight counts under a budget.
#pragma once

#include "parsimony/core/safetensors.hpp"

namespace parsimony::quant {

/// The factor of the relative error of the outputs of this layer in the sum that a budget minimizes: 1, and
///  - 8 for the stem of a convolutional network, whose error all layers inherit;
///  - 4 for depthwise convolutions, and for the projections that end the blocks of MobileNet and
///  EfficientNet;
///  - 1/8 for queries and keys of attention, whose products the softmax compares, and for embeddings of
///  positions;
///  - 1/4 for the output of attention; 1/2 for embeddings of words.
/// Found by role_of and by the names of PyTorch's libraries. The factors are those of noise of 1 % in one
/// layer at a time: its effect on the logits of EfficientNet-Lite0 and on the sentence vectors of MiniLM,
/// rounded to powers of two.
double error_share(const TensorInfo& weight);

}  // namespace parsimony::quant
