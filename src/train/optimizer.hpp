// Optimizers of LibTorch, as options say.
#pragma once

#include <torch/torch.h>

#include <memory>
#include <vector>

#include "parsimony/train/optimization.hpp"

namespace parsimony::train {

/// Those with gradients, each once though several layers may share it.
std::vector<torch::Tensor> trained_parameters(const torch::nn::Module& model);

/// Of all these leaves; weight decay is for those of decayed alone. Its rate is set step by step.
std::unique_ptr<torch::optim::Optimizer> make_optimizer(const OptimizationOptions& options,
                                                        std::vector<torch::Tensor> decayed,
                                                        std::vector<torch::Tensor> others);

void set_learning_rate(torch::optim::Optimizer& optimizer, double rate);

}  // namespace parsimony::train
