#include "images/denoising/noise_blocks.hpp"

#include <cmath>
#include <numbers>
#include <numeric>

namespace parsimony::images {
namespace {

constexpr std::int64_t kMostBlocks = 1 << 18;
constexpr std::int64_t kFewestSeen = 16;
constexpr int kClipped = kNoiseBlockPixels / 4;
constexpr int kMostClipped = kNoiseBlockPixels * 5 / 8;
constexpr std::int64_t kRowsPerTask = 8;  // rows of blocks that one task measures

using Basis = std::array<std::array<float, kNoiseBlockSide>, kNoiseBlockSide>;

Basis cosines() {
  Basis basis{};
  for (std::int64_t k = 0; k < kNoiseBlockSide; ++k) {
    for (std::int64_t i = 0; i < kNoiseBlockSide; ++i) {
      const double scale = k == 0 ? std::sqrt(1.0 / kNoiseBlockSide) : std::sqrt(2.0 / kNoiseBlockSide);
      const double angle = std::numbers::pi * (2.0 * static_cast<double>(i) + 1) * static_cast<double>(k);
      basis[k][i] = static_cast<float>(scale * std::cos(angle / (2 * kNoiseBlockSide)));
    }
  }
  return basis;
}

// The variance of max(0, m + Z), Z normal, where the share c / kNoiseBlockPixels of its values is 0: m solves
// Φ(−m) = c.
std::array<double, kNoiseBlockPixels + 1> variances_by_share() {
  std::array<double, kNoiseBlockPixels + 1> out{};
  out[0] = 1;
  const auto below = [](double m) { return std::erfc(m / std::numbers::sqrt2) / 2; };  // Φ(−m)
  for (std::int64_t c = 1; c < kNoiseBlockPixels; ++c) {
    double low = -8, high = 8;
    for (int i = 0; i < 60; ++i) {
      const double middle = (low + high) / 2;
      (below(middle) > static_cast<double>(c) / kNoiseBlockPixels ? low : high) = middle;
    }
    const double m = low, density = std::exp(-m * m / 2) / std::sqrt(2 * std::numbers::pi);
    const double mean = m * below(-m) + density;
    out[c] = (m * m + 1) * below(-m) + m * density - mean * mean;
  }
  return out;
}

// Adds the energies of the block at `pixels` to it.
void add_energies(const Basis& basis, const float* pixels, std::int64_t stride, NoiseBlock& block) {
  float across[kNoiseBlockSide][kNoiseBlockSide];  // [row][frequency]
  for (std::int64_t y = 0; y < kNoiseBlockSide; ++y) {
    for (std::int64_t k = 0; k < kNoiseBlockSide; ++k) {
      float sum = 0;
      for (std::int64_t x = 0; x < kNoiseBlockSide; ++x) sum += basis[k][x] * pixels[y * stride + x];
      across[y][k] = sum;
    }
  }
  std::array<float, 2 * kNoiseBlockSide - 1> by_frequency{};  // k + l
  for (std::int64_t k = 0; k < kNoiseBlockSide; ++k) {
    for (std::int64_t l = 0; l < kNoiseBlockSide; ++l) {
      float sum = 0;
      for (std::int64_t y = 0; y < kNoiseBlockSide; ++y) sum += basis[l][y] * across[y][k];
      by_frequency[k + l] += sum * sum;
      if (k + l == 0) block.mean = sum / kNoiseBlockSide;
    }
  }
  const auto between = [&](std::int64_t begin, std::int64_t end) {
    return std::accumulate(by_frequency.begin() + begin, by_frequency.begin() + end, 0.0f);
  };
  block.low = between(1, kLowest);
  block.high = between(kLowest, by_frequency.size());
  block.bands = {between(1, 3), between(3, 6), between(6, 8), between(10, by_frequency.size())};
}

// Counts the clipped pixels of the block at (y, x). Leaves `kept` 0 in a block with a still pixel.
void judge(const PixelMarks& marks, std::int64_t y, std::int64_t x, std::span<const double> squares,
           const std::array<double, kNoiseBlockPixels + 1>& variances, NoiseBlock& block) {
  std::array<int, 3> counts{};
  std::uint8_t all = 0;
  for (std::int64_t v = y; v < y + kNoiseBlockSide; ++v) {
    const std::uint8_t* row = marks.row(v) + x;
    for (std::int64_t u = 0; u < kNoiseBlockSide; ++u) {
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

std::vector<NoiseBlock> measure_noise_blocks(MatrixView<const float> channel, const PixelMarks& marks,
                                             std::span<const double> squares, const Context& context) {
  const Basis basis = cosines();
  const auto variances = variances_by_share();
  std::int64_t apart = 1;
  while ((channel.rows / apart + 1) * (channel.cols / apart + 1) > kMostBlocks) ++apart;
  const std::int64_t rows = (channel.rows - kNoiseBlockSide) / apart + 1,
                     cols = (channel.cols - kNoiseBlockSide) / apart + 1;
  std::vector<NoiseBlock> blocks(static_cast<std::size_t>(rows * cols));
  context.for_blocks(rows, kRowsPerTask, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      for (std::int64_t j = 0; j < cols; ++j) {
        NoiseBlock& block = blocks[i * cols + j];
        judge(marks, i * apart, j * apart, squares, variances, block);
        if (block.clipped > kMostClipped) block.kept = 0;
        if (block.kept == 0) continue;
        add_energies(basis, channel.row_data(i * apart) + j * apart, channel.stride, block);
      }
    }
  });
  return blocks;
}

std::vector<std::int32_t> usable_blocks(const std::vector<NoiseBlock>& blocks) {
  std::vector<std::int32_t> all, few;
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    if (blocks[i].kept == 0) continue;
    all.push_back(static_cast<std::int32_t>(i));
    if (blocks[i].clipped <= kClipped) few.push_back(static_cast<std::int32_t>(i));
  }
  std::vector<std::int32_t>& used = few.size() < all.size() / 8 ? all : few;
  if (std::ssize(used) < std::max<std::int64_t>(kFewestSeen, std::ssize(blocks) / 1000)) return {};
  return std::move(used);
}

}  // namespace parsimony::images
