// BERT and RoBERTa: encoders of text, each position of which sees all others [devlin2019bert,
// liu2019roberta].
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <vector>

#include "parsimony/core/options.hpp"
#include "parsimony/data/encoder_config.hpp"

namespace parsimony::models {

using EncoderFamily = data::EncoderKind;

/// The layers after the encoder.
enum class EncoderHead {
  none,
  classification,  ///< for sentences and pairs of sentences
  masked_language  ///< scores of the vocabulary for each position; shares its weight with the embedding
};

constexpr auto names_of(EncoderHead) {
  using enum EncoderHead;
  return enum_names<EncoderHead>(
      {{none, "none"}, {classification, "classification"}, {masked_language, "masked-language"}});
}

/// The defaults are BERT-base; RoBERTa-base has 50,265 tokens, 514 positions, 1 token type, an epsilon of
/// 1e-5 and 1 as padding_token.
struct BertOptions {
  EncoderFamily family = EncoderFamily::bert;
  EncoderHead head = EncoderHead::none;
  std::int64_t vocabulary = 30522;
  std::int64_t positions = 512;  ///< rows of the position embedding; RoBERTa uses 2 fewer
  std::int64_t token_types = 2;
  std::int64_t layers = 12;
  std::int64_t width = 768;  ///< values per token; a multiple of heads
  std::int64_t heads = 12;
  std::int64_t feed_forward = 3072;
  std::int64_t padding_token = 0;
  std::int64_t classes = 2;  ///< outputs of the classification head
  bool pooler = true;        ///< the pooler of a head-less encoder; sentence classification of BERT has one
  double norm_epsilon = 1e-12;
  double dropout = 0.1;         ///< in training: of embeddings, attention and the outputs of layers
  bool share_adjacent = false;  ///< layers 2 n and 2 n + 1 share their weights
  double layer_drop =
      0;  ///< probability that a block is skipped in a training step; set it to prune blocks later
  std::uint64_t seed = 0;  ///< seed of layer_drop
};

template <OptionsOf<BertOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(Field{"family", "bert or roberta"}, options.family);
  visit(Field{"head", "layers after the encoder"}, options.head);
  visit(Field{"vocabulary", "number of tokens", 1, 1 << 24}, options.vocabulary);
  visit(Field{"positions", "rows of the position embedding", 1, 1 << 20}, options.positions);
  visit(Field{"token_types", "rows of the token type embedding", 1, 1 << 10}, options.token_types);
  visit(Field{"layers", "number of layers", 1, 1 << 10}, options.layers);
  visit(Field{"width", "values per token, a multiple of heads", 1, 1 << 16}, options.width);
  visit(Field{"heads", "heads of attention", 1, 1 << 10}, options.heads);
  visit(Field{"feed_forward", "width of the hidden layer", 1, 1 << 20}, options.feed_forward);
  visit(Field{"padding_token", "token of positions that are not there", 0, 1 << 24}, options.padding_token);
  visit(Field{"classes", "classes of the classification head", 1, 1 << 20}, options.classes);
  visit(Field{"pooler", "whether an encoder without a head has a pooler"}, options.pooler);
  visit(Field{"norm_epsilon", "added to the variances of layer norms", 0, 1}, options.norm_epsilon);
  visit(Field{"dropout", "dropout in training", 0, 0.99}, options.dropout);
  visit(Field{"share_adjacent", "share the weights of layers 2 n and 2 n + 1"}, options.share_adjacent);
  visit(Field{"layer_drop", "probability that a block is skipped in a training step", 0, 0.99},
        options.layer_drop);
  visit(Field{"seed", "seed of layer_drop"}, options.seed);
}

/// The network of a config.json (data::read_encoder_config, which says what is read and thrown). `head` and
/// `pooler` are those of the caller: the file names them only in part.
BertOptions read_bert_config(const std::filesystem::path& file, EncoderHead head = EncoderHead::none,
                             bool pooler = true);

/// Parameters have the names of transformers: BertModel's without a head (embeddings.word_embeddings.weight,
/// encoder.layer.0.attention.self.query.weight, …, pooler.dense.weight), with one those of
/// BertForSequenceClassification, RobertaForMaskedLM and so on (bert.… or roberta.…, then classifier.…,
/// cls.predictions.… or lm_head.…).
///
/// A *block* is a layer or, with share_adjacent, two layers (or the last one) with the same weights, which
/// have both names and are one parameter each: noise, quantization, files and optimizers handle it once.
/// With layer_drop each block is skipped in training with that probability, as in Transformer.
class Bert : public torch::nn::Module {
 public:
  /// Draws the weights by LibTorch's generator, normal with a deviation of 0.02 as the authors do. Throws
  /// invalid_argument for options out of range and a width that is not a multiple of heads.
  explicit Bert(const BertOptions& options = {});

  /// tokens: int64, n × t. token_types: the same; undefined: 0. Positions of padding_token are hidden from
  /// the others. Returns n × t × width. Throws invalid_argument for more tokens than positions, and tokens or
  /// types that do not exist.
  /// states, if given, receives the output of each layer.
  torch::Tensor encode(const torch::Tensor& tokens, const torch::Tensor& token_types = {},
                       std::vector<torch::Tensor>* states = nullptr);

  /// The result of the head: n × classes, or n × t × vocabulary; without a head that of the pooler, n ×
  /// width, or without a pooler encode().
  torch::Tensor forward(const torch::Tensor& tokens, const torch::Tensor& token_types = {},
                        std::vector<torch::Tensor>* states = nullptr);

  const BertOptions& options() const { return options_; }

  std::int64_t blocks() const;
  std::shared_ptr<torch::nn::Module> block(std::int64_t i) const;  ///< 0 to blocks() − 1
  /// Number of forward passes in training so far with layer_drop, on which its draws depend.
  std::int64_t step() const { return step_; }
  void set_step(std::int64_t step) { step_ = step; }
  /// From now on no block is skipped in training.
  void end_layer_drop() { options_.layer_drop = 0; }

  /// Removes all other blocks. The kept ones, given in increasing order, become the first layers with the
  /// same parameters; options() changes accordingly. Throws invalid_argument if `keep` is empty, not
  /// increasing or out of range.
  void keep_blocks(std::span<const std::int64_t> keep);

  void save(torch::serialize::OutputArchive& archive) const override;
  void load(torch::serialize::InputArchive& archive) override;

 private:
  struct Parts;

  void register_layers();

  BertOptions options_;
  std::int64_t step_ = 0;
  std::shared_ptr<Parts> parts_;
};

}  // namespace parsimony::models
