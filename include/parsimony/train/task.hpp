// A task: a network with its data. The interface between the training loop and the networks.
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

/// A model, its training examples and its evaluation.
class Task {
 public:
  virtual ~Task() = default;

  virtual torch::nn::Module& model() = 0;

  /// Number of training examples.
  virtual std::int64_t examples() const = 0;

  /// These examples as a batch, or as the part of one that begins at position first. Augmentation depends on
  /// (seed, step, position in the whole batch) alone.
  virtual Batch batch(std::span<const std::int64_t> examples, std::uint64_t seed, std::int64_t step,
                      std::int64_t first) const = 0;

  /// Logits of the model: … × classes, with the leading dimensions of the targets.
  virtual torch::Tensor forward(const torch::Tensor& inputs) = 0;

  /// Evaluates the model, in evaluation mode, on held-out data: figures by name ("accuracy", "perplexity").
  virtual std::map<std::string, double> evaluate(const Context& context = Context{}) = 0;
};

}  // namespace parsimony::train
