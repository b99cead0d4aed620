// Quantization noise in training [fan2021training]: each forward sees a random part of the weights quantized.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "parsimony/core/context.hpp"
#include "parsimony/core/matrix.hpp"
#include "parsimony/core/options.hpp"
#include "parsimony/quant/integer_quantizer.hpp"
#include "parsimony/quant/quantized_tensor.hpp"

namespace torch::nn {
class Module;
}

namespace parsimony::train {

/// φ: what a drawn block becomes.
enum class NoiseFunction {
  proxy,           ///< 0
  mean,            ///< the mean of the block
  integer,         ///< a block is one weight, rounded to one of 2^bits values of a range
  product,         ///< the nearest centroid of the layer's codebook, by k-means on its blocks
  product_integer  ///< the same, from a codebook in integers of `bits`
};

constexpr auto names_of(NoiseFunction) {
  using enum NoiseFunction;
  return enum_names<NoiseFunction>({{proxy, "proxy"},
                                    {mean, "mean"},
                                    {integer, "integer"},
                                    {product, "product"},
                                    {product_integer, "product-integer"}});
}

/// How the rate goes with the steps.
enum class RateSchedule {
  constant,  ///< rate
  linear,    ///< from first_rate to rate in ramp_steps, then rate
  random     ///< each step its own, uniform between first_rate and rate
};

constexpr auto names_of(RateSchedule) {
  using enum RateSchedule;
  return enum_names<RateSchedule>({{constant, "constant"}, {linear, "linear"}, {random, "random"}});
}

struct NoiseOptions {
  NoiseFunction function = NoiseFunction::proxy;
  double rate = 0.1;  ///< probability of a block to be drawn; the authors: 0.05 to 0.2, integers 0.5; 1: all
  RateSchedule schedule = RateSchedule::constant;
  double first_rate = 0;
  std::int64_t ramp_steps = 0;
  int bits = 8;                                                     ///< of integers
  quant::Granularity granularity = quant::Granularity::per_tensor;  ///< of the integers' ranges
  quant::RangeRule range = quant::RangeRule::min_max;
  std::int64_t block_size =
      0;  ///< weights of a block; 0: a kernel, 4 of convolutions of one position, 8 of others
  quant::BlockLayout layout = quant::BlockLayout::row;  ///< of convolutions but depthwise ones
  std::int64_t centroids = 256;    ///< at most; fewer where less than 4 blocks would share one
  int kmeans_iterations = 15;      ///< of the first codebook, and of each that follows from the one before
  std::int64_t refresh_steps = 0;  ///< steps between codebooks; 0: one, until refresh()
  std::string layers = ".*";       ///< regular expression that the whole name of a layer matches
  std::uint64_t seed = 0;
};

template <OptionsOf<NoiseOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(Field{"function", "what becomes of the drawn blocks"}, options.function);
  visit(Field{"rate", "probability of a block to be drawn", 0, 1}, options.rate);
  visit(Field{"schedule", "how the rate goes with the steps"}, options.schedule);
  visit(Field{"first_rate", "rate that the schedule begins at", 0, 1}, options.first_rate);
  visit(Field{"ramp_steps", "steps of a linear schedule", 0, 1e15}, options.ramp_steps);
  visit(Field{"bits", "bits of an integer", 2, 8}, options.bits);
  visit(Field{"granularity", "what shares a range of integers"}, options.granularity);
  visit(Field{"range", "how a range of integers is chosen"}, options.range);
  visit(Field{"block_size", "weights of a block, 0: by the kind of layer", 0, 4096}, options.block_size);
  visit(Field{"layout", "where the weights of a block of a convolution lie"}, options.layout);
  visit(Field{"centroids", "centroids of a codebook at most", 2, 65536}, options.centroids);
  visit(Field{"kmeans_iterations", "iterations for a codebook", 1, 1e6}, options.kmeans_iterations);
  visit(Field{"refresh_steps", "steps between codebooks, 0: never", 0, 1e15}, options.refresh_steps);
  visit(Field{"layers", "regular expression of the names of the layers"}, options.layers);
  visit(Field{"seed", "seed of all randomness"}, options.seed);
}

/// While it lives, layers compute with noised weights; then with their own again. Guards of one module end in
/// the reverse order of their beginnings, as those of scopes do.
class NoisyWeights {
 public:
  NoisyWeights(NoisyWeights&&) noexcept;
  NoisyWeights& operator=(NoisyWeights&&) = delete;
  ~NoisyWeights();

  double rate() const;                ///< of this step
  std::int64_t weights() const;       ///< tensors that are noised
  std::int64_t blocks() const;        ///< of these
  std::int64_t drawn_blocks() const;  ///< of these

 private:
  friend class Noise;
  struct State;
  explicit NoisyWeights(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// Noise for one model, and what it keeps from step to step: the count of steps and the codebooks.
///
///   train::Noise noise({.rate = 0.1});
///   for (…) {
///     auto noisy = noise.apply(*model);
///     loss(model->forward(x), y).backward();
///     optimizer.step();
///   }
///
/// The weights of Linear, Embedding, EmbeddingBag and Conv1d to Conv3d, grouped and depthwise ones too, are
/// replaced in the layers by ψ(w): φ of the blocks that are drawn, each by itself, and the others bit by bit
/// as they are (nothing is rescaled). The parameters of the model, that the optimizer knows, are neither
/// written nor replaced: the gradient of ψ(w) is that of w, exact where no block was drawn, straight through
/// φ elsewhere. A weight that several layers share is noised once. A layer in evaluation mode is left alone,
/// and so is the row of an embedding's padding_idx. Noises with other layers or functions may be applied one
/// upon the other.
///
/// A draw is a function of seed, step, layer and block: any number of threads makes the same. Step n is the
/// n-th call of apply, or what set_step says.
///
/// Cost of a step: a copy of the weights and a pass over them; product also compares the drawn blocks with
/// all centroids. Where it departs from the authors' program: that overwrites the parameters, divides what is
/// left by 1 − rate, and scales integers of 4 bits as ones of 8.
class Noise {
 public:
  /// Throws invalid_argument (options out of range, a regular expression that is none).
  explicit Noise(NoiseOptions options = {}, Context context = Context{});

  /// Throws invalid_argument where no layer matches, and for weights that are not finite. The model is as it
  /// was then.
  NoisyWeights apply(torch::nn::Module& model);

  /// Makes the next step learn codebooks again, from those that are there.
  void refresh();

  const NoiseOptions& options() const { return options_; }
  double rate(std::int64_t step) const;
  std::int64_t step() const { return step_; }
  void set_step(std::int64_t step) { step_ = step; }

  /// By name of the layer: K × d. With the step, all that a run needs to be resumed.
  const std::map<std::string, Matrix<float>>& codebooks() const { return codebooks_; }
  void set_codebooks(std::map<std::string, Matrix<float>> codebooks) { codebooks_ = std::move(codebooks); }

 private:
  NoiseOptions options_;
  Context context_;
  std::int64_t step_ = 0;
  bool refresh_ = false;
  std::map<std::string, Matrix<float>> codebooks_;
};

}  // namespace parsimony::train
