// Quantization noise on one weight [fan2021training]: the blocks that a training step draws, and the values
// that they take. train/noise.hpp applies it to the layers of a network.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "parsimony/core/context.hpp"
#include "parsimony/core/matrix.hpp"
#include "parsimony/core/options.hpp"
#include "parsimony/quant/blocks.hpp"
#include "parsimony/quant/integer_quantizer.hpp"
#include "parsimony/quant/quantized_tensor.hpp"

namespace parsimony::quant {

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
  Granularity granularity = Granularity::per_tensor;
  RangeRule range = RangeRule::min_max;
  /// Weights in a block. 0 (auto): a whole kernel; 4 for convolutions with one position, 8 for all other
  /// layers. Use that of the codes to be learned afterwards.
  std::int64_t block_size = 0;
  BlockLayout layout = BlockLayout::row;  ///< layout of all convolutions except depthwise ones
  std::int64_t centroids = 256;           ///< most centroids; a small layer gets one per 4 blocks
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

/// The rate at a step, by the schedule. A random rate is a function of seed and step.
double noise_rate(const NoiseOptions& options, std::int64_t step);

/// The blocks of the weight of a layer. block_size 0 (auto) is a whole kernel; 4 for convolutions with one
/// position and along channels; 8 for other layers. Only convolutions with several channels are cut along
/// channels. Throws invalid_argument as block_grid does.
BlockGrid layer_grid(std::span<const std::int64_t> shape, bool convolution, std::int64_t block_size,
                     BlockLayout layout);

/// Determines which blocks of one weight are drawn.
struct Draw {
  double rate = 0;
  std::uint64_t step = 0;
  std::uint64_t layer = 0;     ///< number of the layer in its model, below 2^24
  std::int64_t kept_row = -1;  ///< row whose blocks are never drawn; -1: none
};

struct DrawnBlocks {
  std::int64_t all = 0;
  std::int64_t drawn = 0;
};

/// 1 for each drawn block, those of the first output first; with function integer each weight is a block. A
/// function of options.seed and of the draw, hence the same for any number of threads, and on every machine.
std::vector<std::uint8_t> draw_blocks(const BlockGrid& grid, const NoiseOptions& options, const Draw& draw,
                                      const Context& context = Context{});

/// noised = ψ(weight): φ of every drawn block, and all other blocks bit by bit, both in C order. codebook is
/// used by the product functions alone. drawn, when not empty, receives 1 for each value of a drawn block and
/// 0 for the others. A copy of the weight and one pass over it; the product functions also compare the drawn
/// blocks with all centroids. Throws invalid_argument for sizes that do not fit, and cancelled.
DrawnBlocks noise_weight(std::span<const float> weight, const BlockGrid& grid, const NoiseOptions& options,
                         const Draw& draw, MatrixView<const float> codebook, std::span<float> noised,
                         std::span<std::uint8_t> drawn = {}, const Context& context = Context{});

/// A K × d codebook for the product functions, by k-means on all blocks except those of kept_row. K is a
/// fourth of the number of blocks at most. Starts from `initial` if that is K × d. Throws what kmeans throws.
Matrix<float> learn_noise_codebook(std::span<const float> weight, const BlockGrid& grid,
                                   const NoiseOptions& options, std::int64_t kept_row = -1,
                                   MatrixView<const float> initial = {}, const Context& context = Context{});

/// The codebook that drawn blocks take their values from: for product_integer the centroids rounded to
/// integers of options.bits with one range, else a copy.
Matrix<float> noise_codebook(MatrixView<const float> centroids, const NoiseOptions& options);

}  // namespace parsimony::quant
