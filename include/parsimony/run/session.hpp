// Runs a network on batches of texts, in memory that is planned before.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "parsimony/core/context.hpp"
#include "parsimony/core/matrix.hpp"
#include "parsimony/core/options.hpp"
#include "parsimony/data/sentence_tokenizer.hpp"
#include "parsimony/run/network.hpp"

namespace parsimony::run {

enum class Pooling {
  mean,  ///< mean of the vectors of all tokens
  first  ///< vector of the first token
};

constexpr auto names_of(Pooling) {
  using enum Pooling;
  return enum_names<Pooling>({{mean, "mean"}, {first, "first"}});
}

struct SessionOptions {
  /// Tokens that run together, at least those of one text. More need more memory, and are faster up to some
  /// hundred.
  std::int64_t batch_tokens = 512;
  Pooling pooling = Pooling::mean;  ///< mean for most networks that were trained for sentences
  bool normalize = true;            ///< sentence vectors of length 1, whose products are cosines
};

template <OptionsOf<SessionOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(Field{"batch_tokens", "tokens that run together; more need more memory", 1, 1 << 20},
        options.batch_tokens);
  visit(Field{"pooling", "which tokens make the vector of a sentence"}, options.pooling);
  visit(Field{.name = "normalize",
              .help = "divide sentence vectors by their length",
              .off_help = "leave sentence vectors as they are"},
        options.normalize);
}

/// A network with the memory for its activations. Texts run side by side without padding, so none costs more
/// than its tokens. Not for several threads at the same time; each takes a session of its own.
///
/// All functions throw invalid_argument for a text without tokens or with more than config().longest_text(),
/// and for tokens or types that the network does not have, before they compute; and cancelled. The same bytes
/// for any number of threads on one SIMD target, but with integers the texts that share a batch change the
/// last digits: the number of rows decides how a layer multiplies.
class Session {
 public:
  explicit Session(Network network, const SessionOptions& options = {});
  Session(Session&&) noexcept;
  Session& operator=(Session&&) noexcept;
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session();

  const Network& network() const;

  /// Most bytes of the activations and products of a batch of so many tokens, the longest text of which has
  /// `longest`, with this number of threads; without the results.
  std::int64_t planned_bytes(std::int64_t tokens, std::int64_t longest, int threads) const;

  /// The last hidden states, a row of config().width for each token, those of the first text first.
  Matrix<float> hidden_states(std::span<const data::EncodedText> texts, const Context& context = Context{});

  /// Sentence vectors, texts × width, by `pooling` and `normalize`.
  Matrix<float> embed(std::span<const data::EncodedText> texts, const Context& context = Context{});

  /// Scores of the classes before the softmax, texts × classes. Throws invalid_argument for a network without
  /// a classification head.
  Matrix<float> classify(std::span<const data::EncodedText> texts, const Context& context = Context{});

 private:
  struct Data;
  std::unique_ptr<Data> data_;
};

}  // namespace parsimony::run
