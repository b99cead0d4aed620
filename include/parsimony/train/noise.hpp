// Quantization noise in training [fan2021training]: every forward pass sees a random subset of the weights
// quantized.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "parsimony/core/context.hpp"
#include "parsimony/core/matrix.hpp"
#include "parsimony/quant/noise.hpp"

namespace torch::nn {
class Module;
}

namespace parsimony::train {

using quant::NoiseFunction;
using quant::NoiseOptions;
using quant::RateSchedule;

/// A guard: layers compute with noised weights until it is destroyed. Several guards of one model must be
/// destroyed in the reverse order of their creation, as scopes do.
class NoisyWeights {
 public:
  NoisyWeights(NoisyWeights&&) noexcept;
  NoisyWeights& operator=(NoisyWeights&&) = delete;
  ~NoisyWeights();

  double rate() const;                ///< rate at this step
  std::int64_t weights() const;       ///< number of noised weight tensors
  std::int64_t blocks() const;        ///< their blocks
  std::int64_t drawn_blocks() const;  ///< their blocks that were drawn

 private:
  friend class Noise;
  struct State;
  explicit NoisyWeights(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// Noise for one model. Keeps the number of steps and the codebooks from step to step.
///
///   train::Noise noise({.rate = 0.1});
///   for (…) {
///     auto noisy = noise.apply(*model);
///     loss(model->forward(x), y).backward();
///     optimizer.step();
///   }
///
/// Replaces the weights w of Linear, Embedding, EmbeddingBag and Conv1d to Conv3d (grouped and depthwise ones
/// included) by ψ(w): φ of every drawn block, and all other blocks bit by bit unchanged, without rescaling.
/// The parameters that the optimizer knows are neither written nor replaced: the gradient of ψ(w) is passed
/// to w, exact for blocks that were not drawn, straight through φ for the others. A weight that several
/// layers share is noised once. Layers in evaluation mode and the row padding_idx of an embedding are left
/// alone. Noises with different layers or functions may be applied on top of each other.
///
/// A draw is a function of seed, step, layer and block, hence the same for any number of threads. Step n is
/// the n-th call of apply(), unless set_step() changes it.
///
/// Cost of a step: a copy of the weights and one pass over them; the product functions also compare the drawn
/// blocks with all centroids. Differences from the program of the authors: theirs overwrites the parameters,
/// divides the remaining blocks by 1 − rate, and scales integers of 4 bits as if they had 8.
class Noise {
 public:
  /// Throws invalid_argument: an option out of range, or `layers` is not a regular expression.
  explicit Noise(NoiseOptions options = {}, Context context = Context{});

  /// Noises the weights for the next step. Throws invalid_argument if no layer matches or a weight is not
  /// finite, and then leaves the model unchanged.
  NoisyWeights apply(torch::nn::Module& model);

  /// Makes the next step update the codebooks by k-means, starting from the present ones.
  void refresh();

  const NoiseOptions& options() const { return options_; }
  double rate(std::int64_t step) const;
  std::int64_t step() const { return step_; }
  void set_step(std::int64_t step) { step_ = step; }

  /// Codebooks (K × d) by the name of the layer. They and step() are all that a run needs to resume.
  const std::map<std::string, Matrix<float>>& codebooks() const { return codebooks_; }
  void set_codebooks(std::map<std::string, Matrix<float>> codebooks) { codebooks_ = std::move(codebooks); }

 private:
  void match(const std::vector<std::string>& layers);

  NoiseOptions options_;
  Context context_;
  std::vector<std::pair<std::string, bool>>
      matched_;  // layers of the last model, and whether `layers` matches
  std::int64_t step_ = 0;
  bool refresh_ = false;
  std::map<std::string, Matrix<float>> codebooks_;
};

}  // namespace parsimony::train
