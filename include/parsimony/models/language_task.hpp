// Learning to say which token comes next.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "parsimony/core/options.hpp"
#include "parsimony/data/tokenizer.hpp"
#include "parsimony/models/transformer.hpp"
#include "parsimony/train/task.hpp"

namespace parsimony::models {

struct LanguageTaskOptions {
  std::filesystem::path text;        ///< file to learn from
  std::filesystem::path held_out;    ///< file to be judged by; empty: a part of text
  std::int64_t held_out_every = 20;  ///< without such a file: of so many stretches of 100 lines the last
  std::filesystem::path encoder;     ///< encoder.json of byte pairs; empty: tokens are bytes
  std::filesystem::path merges;      ///< their vocab.bpe
  std::int64_t max_vocabulary = 0;   ///< tokens at most, 0: all
};

template <OptionsOf<LanguageTaskOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(Field{"text", "file to learn from"}, options.text);
  visit(Field{"held_out", "file to be judged by, empty: a part of text"}, options.held_out);
  visit(Field{"held_out_every", "of so many stretches of 100 lines the last is held out", 2, 1e9},
        options.held_out_every);
  visit(Field{"encoder", "encoder.json of byte pairs, empty: tokens are bytes"}, options.encoder);
  visit(Field{"merges", "vocab.bpe of byte pairs"}, options.merges);
  visit(Field{"max_vocabulary", "tokens of byte pairs at most, 0: all", 0, 1 << 24}, options.max_vocabulary);
}

/// A Transformer on a text. Example i is the window of `context` tokens from i · context on, and its targets
/// are the tokens that follow each. What is over at the end is left.
class LanguageTask : public train::Task {
 public:
  /// The vocabulary of the model is that of the tokens, whatever its options say. Throws what reading throws,
  /// and invalid_argument for a text that is shorter than a window, or held out text below two tokens.
  LanguageTask(const LanguageTaskOptions& options, TransformerOptions model,
               const Context& context = Context{});

  Transformer& model() override { return *model_; }
  std::int64_t examples() const override;
  train::Batch batch(std::span<const std::int64_t> examples, std::uint64_t seed,
                     std::int64_t step) const override;
  torch::Tensor forward(const torch::Tensor& inputs) override { return model_->forward(inputs); }

  /// perplexity: exp of the mean of −ln p over the tokens held out but the first, each predicted once, by
  /// what is before it in its window. bits_per_byte: the sum of −log2 p over the bytes that those tokens
  /// stand for, which compares models whose tokens differ.
  std::map<std::string, double> evaluate(const Context& context = Context{}) override;

  const data::Tokenizer& tokenizer() const { return tokenizer_; }
  const torch::Tensor& tokens() const { return tokens_; }      ///< to learn from, int32
  const torch::Tensor& held_out() const { return held_out_; }  ///< int32

 private:
  data::Tokenizer tokenizer_;
  torch::Tensor tokens_, held_out_;
  std::shared_ptr<Transformer> model_;
};

/// The text in two: of each `every` stretches of 100 lines the last is held out, and what is left at the end
/// is learned from. Both keep their order.
struct SplitText {
  std::string text, held_out;
};
SplitText split_lines(std::string_view text, std::int64_t every);

}  // namespace parsimony::models
