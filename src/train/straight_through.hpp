// A tensor in place of another, whose gradient it passes on.
#pragma once

#include <torch/torch.h>

namespace parsimony::train {

/// value where weight was: bit by bit value, with the gradient of weight.
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
