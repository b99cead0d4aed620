// How the steps of a training are made: the optimizer, and the rate that it learns with.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <utility>

#include "parsimony/core/options.hpp"

namespace parsimony::train {

enum class OptimizerKind {
  sgd,   ///< with momentum, Nesterov's or plain
  adamw  ///< Adam with decoupled weight decay [loshchilov2019decoupled]; without decay it is Adam
};

constexpr auto names_of(OptimizerKind) {
  using enum OptimizerKind;
  return enum_names<OptimizerKind>({{sgd, "sgd"}, {adamw, "adamw"}});
}

/// From the end of the warm-up to the last step.
enum class RateDecay { constant, linear, cosine };

constexpr auto names_of(RateDecay) {
  using enum RateDecay;
  return enum_names<RateDecay>({{constant, "constant"}, {linear, "linear"}, {cosine, "cosine"}});
}

struct OptimizationOptions {
  std::int64_t steps = 0;  ///< 0: as many as epochs says
  double epochs = 1;       ///< times that each example is seen
  OptimizerKind optimizer = OptimizerKind::sgd;
  double learning_rate = 0.1;
  std::int64_t warmup_steps = 0;  ///< over which the rate rises from 0
  RateDecay decay = RateDecay::cosine;
  double momentum = 0.9;                              ///< of sgd
  bool nesterov = true;                               ///< of sgd
  double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;  ///< of adamw
  double weight_decay = 0;  ///< of what has two dimensions or more: no bias, no norm
  double clip_norm = 0;     ///< the norm of all gradients at most; 0: whatever it is
};

template <OptionsOf<OptimizationOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(Field{"steps", "steps of the optimizer, 0: as many as epochs says", 0, 1e12}, options.steps);
  visit(Field{"epochs", "times that each example is seen", 0, 1e9}, options.epochs);
  visit(Field{"optimizer", "sgd or adamw"}, options.optimizer);
  visit(Field{"learning_rate", "rate that the schedule reaches", 0, 1e6}, options.learning_rate);
  visit(Field{"warmup_steps", "steps in which the rate rises from 0", 0, 1e12}, options.warmup_steps);
  visit(Field{"decay", "how the rate falls after the warm-up"}, options.decay);
  visit(Field{"momentum", "of sgd", 0, 0.999999}, options.momentum);
  visit(Field{"nesterov", "Nesterov's momentum, of sgd"}, options.nesterov);
  visit(Field{"beta1", "decay of the mean of gradients, of adamw", 0, 0.999999}, options.beta1);
  visit(Field{"beta2", "decay of the mean of their squares, of adamw", 0, 0.999999}, options.beta2);
  visit(Field{"epsilon", "added to the root of that mean, of adamw", 0, 1}, options.epsilon);
  visit(Field{"weight_decay", "of weights of two dimensions or more", 0, 1e6}, options.weight_decay);
  visit(Field{"clip_norm", "norm of the gradients at most, 0: any", 0, 1e12}, options.clip_norm);
}

/// Steps in which each example is seen `epochs` times, unless options say how many.
std::int64_t planned_steps(const OptimizationOptions& options, std::int64_t examples,
                           std::int64_t batch_size);

/// The rate of a step of [0, steps): min(1, (step + 1) / warmup_steps) of what decay says, which falls to 0
/// at `steps`.
double learning_rate(const OptimizationOptions& options, std::int64_t step, std::int64_t steps);

}  // namespace parsimony::train
