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
/// step.
std::unique_ptr<torch::optim::Optimizer> make_optimizer(const OptimizationOptions& options,
                                                        std::vector<torch::Tensor> decayed,
                                                        std::vector<torch::Tensor> others);

void set_learning_rate(torch::optim::Optimizer& optimizer, double rate);

}  // namespace parsimony::train
