// Quantization noise in training [fan2021training]: every forward pass sees a random subset of the weights
// quantized.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "parsimony/core/context.hpp"
#include "parsimony/core/matrix.hpp"
#include "parsimony/core/options.hpp"
#include "parsimony/quant/integer_quantizer.hpp"
#include "parsimony/quant/quantized_tensor.hpp"

namespace torch::nn {
class Module;
}

namespace parsimony::train {

/// φ: the value that a drawn block takes.
enum class NoiseFunction {
  proxy,           ///< zeros; needs no codes, a good first choice for product codes
  mean,            ///< the mean of the block
  integer,         ///< each weight is a block, rounded to one of 2^bits values of a range
  product,         ///< the nearest centroid of the codebook of the layer, learned by k-means on its blocks
  product_integer  ///< like product, with the codebook rounded to integers of `bits`
};

constexpr auto names_of(NoiseFunction) {
  using enum NoiseFunction;
  return enum_names<NoiseFunction>({{proxy, "proxy"},
                                    {mean, "mean"},
                                    {integer, "integer"},
                                    {product, "product"},
                                    {product_integer, "product-integer"}});
}

/// Rate of the noise as a function of the step.
enum class RateSchedule {
  constant,  ///< rate
  linear,    ///< rises from first_rate to rate within ramp_steps steps, then stays
  random     ///< drawn anew at every step, uniform between first_rate and rate
};

constexpr auto names_of(RateSchedule) {
  using enum RateSchedule;
  return enum_names<RateSchedule>({{constant, "constant"}, {linear, "linear"}, {random, "random"}});
}

struct NoiseOptions {
  NoiseFunction function = NoiseFunction::proxy;
  /// Probability that a block is drawn. The authors use 0.05 to 0.2, and 0.5 for integers; 1 quantizes all
  /// weights at every step (QAT). Lower it if the training loss stays far above that without noise.
  double rate = 0.1;
  RateSchedule schedule = RateSchedule::constant;
  double first_rate = 0;        ///< used by the schedules linear and random
  std::int64_t ramp_steps = 0;  ///< length of the linear schedule
  int bits = 8;                 ///< bits of the integers; use those of the file to be exported
  /// Whether integers share a range within a tensor or within each output; per output is more exact.
  quant::Granularity granularity = quant::Granularity::per_tensor;
  quant::RangeRule range = quant::RangeRule::min_max;
  /// Weights in a block. 0 (auto): a whole kernel; 4 for convolutions with one position, 8 for all other
  /// layers. Use that of the codes to be learned afterwards.
  std::int64_t block_size = 0;
  quant::BlockLayout layout = quant::BlockLayout::row;  ///< layout of all convolutions except depthwise ones
  std::int64_t centroids = 256;    ///< most centroids; a small layer gets one per 4 blocks
  int max_iterations = 15;         ///< limit of k-means, for the first codebook and for each update of it
  std::int64_t refresh_steps = 0;  ///< steps between two updates of the codebooks; 0: only by refresh()
  std::string layers = ".*";       ///< regular expression that must match the whole name of a layer
  std::uint64_t seed = 0;
};

template <OptionsOf<NoiseOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(Field{"function", "value that a drawn block takes"}, options.function);
  visit(Field{"rate", "probability that a block is drawn; lower it if the loss suffers", 0, 1}, options.rate);
  visit(Field{"schedule", "rate as a function of the step"}, options.schedule);
  visit(Field{"first_rate", "first rate of the schedules linear and random", 0, 1}, options.first_rate);
  visit(Field{"ramp_steps", "length of the linear schedule in steps", 0, 1e15}, options.ramp_steps);
  visit(Field{"bits", "bits of an integer; use those of the file to be exported", 2, 8}, options.bits);
  visit(Field{"granularity", "whether a tensor or each of its outputs has a range of integers"},
        options.granularity);
  visit(Field{"range", "how a range of integers is chosen"}, options.range);
  visit(Field{"block_size", "weights in a block; auto: by the kind of layer", 1, 4096, "auto", 0},
        options.block_size);
  visit(Field{"layout", "which weights of a convolution form a block"}, options.layout);
  visit(Field{"centroids", "most centroids of a codebook", 2, 65536}, options.centroids);
  visit(Field{"max_iterations", "iterations of k-means at most", 1, 1e6}, options.max_iterations);
  visit(Field{"refresh_steps", "steps between two updates of the codebooks; 0: never", 0, 1e15},
        options.refresh_steps);
  visit(Field{"layers", "regular expression for the whole name of a layer"}, options.layers);
  visit(Field{"seed", "seed of all random numbers"}, options.seed);
}

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
