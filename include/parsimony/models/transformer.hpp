// Transformers as language models: each position attends to the positions before it [vaswani2017attention].
#pragma once

#include <torch/nn/modules/container/modulelist.h>
#include <torch/nn/modules/embedding.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/modules/normalization.h>

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "parsimony/core/options.hpp"
#include "parsimony/train/integer_activation.hpp"

namespace parsimony::models {

class AdaptiveEmbedding;

struct TransformerOptions {
  std::int64_t vocabulary = 256;
  std::int64_t context = 128;  ///< longest window in tokens
  std::int64_t layers = 4;     ///< number of layers
  std::int64_t width = 256;    ///< values per token between layers; even, a multiple of heads
  std::int64_t heads = 4;
  std::int64_t feed_forward = 1024;  ///< width of the hidden layer
  double dropout =
      0;  ///< dropout of embeddings and of the outputs of layers; raise it if the network overfits
  double attention_dropout = 0;   ///< dropout of the weights of attention
  double activation_dropout = 0;  ///< dropout of the hidden layers, after ReLU
  bool tied_embeddings = true;    ///< the output layer uses the weights of the embeddings
  /// First tokens of the bands of an adaptive embedding and softmax, such as 20000 and 60000, for
  /// vocabularies of words, sorted from frequent to rare; needs tied_embeddings. Empty: all tokens alike.
  std::vector<std::int64_t> cutoffs{};
  std::int64_t band_factor = 4;     ///< each band has so many times fewer values a token than the one before
  bool final_norm = true;           ///< a norm after the last layer; false for weights without one
  std::int64_t first_position = 0;  ///< position of the first token; 2 for weights of fairseq
  bool share_adjacent = false;      ///< layers 2 n and 2 n + 1 share their weights
  int activation_bits = 0;          ///< bits of the integers that linear layers read; 0: floats
  double layer_drop =
      0;  ///< probability that a block is skipped in a training step; set it to prune blocks later
  std::uint64_t seed = 0;  ///< seed of layer_drop
};

template <OptionsOf<TransformerOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(Field{"vocabulary", "number of tokens", 2, 1 << 24}, options.vocabulary);
  visit(Field{"context", "longest window in tokens", 1, 1 << 20}, options.context);
  visit(Field{"layers", "number of layers", 1, 4096}, options.layers);
  visit(Field{"width", "values per token between layers", 2, 1 << 16}, options.width);
  visit(Field{"heads", "heads of attention", 1, 1024}, options.heads);
  visit(Field{"feed_forward", "width of the hidden layers", 1, 1 << 20}, options.feed_forward);
  visit(Field{"dropout", "probability that a value is dropped; raise it if the network overfits", 0, 0.99},
        options.dropout);
  visit(Field{"attention_dropout", "probability that a weight of attention is dropped", 0, 0.99},
        options.attention_dropout);
  visit(Field{"activation_dropout", "probability that a value of a hidden layer is dropped", 0, 0.99},
        options.activation_dropout);
  visit(Field{"tied_embeddings", "use the weights of the embeddings in the output layer"},
        options.tied_embeddings);
  visit(Field{"cutoffs", "first tokens of the bands of an adaptive embedding and softmax; empty: none"},
        options.cutoffs);
  visit(Field{"band_factor", "factor by which the next band has fewer values a token", 1, 64},
        options.band_factor);
  visit(Field{"final_norm", "norm after the last layer", 0, 0, {}, 0, "no norm after the last layer"},
        options.final_norm);
  visit(Field{"first_position", "position of the first token; 2 for weights of fairseq", 0, 1 << 20},
        options.first_position);
  visit(Field{"share_adjacent", "share the weights of layers 2 n and 2 n + 1"}, options.share_adjacent);
  visit(Field{"activation_bits", "bits of the integers that layers read, 2 to 8; 0: floats", 0, 8},
        options.activation_bits);
  visit(Field{"layer_drop", "probability that a block is skipped in a training step", 0, 0.99},
        options.layer_drop);
  visit(Field{"seed", "seed of layer_drop"}, options.seed);
}

