// Options of the optimizer and of its learning rate.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <utility>

#include "parsimony/core/options.hpp"

namespace parsimony::train {

enum class OptimizerKind {
  sgd,   ///< stochastic gradient descent with momentum, plain or Nesterov's; usual for convolutional networks
  adamw  ///< Adam with decoupled weight decay [loshchilov2019decoupled]; usual for Transformers
};

constexpr auto names_of(OptimizerKind) {
  using enum OptimizerKind;
  return enum_names<OptimizerKind>({{sgd, "sgd"}, {adamw, "adamw"}});
}

/// Shape of the learning rate from the end of the warm-up to the last step; all but constant end at 0.
enum class RateDecay { constant, linear, cosine };

constexpr auto names_of(RateDecay) {
  using enum RateDecay;
  return enum_names<RateDecay>({{constant, "constant"}, {linear, "linear"}, {cosine, "cosine"}});
}

struct OptimizationOptions {
  std::int64_t steps = 0;  ///< steps of the optimizer; 0: as many as `epochs` needs
  double epochs = 1;       ///< passes over the examples, if steps is 0
  OptimizerKind optimizer = OptimizerKind::sgd;
  double learning_rate =
      0.1;  ///< highest rate; about 0.1 for sgd, 1e-3 for adamw; lower it if the loss diverges
  /// Multiplies the rate of each weight and each codebook by its root mean square [shazeer2018adafactor];
  /// biases and norms keep the rate. Set it with adamw where the weights of some layers are much smaller than
  /// those of others, such as a classifier beside filters that normalize_filters made large.
  bool relative_rates = false;
  std::int64_t warmup_steps = 0;  ///< steps in which the rate rises from 0; set it if the first steps diverge
  RateDecay decay = RateDecay::cosine;
  double momentum = 0.9;                              ///< sgd only
  bool nesterov = true;                               ///< sgd only
  double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;  ///< adamw only
  double weight_decay = 0;  ///< decay of tensors with two or more dimensions; biases and norms have none
  double clip_norm = 0;     ///< largest norm of all gradients together; 0: no limit
};

template <OptionsOf<OptimizationOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(Field{"steps", "steps of the optimizer; 0: as many as epochs needs", 0, 1e12}, options.steps);
  visit(Field{"epochs", "passes over the examples, if steps is 0", 0, 1e9}, options.epochs);
  visit(Field{"optimizer", "optimizer: sgd or adamw"}, options.optimizer);
  visit(Field{"learning_rate", "highest learning rate; lower it if the loss diverges", 0, 1e6},
        options.learning_rate);
  visit(Field{"relative_rates", "multiply the rate of each weight and codebook by its root mean square"},
        options.relative_rates);
  visit(Field{"warmup_steps", "steps in which the rate rises from 0; raise them if the first steps diverge",
              0, 1e12},
        options.warmup_steps);
  visit(Field{"decay", "shape of the rate after the warm-up"}, options.decay);
  visit(Field{"momentum", "momentum of sgd", 0, 0.999999}, options.momentum);
  visit(Field{"nesterov", "use Nesterov's momentum with sgd"}, options.nesterov);
  visit(Field{"beta1", "decay of the mean of gradients (adamw)", 0, 0.999999}, options.beta1);
  visit(Field{"beta2", "decay of the mean of squared gradients (adamw)", 0, 0.999999}, options.beta2);
  visit(Field{"epsilon", "added to the root of the mean of squares (adamw)", 0, 1}, options.epsilon);
  visit(Field{"weight_decay", "weight decay of tensors with two or more dimensions", 0, 1e6},
        options.weight_decay);
  visit(Field{"clip_norm", "largest norm of all gradients together; 0: no limit", 0, 1e12},
        options.clip_norm);
}

/// options.steps, or if that is 0 the steps of `epochs` passes over the examples.
std::int64_t planned_steps(const OptimizationOptions& options, std::int64_t examples,
                           std::int64_t batch_size);

/// Learning rate at a step in [0, steps): min(1, (step + 1) / warmup_steps) times the decayed rate, which
/// reaches 0 at `steps` unless it is constant.
double learning_rate(const OptimizationOptions& options, std::int64_t step, std::int64_t steps);

}  // namespace parsimony::train
