// Rounding of the inputs of layers, if the model has activation_bits.
#pragma once

#include <torch/torch.h>

#include <string>
#include <string_view>

#include "parsimony/train/integer_activation.hpp"

namespace parsimony::models {

/// Suffix of the names of ranges; files of float networks have none.
constexpr std::string_view kInputRange = "_input.range";

/// Rounds the input of one layer, or of several that read the same; empty if bits is 0.
inline train::IntegerActivation add_input(torch::nn::Module& model, const std::string& layer, int bits) {
  if (bits == 0) return nullptr;
  return model.register_module(layer + "_input", train::IntegerActivation(bits));
}

inline torch::Tensor quantize_input(train::IntegerActivation& input, const torch::Tensor& x) {
  return input.is_empty() ? x : input(x);
}

}  // namespace parsimony::models
