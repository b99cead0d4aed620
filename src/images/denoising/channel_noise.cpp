#include "images/denoising/channel_noise.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <numeric>
#include <vector>

namespace parsimony::images {
namespace {

constexpr std::int64_t kBlockSide = 8;
constexpr std::int64_t kPixels = kBlockSide * kBlockSide;
constexpr std::int64_t kLowest = 7;  // frequencies (k, l) with k + l at or above this count as high
constexpr std::int64_t kMostBlocks = 1 << 18;
constexpr std::int64_t kShare = 100;      // one block in this many is taken for flat
constexpr std::int64_t kFewest = 1024;    // but at least this many, or a quarter where there are fewer
constexpr std::int64_t kFewestSeen = 16;  // blocks, and one in 1000, without which there is no noise to see
constexpr int kClipped = kPixels / 4;     // clipped pixels of a block that is used
constexpr int kMostClipped = kPixels * 5 / 8;  // where fewer than one block in eight has so few
constexpr std::int64_t kRowsPerTask = 8;       // rows of blocks that one task measures

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
  float kept = 0;           // the share of the noise's variance that clipping has left; 0: a block not to use
  int clipped = 0;          // pixels
};

// The variance of max(0, m + Z), Z normal, where the share c / kPixels of its values is 0: m solves Φ(−m) =
// c.
std::array<double, kPixels + 1> variances_by_share() {
  std::array<double, kPixels + 1> out{};
  out[0] = 1;
  const auto below = [](double m) { return std::erfc(m / std::numbers::sqrt2) / 2; };  // Φ(−m)
  for (std::int64_t c = 1; c < kPixels; ++c) {
    double low = -8, high = 8;
    for (int i = 0; i < 60; ++i) {
      const double middle = (low + high) / 2;
      (below(middle) > static_cast<double>(c) / kPixels ? low : high) = middle;
    }
    const double m = low, density = std::exp(-m * m / 2) / std::sqrt(2 * std::numbers::pi);
    const double mean = m * below(-m) + density;
    out[c] = (m * m + 1) * below(-m) + m * density - mean * mean;
  }
  return out;
}

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

// Counts the clipped pixels of the block at (y, x). Leaves `kept` 0 in a block with a still pixel.
void judge(const PixelMarks& marks, std::int64_t y, std::int64_t x, std::span<const double> squares,
           const std::array<double, kPixels + 1>& variances, Block& block) {
  std::array<int, 3> counts{};
  std::uint8_t all = 0;
  for (std::int64_t v = y; v < y + kBlockSide; ++v) {
    const std::uint8_t* row = marks.row(v) + x;
    for (std::int64_t u = 0; u < kBlockSide; ++u) {
      all |= row[u];
      for (std::size_t c = 0; c < squares.size(); ++c) counts[c] += row[u] >> c & 1;
    }
  }
  if ((all & PixelMarks::kStill) != 0) return;
  double kept = 0;
  for (std::size_t c = 0; c < squares.size(); ++c) {
    kept += squares[c] * variances[counts[c]];
    if (squares[c] > 0) block.clipped = std::max(block.clipped, counts[c]);
  }
  block.kept = static_cast<float>(kept);
}

}  // namespace

double estimate_channel_sigma(MatrixView<const float> channel, const PixelMarks& marks,
                              std::span<const double> squares, const Context& context) {
  float most = 0;
  for (std::int64_t y = 0; y < channel.rows; ++y) {
    for (const float value : channel.row(y)) most = std::max(most, std::abs(value));
  }
  const Basis basis = cosines();
  const auto variances = variances_by_share();
  std::int64_t apart = 1;
  while ((channel.rows / apart + 1) * (channel.cols / apart + 1) > kMostBlocks) ++apart;
  const std::int64_t rows = (channel.rows - kBlockSide) / apart + 1,
                     cols = (channel.cols - kBlockSide) / apart + 1;
  std::vector<Block> blocks(static_cast<std::size_t>(rows * cols));
  context.for_blocks(rows, kRowsPerTask, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      for (std::int64_t j = 0; j < cols; ++j) {
        Block block;
        judge(marks, i * apart, j * apart, squares, variances, block);
        if (block.kept > 0 && block.clipped <= kMostClipped) {
          const Block found = energies(basis, channel.row_data(i * apart) + j * apart, channel.stride);
          block.low = found.low / block.kept;  // flatness without the effect of clipping
          block.high = found.high;
        }
        blocks[i * cols + j] = block;
      }
    }
  });
  const auto up_to = [&](int clipped) {
    std::vector<std::int32_t> order;
    for (std::int64_t i = 0; i < rows * cols; ++i) {
      if (blocks[i].kept > 0 && blocks[i].clipped <= clipped) order.push_back(static_cast<std::int32_t>(i));
    }
    return order;
  };
  std::vector<std::int32_t> order = up_to(kClipped);
  if (order.size() < up_to(kPixels).size() / 8) order = up_to(kMostClipped);
  const auto seen = static_cast<std::int64_t>(order.size());
  if (seen < std::max(kFewestSeen, rows * cols / 1000)) return 0;
  const std::int64_t count =
      std::min(seen, std::max({std::min(kFewest, seen / 4), kFewest / 4, seen / kShare}));
  const auto flatter = [&](std::int32_t a, std::int32_t b) {
    return std::pair(blocks[a].low, a) < std::pair(blocks[b].low, b);
  };
  std::nth_element(order.begin(), order.begin() + (count - 1), order.end(), flatter);
  std::sort(order.begin(), order.begin() + count);
  double sum = 0, kept = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    sum += blocks[order[i]].high;
    kept += blocks[order[i]].kept;
  }
  constexpr double kHigh = kPixels - kLowest * (kLowest + 1) / 2;  // frequencies of a block
  const double level = std::sqrt(sum / (kHigh * kept));
  return level < 1e-5 * most ? 0 : level;  // a smaller value is rounding: the image is flat
}

}  // namespace parsimony::images
