// The task of predicting the next token of a text.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "parsimony/core/options.hpp"
#include "parsimony/data/tokenizer.hpp"
#include "parsimony/data/word_dictionary.hpp"
#include "parsimony/models/transformer.hpp"
#include "parsimony/train/task.hpp"

namespace parsimony::models {

struct LanguageTaskOptions {
  std::filesystem::path text;        ///< file with the training text
  std::filesystem::path held_out;    ///< file with the evaluation text; empty: a part of `text`
  std::int64_t held_out_every = 20;  ///< without held_out: every so many pieces of 100 lines, one is held out
  std::filesystem::path encoder;     ///< encoder.json of byte pairs; empty: tokens are bytes
  std::filesystem::path merges;      ///< vocab.bpe of byte pairs
  std::int64_t max_vocabulary =
      0;  ///< most tokens of byte pairs; 0: all. Lower it for small models, whose embeddings shrink with it
  std::filesystem::path dictionary;  ///< dict.txt of fairseq: tokens are the words between blanks
  /// Tokens of the network. 0 (auto): those that the text can have. More for weights of a larger vocabulary.
  std::int64_t vocabulary = 0;
};

template <OptionsOf<LanguageTaskOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(Field{"text", "file with the training text"}, options.text);
  visit(Field{"held_out", "file with the evaluation text; empty: a part of text"}, options.held_out);
  visit(Field{"held_out_every", "every so many pieces of 100 lines, one is held out", 2, 1e9},
        options.held_out_every);
  visit(Field{"encoder", "encoder.json of byte pairs; empty: tokens are bytes"}, options.encoder);
  visit(Field{"merges", "vocab.bpe of byte pairs"}, options.merges);
  visit(Field{"max_vocabulary", "most tokens of byte pairs; 0: all", 0, 1 << 24}, options.max_vocabulary);
  visit(Field{"dictionary", "dict.txt of fairseq: tokens are words; empty: bytes or byte pairs"},
        options.dictionary);
  visit(Field{"vocabulary", "tokens of the network; auto: those of the text", 2, 1 << 24, "auto", 0},
        options.vocabulary);
}

/// Texts as tokens.
struct LanguageData {
  data::Tokenizer tokenizer;  ///< if there is a dictionary, bytes
  std::optional<data::WordDictionary> dictionary;
  std::vector<std::int32_t> training, held_out;
  std::int64_t vocabulary = 0;  ///< tokens of the network
};

/// Reads the tokenizer and the texts; the training text only with `training`, or for its held-out part.
/// Throws the errors of reading, and invalid_argument for a held-out text of fewer than two tokens and a
/// vocabulary smaller than that of the text.
LanguageData read_language_data(const LanguageTaskOptions& options, bool training,
                                const Context& context = Context{});

/// "perplexity" and "bits_per_byte" or "unknown", as LanguageTask::evaluate() gives them, of a network for
/// which −ln p of the held-out tokens after the first have the sum `nats`.
std::map<std::string, double> language_figures(const LanguageData& data, double nats);

/// A Transformer on a text. Example i is the window of `context` tokens that begins at i · context; its
/// targets are the following tokens. Tokens at the end that do not fill a window are not used.
class LanguageTask : public train::Task {
 public:
  /// The model gets the vocabulary of these options, whatever its own say. Throws the errors of reading,
  /// and invalid_argument for a text shorter than a window, a held-out text of fewer than two tokens, and a
  /// vocabulary smaller than that of the text.
  LanguageTask(const LanguageTaskOptions& options, TransformerOptions model,
               const Context& context = Context{});
  LanguageTask(const LanguageTask&) = delete;  // the tensors of the texts lie in data_
  LanguageTask& operator=(const LanguageTask&) = delete;

  Transformer& model() override { return *model_; }
  std::int64_t examples() const override;
  train::Batch batch(std::span<const std::int64_t> examples, std::uint64_t seed, std::int64_t step,
                     std::int64_t first) const override;
  torch::Tensor forward(const torch::Tensor& inputs) override { return model_->forward(inputs); }
  train::Outputs forward_with_states(const torch::Tensor& inputs) override;
  torch::Tensor loss(const train::Batch& batch) override;
  std::int64_t blocks() const override { return model_->blocks(); }
  std::shared_ptr<torch::nn::Module> block(std::int64_t i) override { return model_->block(i); }
  void keep_blocks(std::span<const std::int64_t> keep) override;
  std::int64_t passes() const override { return model_->step(); }
  void set_passes(std::int64_t passes) override { model_->set_step(passes); }

  /// "perplexity": exp of the mean of −ln p over all held-out tokens except the first, each predicted once
  /// from the tokens before it in its window. "bits_per_byte": the sum of −log2 p divided by the bytes of
  /// these tokens; it compares models with different tokenizers. With a dictionary "unknown", the share of
  /// words that it does not have, stands in its place.
  std::map<std::string, double> evaluate(const Context& context = Context{}) override;

  const data::Tokenizer& tokenizer() const { return data_.tokenizer; }  ///< if there is a dictionary, bytes
  const torch::Tensor& tokens() const { return tokens_; }               ///< training text, int32
  const torch::Tensor& held_out() const { return held_out_; }           ///< int32

 private:
  LanguageData data_;
  torch::Tensor tokens_, held_out_;
  std::shared_ptr<Transformer> model_;
};

/// Splits a text: of each `every` pieces of 100 lines the last is held out; an incomplete rest belongs to the
/// training text. Both parts keep the order of the lines.
struct SplitText {
  std::string text, held_out;
};
SplitText split_lines(std::string_view text, std::int64_t every);

}  // namespace parsimony::models
