// Replaces a tensor in the forward pass and passes its gradient straight through.
#pragma once

#include <torch/torch.h>

namespace parsimony::train {

/// The result equals `value` bit by bit; its gradient is passed to `weight`.
struct StraightThrough : torch::autograd::Function<StraightThrough> {
  static torch::Tensor forward(torch::autograd::AutogradContext*, const torch::Tensor& /*weight*/,
                               const torch::Tensor* value) {
    return *value;
  }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext*,
                                                 torch::autograd::variable_list gradients) {
    return {gradients[0], torch::Tensor()};
  }
};

}  // namespace parsimony::train
