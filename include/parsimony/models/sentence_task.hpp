// The task of classifying sentences and pairs of sentences by an encoder, or of scoring their similarity.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "parsimony/core/context.hpp"
#include "parsimony/core/options.hpp"
#include "parsimony/data/labelled_texts.hpp"
#include "parsimony/data/sentence_tokenizer.hpp"
#include "parsimony/models/bert.hpp"
#include "parsimony/train/task.hpp"

namespace parsimony::models {

struct SentenceTaskOptions {
  std::filesystem::path texts{};     ///< table of the training texts, see data::read_labelled_texts
  std::filesystem::path held_out{};  ///< table of the evaluation texts
  data::TextLayout layout = data::TextLayout::header;
  /// label: a head classifies. score: the cosine of the mean outputs of two sentences is compared with the
  /// scores; only for evaluation.
  data::TextTarget target = data::TextTarget::label;
  /// The labels in the order of the network's classes; empty: sorted. Name them for weights that have a head.
  std::vector<std::string> labels{};
  std::int64_t texts_used = 0;        ///< training texts, evenly spaced in the file; 0: all
  std::filesystem::path tokenizer{};  ///< folder or file, see data::load_tokenizer
  std::filesystem::path config{};     ///< config.json of the encoder
  /// Initial weights of the encoder, a safetensors file, plain or compact, with or without a head; empty:
  /// random by seed. A head that the file does not have is drawn.
  std::filesystem::path weights{};
  std::int64_t max_length = 128;  ///< most tokens of a text or pair; longer ones are cut. Time grows with it
  /// Layers 2 n and 2 n + 1 share their weights; from a file without shared layers, those of layer 2 n.
  bool share_adjacent = false;
  double layer_drop =
      0;  ///< probability that a block is skipped in a training step; set it to prune blocks later
  std::uint64_t seed = 0;  ///< seed of the drawn weights and of layer_drop
};

template <OptionsOf<SentenceTaskOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(Field{"texts", "table of the training texts"}, options.texts);
  visit(Field{"held_out", "table of the evaluation texts"}, options.held_out);
  visit(Field{"layout", "columns of the tables"}, options.layout);
  visit(Field{"target", "label for classes, score for similarities (evaluation only)"}, options.target);
  visit(Field{"labels", "labels in the order of the network's classes; empty: sorted"}, options.labels);
  visit(Field{"texts_used", "training texts, evenly spaced", 1, 1e12, "all", 0}, options.texts_used);
  visit(Field{"tokenizer", "folder with tokenizer.json, vocab.txt, or vocab.json and merges.txt"},
        options.tokenizer);
  visit(Field{"config", "config.json of the encoder"}, options.config);
  visit(Field{"weights", "safetensors file with the initial weights; empty: random by seed"},
        options.weights);
  visit(Field{"max_length", "most tokens of a text or pair", 8, 1 << 20}, options.max_length);
  visit(Field{"share_adjacent", "share the weights of layers 2 n and 2 n + 1"}, options.share_adjacent);
  visit(Field{"layer_drop", "probability that a block is skipped in a training step", 0, 0.99},
        options.layer_drop);
  visit(Field{"seed", "seed of the weights that no file gives, and of layer_drop"}, options.seed);
}

/// Texts as tokens, which several tasks may share.
struct SentenceSet {
  std::vector<data::EncodedText> texts;   ///< single sentences or pairs; with scores the first sentences
  std::vector<data::EncodedText> second;  ///< with scores
  std::vector<std::int64_t> classes;      ///< with labels
  std::vector<double> scores;
};
struct SentenceData {
  BertOptions model;  ///< the encoder with its head
  std::vector<std::string> labels;
  SentenceSet training, evaluation;
};

/// Reads the tokenizer, the configuration and the tables; the training texts only with `training`. Throws
/// what data::load_tokenizer, read_bert_config and data::read_labelled_texts throw, and invalid_argument for
/// a label that is not in `labels`, a tokenizer of another vocabulary or padding than the network, a
/// max_length above its positions, and scores in training.
std::shared_ptr<const SentenceData> read_sentence_data(const SentenceTaskOptions& options, bool training,
                                                       const Context& context = Context{});

/// A batch is n × 2 × t: tokens and their types, padded to the longest. evaluate() returns with labels
/// "accuracy", "loss" (the mean cross-entropy) and, of two classes, "matthews" (the correlation, the measure
/// of CoLA); with scores "spearman" (the correlation of ranks).
class SentenceTask : public train::Task {
 public:
  /// Seeds LibTorch's generator. Throws the errors of load_encoder_weights.
  SentenceTask(const SentenceTaskOptions& options, std::shared_ptr<const SentenceData> data);

  Bert& model() override { return *model_; }
  std::int64_t examples() const override { return std::ssize(data_->training.texts); }
  train::Batch batch(std::span<const std::int64_t> examples, std::uint64_t seed, std::int64_t step,
                     std::int64_t first) const override;
  torch::Tensor forward(const torch::Tensor& inputs) override;
  /// The states of padding are 0.
  train::Outputs forward_with_states(const torch::Tensor& inputs) override;
  std::int64_t blocks() const override { return model_->blocks(); }
  std::shared_ptr<torch::nn::Module> block(std::int64_t i) override { return model_->block(i); }
  void keep_blocks(std::span<const std::int64_t> keep) override;
  std::int64_t passes() const override { return model_->step(); }
  void set_passes(std::int64_t passes) override { model_->set_step(passes); }
  std::map<std::string, double> evaluate(const Context& context = Context{}) override;

  const std::shared_ptr<const SentenceData>& data() const { return data_; }
  /// Names of the model's tensors that the file of the weights does not have, and that were drawn.
  const std::vector<std::string>& drawn() const { return drawn_; }

 private:
  std::shared_ptr<const SentenceData> data_;
  std::shared_ptr<Bert> model_;
  std::vector<std::string> drawn_;
};

}  // namespace parsimony::models
