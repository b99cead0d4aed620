// Language models that compute from the codes of their compact files, token by token, without LibTorch.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <vector>

#include "parsimony/core/context.hpp"
#include "parsimony/core/matrix.hpp"
#include "parsimony/core/options.hpp"
#include "parsimony/run/network.hpp"

namespace parsimony::run {

/// Settings of the network that its weights do not show; they are those of the training recipe. A file whose
/// metadata tell them (docs/formats/compact.md) needs none. Each one that is given goes before the metadata.
struct LanguageOptions {
  std::int64_t heads = 0;  ///< heads of attention; 0: those of the metadata
  /// 0: those of the metadata; without them, as many as the file has. A recipe with share_adjacent has twice
  /// as many, or one less.
  std::int64_t layers = 0;
  std::int64_t context = 512;  ///< most tokens of a text, with those that are generated; costs memory
  /// Position of the first token. −1: that of the metadata; without them, 0.
  std::int64_t first_position = -1;
};

template <OptionsOf<LanguageOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(Field{"heads",
              "heads of attention of the language model, as in its training recipe; auto: by the metadata", 1,
              1024, "auto", 0},
        options.heads);
  visit(Field{"layers", "layers of a language model that shares adjacent ones; auto: those of the file", 1,
              4096, "auto", 0},
        options.layers);
  visit(Field{"context", "most tokens of a text, with those that are generated", 1, 1 << 20},
        options.context);
  visit(Field{"first_position",
              "position of the first token of the language model, as in its training recipe; auto: by the "
              "metadata, or 0",
              0, 1 << 20, "auto", -1},
        options.first_position);
}

/// A language model of models::Transformer [fan2021training] with its weights. Copies share them, and threads
/// may use one at the same time.
///
/// Linear layers and the embedding compute from codes. A tied embedding has its codes twice in memory, in the
/// order of look-ups and in that of products. An adaptive embedding and softmax (cutoffs) give ln p as
/// logits; the projections of its later bands are decoded when they are read.
///
/// The metadata tell whether a norm follows the last layer (final_norm); norm.weight and norm.bias must then
/// be there, and must not be otherwise. Without metadata, or with those of an earlier version, an adaptive
/// softmax without these tensors is taken for a network without the norm, and any other network must have
/// them.
class LanguageModel {
 public:
  const LanguageOptions& options() const;  ///< with heads and first_position of the metadata
  std::int64_t vocabulary() const;
  std::int64_t layers() const;  ///< with shared ones counted each time that they run
  std::int64_t blocks() const;  ///< layers of the file; fewer than layers() where adjacent ones are shared
  std::int64_t width() const;
  bool final_norm() const;        ///< whether a norm follows the last layer
  Precision precision() const;    ///< never automatic
  std::int64_t bytes() const;     ///< memory of the weights
  std::int64_t in_codes() const;  ///< number of weights that compute from codes

 private:
  friend class LanguageSession;
  friend LanguageModel load_language_model(const std::filesystem::path&, const LanguageOptions&,
                                           const LoadOptions&, const Context&);
  struct Data;
  std::shared_ptr<const Data> data_;
};

/// Reads a file that `parsimony train` or `parsimony quantize` wrote of a language model: tensors
/// embedding.weight, layers.N.attention.query.weight and so on.
///
/// Throws what SafetensorsFile and read_compact_file throw; format, naming file and tensor, for one that is
/// missing or has another shape than the embedding and the first layer ask for; unsupported for integer
/// activations and for the names of fairseq; invalid_argument for heads that do not divide the width, and for
/// other numbers of layers, or format where they are those of the metadata; invalid_argument for heads that
/// neither tells; memory_limit.
LanguageModel load_language_model(const std::filesystem::path& model, const LanguageOptions& language,
                                  const LoadOptions& options = {}, const Context& context = Context{});

/// A text that grows token by token. Keys and values of all tokens are kept, so a step costs the products of
/// one token and a pass over them. Not for several threads at the same time.
class LanguageSession {
 public:
  /// Throws memory_limit.
  explicit LanguageSession(LanguageModel model, const Context& context = Context{});
  LanguageSession(LanguageSession&&) noexcept;
  LanguageSession& operator=(LanguageSession&&) noexcept;
  LanguageSession(const LanguageSession&) = delete;
  LanguageSession& operator=(const LanguageSession&) = delete;
  ~LanguageSession();

  const LanguageModel& model() const;
  std::int64_t tokens() const;  ///< number so far
  std::int64_t bytes() const;   ///< memory of keys, values and activations

  /// Adds a token, and returns the logits of the one that follows, valid until the next call. Throws
  /// invalid_argument for a token outside the vocabulary and where the context is full; io where the file of
  /// the weights has changed.
  std::span<const float> step(std::int32_t token, const Context& context = Context{});

  /// Adds several tokens, at least one, and returns the logits after the last. Up to 64 of them run side by
  /// side, which is several times faster than one by one; logits differ from those of step() by the rounding
  /// of the products. Throws as step() does. A call that throws adds no token.
  std::span<const float> add(std::span<const std::int32_t> tokens, const Context& context = Context{});

  /// Adds the tokens as add() does, and returns ln p of as many others: of following[i] after tokens[i] and
  /// all before it. All positions are scored, up to 64 side by side. Throws as add() does, invalid_argument
  /// for another number of following tokens, and memory_limit.
  std::vector<float> log_probabilities(std::span<const std::int32_t> tokens,
                                       std::span<const std::int32_t> following,
                                       const Context& context = Context{});

  /// Starts a new text.
  void clear();

 private:
  struct Data;
  std::unique_ptr<Data> data_;
};

}  // namespace parsimony::run
