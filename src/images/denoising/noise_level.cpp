#include "parsimony/images/noise_level.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <numeric>
#include <vector>

#include "images/energy/check_image.hpp"
#include "parsimony/core/error.hpp"

namespace parsimony::images {
namespace {

constexpr std::int64_t kBlockSide = 8;
constexpr std::int64_t kLowest = 7;  // frequencies (k, l) with k + l at or above this count as high
constexpr std::int64_t kMostBlocks = 1 << 18;
constexpr std::int64_t kShare = 100;      // one block in this many is taken for flat
constexpr std::int64_t kFewest = 1024;    // but at least this many
constexpr std::int64_t kRowsPerTask = 8;  // rows of blocks that one task measures

using Basis = std::array<std::array<float, kBlockSide>, kBlockSide>;

Basis cosines() {
  Basis basis{};
  for (std::int64_t k = 0; k < kBlockSide; ++k) {
    for (std::int64_t i = 0; i < kBlockSide; ++i) {
      const double scale = k == 0 ? std::sqrt(1.0 / kBlockSide) : std::sqrt(2.0 / kBlockSide);
      const double angle = std::numbers::pi * (2.0 * static_cast<double>(i) + 1) * static_cast<double>(k);
      basis[k][i] = static_cast<float>(scale * std::cos(angle / (2 * kBlockSide)));
    }
  }
  return basis;
}

struct Block {
  float low = 0, high = 0;  // sums of squares, without the mean
};

Block energies(const Basis& basis, const float* pixels, std::int64_t stride) {
  float across[kBlockSide][kBlockSide];  // [row][frequency]
  for (std::int64_t y = 0; y < kBlockSide; ++y) {
    for (std::int64_t k = 0; k < kBlockSide; ++k) {
      float sum = 0;
      for (std::int64_t x = 0; x < kBlockSide; ++x) sum += basis[k][x] * pixels[y * stride + x];
      across[y][k] = sum;
    }
  }
  Block block;
  for (std::int64_t k = 0; k < kBlockSide; ++k) {
    for (std::int64_t l = 0; l < kBlockSide; ++l) {
      if (k + l == 0) continue;
      float sum = 0;
      for (std::int64_t y = 0; y < kBlockSide; ++y) sum += basis[l][y] * across[y][k];
      (k + l < kLowest ? block.low : block.high) += sum * sum;
    }
  }
  return block;
}

}  // namespace

double estimate_sigma(MatrixView<const float> image, const Context& context) {
  constexpr std::int64_t kLeast = 16;
  if (image.rows < kLeast || image.cols < kLeast) {
    refuse(
        fmt::format("image: the noise cannot be estimated from {} × {} pixels; at least {} × {} are needed",
                    image.cols, image.rows, kLeast, kLeast));
  }
  check_image(image);
  float most = 0;
  for (std::int64_t y = 0; y < image.rows; ++y) {
    for (const float value : image.row(y)) most = std::max(most, std::abs(value));
  }
  const Basis basis = cosines();
  std::int64_t apart = 1;
  while ((image.rows / apart + 1) * (image.cols / apart + 1) > kMostBlocks) ++apart;
  const std::int64_t rows = (image.rows - kBlockSide) / apart + 1,
                     cols = (image.cols - kBlockSide) / apart + 1;
  std::vector<Block> blocks(static_cast<std::size_t>(rows * cols));
  context.for_blocks(rows, kRowsPerTask, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      for (std::int64_t j = 0; j < cols; ++j) {
        blocks[i * cols + j] = energies(basis, image.row_data(i * apart) + j * apart, image.stride);
      }
    }
  });
  std::vector<std::int32_t> order(blocks.size());
  std::iota(order.begin(), order.end(), 0);
  const std::int64_t count = std::min(rows * cols, std::max(kFewest, rows * cols / kShare));
  const auto flatter = [&](std::int32_t a, std::int32_t b) {
    return std::pair(blocks[a].low, a) < std::pair(blocks[b].low, b);
  };
  std::nth_element(order.begin(), order.begin() + (count - 1), order.end(), flatter);
  std::sort(order.begin(), order.begin() + count);
  double sum = 0;
  for (std::int64_t i = 0; i < count; ++i) sum += blocks[order[i]].high;
  constexpr double kHigh = kBlockSide * kBlockSide - kLowest * (kLowest + 1) / 2;  // frequencies of a block
  const double level = std::sqrt(sum / (kHigh * static_cast<double>(count)));
  return level < 1e-5 * most ? 0 : level;  // a smaller value is rounding: the image is flat
}

}  // namespace parsimony::images
