// Language models: Transformers that see what is before [vaswani2017attention].
#pragma once

#include <torch/nn/modules/container/modulelist.h>
#include <torch/nn/modules/embedding.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/modules/normalization.h>

#include <cstdint>
#include <span>
#include <vector>

#include "parsimony/core/options.hpp"
#include "parsimony/train/integer_activation.hpp"

namespace parsimony::models {

struct TransformerOptions {
  std::int64_t vocabulary = 256;
  std::int64_t context = 128;  ///< tokens of a window at most
  std::int64_t layers = 4;     ///< that a token goes through
  std::int64_t width = 256;    ///< a multiple of heads, even
  std::int64_t heads = 4;
  std::int64_t feed_forward = 1024;  ///< width of the hidden layer
  double dropout = 0;                ///< of embeddings and of what layers add
  bool tied_embeddings = true;       ///< the output has the weights of the embeddings
  bool share_adjacent = false;       ///< layers 2 n and 2 n + 1 are one
  int activation_bits = 0;           ///< of the integers that linear layers read; 0: floats
  double layer_drop = 0;             ///< probability of a block to be skipped in a forward of training
  std::uint64_t seed = 0;            ///< of what layer_drop draws
};

template <OptionsOf<TransformerOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(Field{"vocabulary", "tokens there are", 2, 1 << 24}, options.vocabulary);
  visit(Field{"context", "tokens of a window at most", 1, 1 << 20}, options.context);
  visit(Field{"layers", "layers that a token goes through", 1, 4096}, options.layers);
  visit(Field{"width", "values of a token between layers", 2, 1 << 16}, options.width);
  visit(Field{"heads", "heads of attention", 1, 1024}, options.heads);
  visit(Field{"feed_forward", "values of the hidden layers", 1, 1 << 20}, options.feed_forward);
  visit(Field{"dropout", "probability of a value to be dropped", 0, 0.99}, options.dropout);
  visit(Field{"tied_embeddings", "use the weights of the embeddings in the output"}, options.tied_embeddings);
  visit(Field{"share_adjacent", "pairs of layers share their weights"}, options.share_adjacent);
  visit(Field{"activation_bits", "of the integers that layers read, 2 to 8; 0: floats", 0, 8},
        options.activation_bits);
  visit(Field{"layer_drop", "probability of a layer to be skipped in training", 0, 0.99}, options.layer_drop);
  visit(Field{"seed", "seed of the layers that are skipped"}, options.seed);
}

/// The form of the networks of [fan2021training]: norms before attention and feed-forward layers, ReLU,
/// positions as sines, which have no weights. Parameters are embedding.weight,
/// layers.N.attention.{query,key,value,output}.{weight,bias}, layers.N.attention_norm,
/// layers.N.feed_forward.{0,2}, layers.N.feed_forward_norm, norm and, where embeddings are not tied,
/// output.weight. Where embeddings are tied or layers shared there is one parameter, and whatever is done to
/// it, noise, codes, an optimizer's step, is done once: files and optimizers know no second.
///
/// A *block* is what layers.N stands for: a layer or, with share_adjacent, two (or the last one) with the
/// weights of one.
///
/// With layer_drop each block is skipped in training with that probability [fan2020reducing], drawn of
/// (seed, step, block) alone; a step is a forward in training mode. In evaluation nothing is skipped, and
/// nothing rescaled. Checkpoints keep the step.
class Transformer : public torch::nn::Module {
 public:
  /// Weights begin at Glorot's uniform distribution, embeddings at N(0, 1 / width), by LibTorch's generator.
  /// Throws invalid_argument.
  explicit Transformer(const TransformerOptions& options = {});

  const TransformerOptions& options() const { return options_; }

  /// tokens: n × t of int64, t up to context. Logits of the tokens that follow: n × t × vocabulary, each a
  /// function of the tokens up to its own.
  torch::Tensor forward(const torch::Tensor& tokens);

  std::int64_t blocks() const;

  /// By block, what a forward in training skips at that step.
  std::vector<bool> dropped_blocks(std::int64_t step) const;
  std::int64_t step() const { return step_; }
  void set_step(std::int64_t step) { step_ = step; }

  /// Takes the other blocks out: those that stay, in increasing order, are layers.0, layers.1, … then, with
  /// the same parameters, and options() says so. Throws invalid_argument for what is no such order.
  /// Optimizers, noise with codebooks and Ipq that were made before know the old names: prune first.
  void keep_blocks(std::span<const std::int64_t> keep);

  void save(torch::serialize::OutputArchive& archive) const override;
  void load(torch::serialize::InputArchive& archive) override;

 private:
  TransformerOptions options_;
  std::int64_t step_ = 0;
  torch::Tensor positions_;
  torch::nn::Embedding embedding_{nullptr};
  torch::nn::ModuleList layers_{nullptr};
  torch::nn::LayerNorm norm_{nullptr};
  train::IntegerActivation output_input_{nullptr};  // none: floats
  torch::nn::Linear output_{nullptr};               // none where embeddings are tied
};

/// 0, 2, 4, …: what stays when every other block is pruned, the rule of [fan2020reducing] for a half.
std::vector<std::int64_t> every_other_block(std::int64_t blocks);

}  // namespace parsimony::models
