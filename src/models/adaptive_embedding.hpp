// Embeddings whose rare tokens have fewer values, and the softmax over them [baevski2019adaptive,
// grave2017efficient].
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <vector>

namespace parsimony::models {

/// Tokens in bands by their number, which grows as they get rarer: band i has width / factor^i values a
/// token, and a projection to the width. The output layer uses the same weights (tied), the projection of
/// the first band excepted. Parameters: bands.N.words.weight (tokens × values) and bands.N.projection.weight
/// (width × values).
class AdaptiveEmbedding : public torch::nn::Module {
 public:
  /// Band i has the tokens from cutoffs[i − 1] to below cutoffs[i], the last band those up to the vocabulary.
  /// Throws invalid_argument for cutoffs that are not increasing numbers of 1 to vocabulary − 1, and for a
  /// last band without a value.
  AdaptiveEmbedding(std::int64_t vocabulary, std::int64_t width, const std::vector<std::int64_t>& cutoffs,
                    std::int64_t factor);

  /// tokens of any shape → … × width.
  torch::Tensor forward(const torch::Tensor& tokens);

  /// x: m × width. classes: m × (bands − 1), the scores of the bands after the first. Returns ln p of every
  /// token, m × vocabulary.
  torch::Tensor log_probabilities(const torch::Tensor& x, const torch::Tensor& classes);

  /// ln p of one token for each x: m. Computes a later band only where a target lies in it.
  torch::Tensor log_probabilities(const torch::Tensor& x, const torch::Tensor& classes,
                                  const torch::Tensor& targets);

 private:
  struct Band;

  torch::Tensor head(const torch::Tensor& x, const torch::Tensor& classes) const;
  static torch::Tensor tail(const Band& band, const torch::Tensor& x);

  std::vector<std::shared_ptr<Band>> bands_;
};

}  // namespace parsimony::models
