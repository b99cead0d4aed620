// What is learned from what: the seam between the training loop and networks with their data.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <map>
#include <span>
#include <string>

#include "parsimony/core/context.hpp"

namespace parsimony::train {

struct Batch {
  torch::Tensor inputs, targets;
};

/// A model, what it is trained on and what it is judged by.
class Task {
 public:
  virtual ~Task() = default;

  virtual torch::nn::Module& model() = 0;

  /// Training examples, numbered from 0.
  virtual std::int64_t examples() const = 0;

  /// These examples, augmented by draws of (seed, step, place in the batch) alone.
  virtual Batch batch(std::span<const std::int64_t> examples, std::uint64_t seed,
                      std::int64_t step) const = 0;

  /// Logits of the model, … × classes, whose leading dimensions are those of the targets.
  virtual torch::Tensor forward(const torch::Tensor& inputs) = 0;

  /// The model in evaluation mode on what is held out: figures by name ("accuracy", "perplexity").
  virtual std::map<std::string, double> evaluate(const Context& context = Context{}) = 0;
};

}  // namespace parsimony::train
