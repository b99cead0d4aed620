#include "parsimony/quant/noise.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <vector>

#include "parsimony/core/error.hpp"
#include "parsimony/core/kmeans.hpp"
#include "parsimony/core/random.hpp"
#include "quant/codes/integer_range.hpp"

namespace parsimony::quant {
namespace {

constexpr std::int64_t kBlocksPerCentroid = 4;
constexpr std::int64_t kPiece = 1 << 14;  // draws in one task

bool is_integer(const NoiseOptions& options) {
  return options.function == NoiseFunction::integer;
}

bool has_codebook(const NoiseOptions& options) {
  return options.function == NoiseFunction::product || options.function == NoiseFunction::product_integer;
}

// Gathers the values of blocks by their numbers.
class Places {
 public:
  explicit Places(const BlockGrid& grid)
      : block_(grid.block_size),
        each_(grid.blocks_per_output()),
        row_(grid.values_per_output()),
        offsets_(block_offsets(grid)) {}

  /// body(coordinate, index of its value) for all of a block but its padding.
  template <class Body>
  void for_values(std::int64_t block, const Body& body) const {
    const std::int64_t first = block / each_ * row_;
    const std::int64_t* offsets = offsets_.data() + block % each_ * block_;
    for (std::int64_t j = 0; j < block_ && offsets[j] >= 0; ++j) body(j, first + offsets[j]);
  }

 private:
  std::int64_t block_, each_, row_;
  std::vector<std::int64_t> offsets_;
};

// φ of the drawn values, each weight a block. The others are copied.
void round_to_integers(std::span<const float> weight, std::int64_t row, const NoiseOptions& options,
                       std::span<const std::uint8_t> drawn, const Context& context, std::span<float> noised) {
  const IntegerOptions integers{
      .bits = options.bits, .granularity = options.granularity, .range = options.range};
  const std::int64_t size = std::ssize(weight), top = (1 << options.bits) - 1;
  const auto round = [&](std::int64_t begin, std::int64_t end, const AffineCode& code) {
    const double scale = code.scale, zero = code.zero_point;
    for (std::int64_t i = begin; i < end; ++i) {
      // Both values and a mask: half of the branches on a random draw would be predicted wrongly.
      const double level = affine_level(weight[i], scale, zero, static_cast<double>(top));
      const auto rounded = std::bit_cast<std::uint32_t>(static_cast<float>(level - zero) * code.scale);
      const auto own = std::bit_cast<std::uint32_t>(weight[i]), mask = 0 - std::uint32_t{drawn[i]};
      noised[i] = std::bit_cast<float>((rounded & mask) | (own & ~mask));
    }
  };
  if (options.granularity == Granularity::per_tensor) {
    const AffineCode code = choose_affine_code(weight, integers, context);
    context.for_blocks(size, kPiece, [&](std::int64_t begin, std::int64_t end) { round(begin, end, code); });
    return;
  }
  context.for_blocks(
      size / row, std::max<std::int64_t>(1, kPiece / row), [&](std::int64_t first, std::int64_t last) {
        const Context alone(1);
        for (std::int64_t o = first; o < last; ++o) {
          round(o * row, (o + 1) * row, choose_affine_code(weight.subspan(o * row, row), integers, alone));
        }
      });
}

void to_centroids(std::span<const float> weight, const BlockGrid& grid, const Places& places,
                  std::span<const std::uint8_t> drawn, const NoiseOptions& options,
                  MatrixView<const float> codebook, const Context& context, std::span<float> noised) {
  std::vector<std::int64_t> chosen;
  for (std::size_t b = 0; b < drawn.size(); ++b) {
    if (drawn[b] != 0) chosen.push_back(static_cast<std::int64_t>(b));
  }
  if (chosen.empty()) return;
  Matrix<float> blocks(std::ssize(chosen), grid.block_size);
  for (std::int64_t i = 0; i < blocks.rows(); ++i) {
    places.for_values(chosen[i], [&](std::int64_t j, std::int64_t at) { blocks(i, j) = weight[at]; });
  }
  const Matrix<float> rounded = noise_codebook(codebook, options);
  const std::vector<std::int32_t> nearest = nearest_centroids(blocks, rounded, {}, context);
  for (std::int64_t i = 0; i < blocks.rows(); ++i) {
    places.for_values(chosen[i],
                      [&](std::int64_t j, std::int64_t at) { noised[at] = rounded(nearest[i], j); });
  }
}

}  // namespace

double noise_rate(const NoiseOptions& options, std::int64_t step) {
  const double span = options.rate - options.first_rate;
  switch (options.schedule) {
    case RateSchedule::constant:
      break;
    case RateSchedule::linear:
      if (step >= options.ramp_steps) break;
      return options.first_rate + span * static_cast<double>(step) / static_cast<double>(options.ramp_steps);
    case RateSchedule::random:
      return options.first_rate +
             span * RandomStream(options.seed, "train.noise.rate").uniform(static_cast<std::uint64_t>(step));
  }
  return options.rate;
}

BlockGrid layer_grid(std::span<const std::int64_t> shape, bool convolution, std::int64_t block_size,
                     BlockLayout layout) {
  // With one channel, blocks along channels would be single weights.
  if (!convolution || shape.size() < 2 || shape[1] == 1) layout = BlockLayout::row;
  BlockGrid grid = block_grid(shape, block_size == 0 ? 1 : block_size, layout);
  if (block_size == 0) {
    const bool whole_kernel = convolution && grid.positions > 1 && layout == BlockLayout::row;
    grid.block_size = whole_kernel ? grid.positions : convolution ? 4 : 8;
  }
  return grid;
}

std::vector<std::uint8_t> draw_blocks(const BlockGrid& grid, const NoiseOptions& options, const Draw& draw,
                                      const Context& context) {
  const std::int64_t per_row = is_integer(options) ? grid.values_per_output() : grid.blocks_per_output();
  const std::int64_t count = per_row * grid.outputs;
  const RandomStream stream(options.seed, "train.noise", draw.step);
  std::vector<std::uint8_t> drawn(static_cast<std::size_t>(count));
  const auto below = static_cast<std::uint64_t>(std::llround(draw.rate * 0x1p32));
  if (below > 0) {
    // A draw uses 32 random bits. Those of a piece stay in the first cache.
    const auto most = static_cast<std::uint32_t>(below - 1);
    context.for_blocks(count, kPiece, [&](std::int64_t begin, std::int64_t end) {
      std::array<std::uint32_t, 1024> words;
      for (std::int64_t first = begin; first < end; first += std::ssize(words)) {
        const std::int64_t some = std::min<std::int64_t>(end - first, std::ssize(words));
        stream.fill_halves(std::span(words).first(some),
                           (draw.layer << 40) + static_cast<std::uint64_t>(first / 2));
        std::transform(words.begin(), words.begin() + some, drawn.begin() + first,
                       [most](std::uint32_t word) { return std::uint8_t{word <= most}; });
      }
    });
  }
  if (draw.kept_row >= 0) std::fill_n(drawn.begin() + draw.kept_row * per_row, per_row, std::uint8_t{0});
  return drawn;
}

DrawnBlocks noise_weight(std::span<const float> weight, const BlockGrid& grid, const NoiseOptions& options,
                         const Draw& draw, MatrixView<const float> codebook, std::span<float> noised,
                         std::span<std::uint8_t> drawn_values, const Context& context) {
  const std::int64_t row = grid.values_per_output();
  const auto fits = [&](std::size_t size) { return static_cast<std::int64_t>(size) == row * grid.outputs; };
  if (!fits(weight.size()) || !fits(noised.size()) || (!drawn_values.empty() && !fits(drawn_values.size()))) {
    refuse("noise_weight: weight, noised and drawn must have as many values as the grid of blocks");
  }
  if (has_codebook(options) && (codebook.rows < 1 || codebook.cols != grid.block_size)) {
    refuse("noise_weight: the product functions need a codebook with centroids of the size of the blocks");
  }
  const std::vector<std::uint8_t> drawn = draw_blocks(grid, options, draw, context);
  const std::int64_t count = std::ssize(drawn);
  const DrawnBlocks blocks{count, std::count(drawn.begin(), drawn.end(), 1)};

  if (is_integer(options)) {
    round_to_integers(weight, row, options, drawn, context, noised);
    if (!drawn_values.empty()) std::copy(drawn.begin(), drawn.end(), drawn_values.begin());
    return blocks;
  }

  std::copy(weight.begin(), weight.end(), noised.begin());
  const Places places(grid);
  if (has_codebook(options)) {
    to_centroids(weight, grid, places, drawn, options, codebook, context, noised);
  } else {
    context.for_blocks(count, kPiece, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t b = begin; b < end; ++b) {
        if (drawn[b] == 0) continue;
        double sum = 0;
        std::int64_t values = 0;
        if (options.function == NoiseFunction::mean) {
          places.for_values(b, [&](std::int64_t, std::int64_t at) { sum += weight[at], ++values; });
        }
        const float value = values == 0 ? 0 : static_cast<float>(sum / static_cast<double>(values));
        places.for_values(b, [&](std::int64_t, std::int64_t at) { noised[at] = value; });
      }
    });
  }
  if (!drawn_values.empty()) {
    std::fill(drawn_values.begin(), drawn_values.end(), std::uint8_t{0});
    for (std::int64_t b = 0; b < count; ++b) {
      if (drawn[b] != 0) places.for_values(b, [&](std::int64_t, std::int64_t at) { drawn_values[at] = 1; });
    }
  }
  return blocks;
}

