// A task: a network with its data. The interface between the training loop and the networks.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "parsimony/core/context.hpp"

namespace parsimony::train {

struct Batch {
  torch::Tensor inputs, targets;
};

/// The logits of a model, and the values between its layers.
struct Outputs {
  torch::Tensor logits;
  std::vector<torch::Tensor> states;  ///< one per layer, in their order; empty: the model does not tell them
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

  /// The same with the values between the layers, which a student can learn from a teacher.
  virtual Outputs forward_with_states(const torch::Tensor& inputs) { return {forward(inputs), {}}; }

  /// Mean loss of a batch: the cross-entropy of the logits and the targets. Override it where the logits of
  /// all classes cost more than the loss needs.
  ///
  /// A wish to stop can end a step of training in loss(), in forward() or in the backward pass. A resumed run
  /// makes this step anew. For that, train() brings back the buffers of the model, passes() and LibTorch's
  /// default generator of the CPU, and nothing else: a counter, a cache or another generator that these
  /// functions change, and on which results depend, must be a buffer of the model or follow from passes().
  virtual torch::Tensor loss(const Batch& batch);

  /// Blocks that pruning can leave out, such as the layers of a Transformer; 0: the model has none.
  virtual std::int64_t blocks() const { return 0; }

  /// A block of the model, 0 to blocks() − 1; all have layers of the same names. By it train() knows
  /// the layers that pruning leaves; nullptr: not told.
  virtual std::shared_ptr<torch::nn::Module> block(std::int64_t) { return nullptr; }

  /// Removes all other blocks for good; the kept ones become the first ones, with their names. From now on no
  /// block is skipped in training. Throws invalid_argument for numbers that are not increasing or out of
  /// range, and if the model has no blocks.
  virtual void keep_blocks(std::span<const std::int64_t> keep);

  /// How often the model has computed in training, if it draws random numbers by this count; 0 if not.
  /// train() sets it back when a step is stopped halfway, see loss(). A checkpoint holds it only if the
  /// model's save() writes it and load() reads it.
  virtual std::int64_t passes() const { return 0; }
  virtual void set_passes(std::int64_t /*passes*/) {}

  /// Evaluates the model, in evaluation mode, on held-out data: figures by name ("accuracy", "perplexity").
  virtual std::map<std::string, double> evaluate(const Context& context = Context{}) = 0;
};

}  // namespace parsimony::train