/// The architecture of [fan2021training]: norms before attention and feed-forward layers, ReLU, and
/// sinusoidal positions, which have no weights. Parameters are embedding.weight,
/// layers.N.attention.{query,key,value,output}.{weight,bias}, layers.N.attention_norm,
/// layers.N.feed_forward.{0,2}, layers.N.feed_forward_norm, norm and, if embeddings are not tied,
/// output.weight. Tied embeddings and shared layers are one parameter each: noise, quantization, files and
/// optimizers handle it once. load_weights() also takes the names of fairseq.
///
/// With cutoffs the tokens are in bands [baevski2019adaptive, grave2017efficient]: band i has width /
/// band_factor^i values a token. The parameters are then embedding.bands.N.{words,projection}.weight and
/// output_classes.weight, the scores of the bands after the first. The softmax over the tokens of the first
/// band and these scores, times that within a band, is the probability of a token. The weights of the
/// softmax are those of the embedding, as in the network of [fan2021training].
///
/// A *block* is the module layers.N: one layer or, with share_adjacent, two layers (or the last one) with the
/// same weights.
///
/// With layer_drop each block is skipped in training with that probability [fan2020reducing]. The draw
/// depends on (seed, step, block) alone; a step is a forward pass in training mode. In evaluation no block is
/// skipped and nothing is rescaled. Checkpoints keep the step.
class Transformer : public torch::nn::Module {
 public:
  /// Draws weights from Glorot's uniform distribution and embeddings from N(0, 1 / width) by LibTorch's
  /// generator. Throws invalid_argument for options out of range or that do not fit each other.
  explicit Transformer(const TransformerOptions& options = {});

  const TransformerOptions& options() const { return options_; }

  /// tokens: n × t of int64 with t up to context. Returns the logits of the following tokens, n × t ×
  /// vocabulary (with cutoffs ln p); each depends only on the tokens up to its position. states, if
  /// given, receives the output of each layer.
  torch::Tensor forward(const torch::Tensor& tokens, std::vector<torch::Tensor>* states = nullptr);

  /// ln p of the given following tokens, n × t. With cutoffs it computes a rare band only where a target is.
  torch::Tensor log_probabilities(const torch::Tensor& tokens, const torch::Tensor& targets);

  std::int64_t blocks() const;
  std::shared_ptr<torch::nn::Module> block(std::int64_t i) const;  ///< 0 to blocks() − 1

  /// Whether each block is skipped by the training step of that number.
  std::vector<bool> dropped_blocks(std::int64_t step) const;
  std::int64_t step() const { return step_; }
  void set_step(std::int64_t step) { step_ = step; }
  /// From now on no block is skipped in training.
  void end_layer_drop() { options_.layer_drop = 0; }

  /// Removes all other blocks. The kept ones, given in increasing order, become layers.0, layers.1, … with
  /// the same parameters; options() changes accordingly. Throws invalid_argument if `keep` is not increasing
  /// or out of range. Optimizers, noise with codebooks and Ipq made before know the old names: prune first.
  void keep_blocks(std::span<const std::int64_t> keep);

  void save(torch::serialize::OutputArchive& archive) const override;
  void load(torch::serialize::InputArchive& archive) override;

 private:
  torch::Tensor hidden_states(const torch::Tensor& tokens, std::vector<torch::Tensor>* states);

  TransformerOptions options_;
  std::int64_t step_ = 0;
  torch::Tensor positions_;
  torch::nn::Embedding embedding_{nullptr};
  std::shared_ptr<AdaptiveEmbedding> adaptive_;  // with cutoffs, instead of embedding_
  torch::nn::Linear classes_{nullptr};           // with cutoffs
  torch::nn::ModuleList layers_{nullptr};
  torch::nn::LayerNorm norm_{nullptr};
  train::IntegerActivation output_input_{nullptr};  // empty without activation_bits
  torch::nn::Linear output_{nullptr};               // empty if embeddings are tied
};

}  // namespace parsimony::models
