#include "train/optimizer.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace parsimony::train {
namespace {

using torch::optim::OptimizerParamGroup;

// The size that a weight of zeros counts as; otherwise it would never change.
constexpr double kSmallestSize = 1e-3;

template <class Optimizer, class Options>
std::unique_ptr<torch::optim::Optimizer> make(const Options& options, bool relative,
                                              const std::vector<torch::Tensor>& decayed,
                                              const std::vector<torch::Tensor>& others) {
  Options plain = options;
  plain.weight_decay(0);
  std::vector<OptimizerParamGroup> groups;
  const auto add = [&](const std::vector<torch::Tensor>& tensors, const Options& own) {
    std::vector<torch::Tensor> together;
    for (const torch::Tensor& tensor : tensors) {
      if (relative && tensor.dim() > 1) {
        groups.emplace_back(std::vector<torch::Tensor>{tensor}, std::make_unique<Options>(own));
      } else {
        together.push_back(tensor);
      }
    }
    groups.emplace_back(std::move(together), std::make_unique<Options>(own));
  };
  add(decayed, options);
  add(others, plain);
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
                                                        const std::vector<torch::Tensor>& decayed,
                                                        const std::vector<torch::Tensor>& others) {
  const bool relative = options.relative_rates;
  if (options.optimizer == OptimizerKind::adamw) {
    return make<torch::optim::AdamW>(torch::optim::AdamWOptions(options.learning_rate)
                                         .betas({options.beta1, options.beta2})
                                         .eps(options.epsilon)
                                         .weight_decay(options.weight_decay),
                                     relative, decayed, others);
  }
  return make<torch::optim::SGD>(torch::optim::SGDOptions(options.learning_rate)
                                     .momentum(options.momentum)
                                     .nesterov(options.nesterov && options.momentum > 0)
                                     .weight_decay(options.weight_decay),
                                 relative, decayed, others);
}

void set_learning_rate(torch::optim::Optimizer& optimizer, double rate, bool relative) {
  const torch::NoGradGuard no_gradient;
  for (OptimizerParamGroup& group : optimizer.param_groups()) {
    const bool of_one = relative && group.params().size() == 1 && group.params().front().dim() > 1;
    const double size = of_one ? group.params().front().square().mean().sqrt().item<double>() : 1;
    group.options().set_lr(rate * std::max(size, kSmallestSize));
  }
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
