// What layers read, in integers where the model is told so.
#pragma once

#include <torch/torch.h>

#include <string>
#include <string_view>

#include "parsimony/train/integer_activation.hpp"

namespace parsimony::models {

/// What the name of a range ends with; files of float networks have none.
constexpr std::string_view kInputRange = "_input.range";

/// Of a layer of the model, or of those that read the same; none with bits 0.
inline train::IntegerActivation add_input(torch::nn::Module& model, const std::string& layer, int bits) {
  if (bits == 0) return nullptr;
  return model.register_module(layer + "_input", train::IntegerActivation(bits));
}

inline torch::Tensor quantize_input(train::IntegerActivation& input, const torch::Tensor& x) {
  return input.is_empty() ? x : input(x);
}

}  // namespace parsimony::models
