// The first and the last layer of a language model: from tokens to vectors, and from a vector to scores of
// all tokens.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "parsimony/core/context.hpp"
#include "parsimony/core/matrix.hpp"
#include "run/layers.hpp"

namespace parsimony::run {

/// One embedding for all tokens (embedding.weight, and output.weight where it is not tied), or bands of
/// tokens with fewer values the rarer they are and the softmax over them [baevski2019adaptive,
/// grave2017efficient] (embedding.bands.N.words.weight, embedding.bands.N.projection.weight,
/// output_classes.weight).
class TokenLayers {
 public:
  /// Throws format for tensors that are missing or whose shapes do not fit together.
  TokenLayers(Weights& weights, const quant::PackedLinearOptions& options);

  /// Most memory of the codes of embeddings for look-ups. Those of a tied embedding are there once more for
  /// products.
  static std::int64_t lookup_bytes(const Weights& weights);
  /// Most memory of the projections that are decoded as they are read.
  static std::int64_t decoded_bytes(const Weights& weights);

  std::int64_t vocabulary() const { return vocabulary_; }
  std::int64_t width() const { return width_; }
  std::int64_t bytes() const;
  std::int64_t in_codes() const;  ///< number of weights
  /// Whether score() gives ln p.
  bool gives_log_probabilities() const { return !bands_.empty(); }
  /// Most memory of embed(), and of score() for so many rows.
  std::int64_t product_bytes(std::int64_t rows, int threads) const;

  /// to: width() values.
  void embed(std::int32_t token, std::span<float> to, const Context& context) const;
  /// Logits of all tokens; with bands ln p. x: width() values, scores: vocabulary() values.
  void score(std::span<const float> x, std::span<float> scores, const Context& context) const;
  /// The same for each row.
  void score(MatrixView<const float> x, MatrixView<float> scores, const Context& context) const;

 private:
  struct Band {
    std::int64_t first = 0, count = 0, values = 0;
    EmbeddingLayer words;
    LinearLayer projection, scores;
    Matrix<float> transposed;  // the projection of a later band: values × width
  };

  void add_bands(Weights& weights, const quant::PackedLinearOptions& options);
  std::vector<const LinearLayer*> linear() const;

  std::int64_t vocabulary_ = 0, width_ = 0;
  std::optional<EmbeddingLayer> embedding_;  // without bands
  std::optional<LinearLayer> output_;        // without bands
  std::vector<Band> bands_;
  std::optional<LinearLayer> classes_;  // with bands: the scores of those after the first
};

}  // namespace parsimony::run
