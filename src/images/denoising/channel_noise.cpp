#include "images/denoising/channel_noise.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "images/denoising/noise_blocks.hpp"

namespace parsimony::images {
namespace {

constexpr std::int64_t kShare = 100;    // one block in this many is taken for flat
constexpr std::int64_t kFewest = 1024;  // but at least this many, or a quarter where there are fewer

// The noise of the middle band, if the blocks that are flattest in the coarsest band say that it is
// correlated, else 0. JPEG and demosaicking leave little of the finest band. So do textures, but their
// spectrum rises as steeply from the third band to the middle one.
double correlated_sigma(const std::vector<NoiseBlock>& blocks, std::vector<std::int32_t> order,
                        std::int64_t count) {
  // Without the three quarters of more texture, those with fine stripes on an even ground are not taken.
  const std::int64_t quarter = std::max(count, std::ssize(order) / 4);
  select_flattest(order, quarter, [&](std::int32_t i) { return blocks[i].low / blocks[i].kept; });
  order.resize(quarter);
  select_flattest(order, count, [&](std::int32_t i) { return blocks[i].bands[0] / blocks[i].kept; });
  std::array<double, 4> sums{};
  double kept = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    for (std::size_t band = 0; band < sums.size(); ++band) sums[band] += blocks[order[i]].bands[band];
    kept += blocks[order[i]].kept;
  }
  constexpr double kFrequencies = 15;  // in each band but the coarsest
  constexpr double kSteep = 2, kFalling = 1.4, kBend = 1.3;
  const double to_middle = std::sqrt(sums[1] / sums[2]), from_finest = std::sqrt(sums[2] / sums[3]);
  const bool correlated = from_finest > kSteep || (from_finest > kFalling && from_finest > kBend * to_middle);
  if (!correlated) return 0;
  // Where the spectrum still rises at the middle band, the coarser ones have more.
  return std::sqrt(sums[1] / (kFrequencies * kept)) * std::pow(std::max(1.0, to_middle), 0.25);
}

}  // namespace

ChannelNoise estimate_channel_noise(MatrixView<const float> channel, const PixelMarks& marks,
                                    std::span<const double> squares, const Context& context) {
  float most = 0;
  for (std::int64_t y = 0; y < channel.rows; ++y) {
    for (const float value : channel.row(y)) most = std::max(most, std::abs(value));
  }
  const std::vector<NoiseBlock> blocks = measure_noise_blocks(channel, marks, squares, context);
  std::vector<std::int32_t> order = usable_blocks(blocks);
  if (order.empty()) return {};
  const auto seen = static_cast<std::int64_t>(order.size());
  const std::int64_t count =
      std::min(seen, std::max({std::min(kFewest, seen / 4), kFewest / 4, seen / kShare}));
  if (const double sigma = correlated_sigma(blocks, order, count); sigma > 1e-5 * most) return {sigma, true};
  select_flattest(order, count, [&](std::int32_t i) { return blocks[i].low / blocks[i].kept; });
  double sum = 0, kept = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    sum += blocks[order[i]].high;
    kept += blocks[order[i]].kept;
  }
  const double level = std::sqrt(sum / (kHighFrequencies * kept));
  return {.sigma = level < 1e-5 * most ? 0 : level};  // a smaller value is rounding: the image is flat
}

}  // namespace parsimony::images
