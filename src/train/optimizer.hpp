// Makes LibTorch optimizers from options.
#pragma once

#include <torch/torch.h>

#include <memory>
#include <vector>

#include "parsimony/train/optimization.hpp"

namespace parsimony::train {

/// Parameters with gradients, each once even if several layers share it.
std::vector<torch::Tensor> trained_parameters(const torch::nn::Module& model);

/// An optimizer of all these tensors with weight decay for `decayed` alone. Set its learning rate before each
/// step. With relative_rates each tensor of two or more dimensions is a group of its own.
std::unique_ptr<torch::optim::Optimizer> make_optimizer(const OptimizationOptions& options,
                                                        const std::vector<torch::Tensor>& decayed,
                                                        const std::vector<torch::Tensor>& others);

/// relative: multiplies the rate of each tensor of two or more dimensions by its root mean square, and needs
/// an optimizer that was made with relative_rates.
void set_learning_rate(torch::optim::Optimizer& optimizer, double rate, bool relative);

}  // namespace parsimony::train