Matrix<float> learn_noise_codebook(std::span<const float> weight, const BlockGrid& grid,
                                   const NoiseOptions& options, std::int64_t kept_row,
                                   MatrixView<const float> initial, const Context& context) {
  const Matrix<float> blocks = to_blocks(weight, grid);
  std::vector<float> weights;
  std::int64_t count = grid.count();
  if (kept_row >= 0 && grid.outputs > 1) {
    const std::int64_t each = grid.blocks_per_output();
    weights.assign(static_cast<std::size_t>(count), 1.0f);
    std::fill_n(weights.begin() + kept_row * each, each, 0.0f);
    count -= each;
  }
  const KMeansOptions kmeans_options{
      .clusters = std::clamp<std::int64_t>(count / kBlocksPerCentroid, 1, options.centroids),
      .max_iterations = options.max_iterations,
      .seed = options.seed};
  if (initial.rows != kmeans_options.clusters || initial.cols != grid.block_size) initial = {};
  return kmeans(blocks, weights, kmeans_options, initial, context).centroids;
}

Matrix<float> noise_codebook(MatrixView<const float> centroids, const NoiseOptions& options) {
  Matrix<float> out = copy_of(centroids);
  if (options.function == NoiseFunction::product_integer) {
    const IntegerOptions integers{.bits = options.bits, .range = options.range};
    fake_quantize(out.values(), choose_affine_code(out.values(), integers), options.bits, out.values());
  }
  return out;
}

}  // namespace parsimony::quant
