#include "train/optimizer.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace parsimony::train {
namespace {

using torch::optim::OptimizerParamGroup;

template <class Optimizer, class Options>
std::unique_ptr<torch::optim::Optimizer> make(const Options& options, std::vector<torch::Tensor> decayed,
                                              std::vector<torch::Tensor> others) {
  Options plain = options;
  plain.weight_decay(0);
  std::vector<OptimizerParamGroup> groups;
  groups.emplace_back(std::move(decayed), std::make_unique<Options>(options));
  groups.emplace_back(std::move(others), std::make_unique<Options>(plain));
  return std::make_unique<Optimizer>(std::move(groups), options);
}

}  // namespace

std::vector<torch::Tensor> trained_parameters(const torch::nn::Module& model) {
  std::vector<torch::Tensor> out;
  for (const torch::Tensor& p : model.parameters()) {
    const auto same = [&](const torch::Tensor& other) { return other.is_same(p); };
    if (p.requires_grad() && std::none_of(out.begin(), out.end(), same)) out.push_back(p);
  }
  return out;
}

std::unique_ptr<torch::optim::Optimizer> make_optimizer(const OptimizationOptions& options,
                                                        std::vector<torch::Tensor> decayed,
                                                        std::vector<torch::Tensor> others) {
  if (options.optimizer == OptimizerKind::adamw) {
    return make<torch::optim::AdamW>(torch::optim::AdamWOptions(options.learning_rate)
                                         .betas({options.beta1, options.beta2})
                                         .eps(options.epsilon)
                                         .weight_decay(options.weight_decay),
                                     std::move(decayed), std::move(others));
  }
  return make<torch::optim::SGD>(torch::optim::SGDOptions(options.learning_rate)
                                     .momentum(options.momentum)
                                     .nesterov(options.nesterov && options.momentum > 0)
                                     .weight_decay(options.weight_decay),
                                 std::move(decayed), std::move(others));
}

void set_learning_rate(torch::optim::Optimizer& optimizer, double rate) {
  for (OptimizerParamGroup& group : optimizer.param_groups()) group.options().set_lr(rate);
}

std::int64_t planned_steps(const OptimizationOptions& options, std::int64_t examples,
                           std::int64_t batch_size) {
  if (options.steps > 0) return options.steps;
  return static_cast<std::int64_t>(
      std::ceil(options.epochs * static_cast<double>(examples) / static_cast<double>(batch_size)));
}

double learning_rate(const OptimizationOptions& options, std::int64_t step, std::int64_t steps) {
  const auto warmup = static_cast<double>(options.warmup_steps);
  const double rise = options.warmup_steps > 0 ? std::min(1.0, static_cast<double>(step + 1) / warmup) : 1;
  const double length = std::max(1.0, static_cast<double>(steps) - warmup);
  const double part = std::clamp((static_cast<double>(step) - warmup) / length, 0.0, 1.0);
  double left = 1;
  if (options.decay == RateDecay::linear) left = 1 - part;
  if (options.decay == RateDecay::cosine) left = (1 + std::cos(std::numbers::pi * part)) / 2;
  return options.learning_rate * rise * left;
}

}  // namespace parsimony::train
