// The energies of the 8 × 8 blocks of a channel, and how much of their noise clipping has left.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "images/denoising/pixel_marks.hpp"
#include "parsimony/core/context.hpp"
#include "parsimony/core/matrix.hpp"

namespace parsimony::images {

inline constexpr std::int64_t kNoiseBlockSide = 8;
inline constexpr std::int64_t kNoiseBlockPixels = kNoiseBlockSide * kNoiseBlockSide;
/// Frequencies (k, l) with k + l below this count as low; the mean is neither low nor high.
inline constexpr std::int64_t kLowest = 7;
inline constexpr std::int64_t kLowFrequencies = kLowest * (kLowest + 1) / 2 - 1;
inline constexpr std::int64_t kHighFrequencies = kNoiseBlockPixels - kLowest * (kLowest + 1) / 2;

struct NoiseBlock {
  float mean = 0;
  float low = 0, high = 0;  ///< sums of squares of the cosine transform
  /// Sums of the same squares in the bands k + l of 1 and 2, 3 to 5, 6 and 7, 10 to 14: 5 and three times 15.
  std::array<float, 4> bands{};
  float kept = 0;   ///< the share of the noise's variance that clipping has left; 0: a block not to use
  int clipped = 0;  ///< pixels
};

/// The blocks of at most 2^18 places spread over the channel, a sum of the marked colours whose weights have
/// these squares. `kept` is 0 if a block touches a still pixel, or if more than 5/8 of it are clipped.
std::vector<NoiseBlock> measure_noise_blocks(MatrixView<const float> channel, const PixelMarks& marks,
                                             std::span<const double> squares, const Context& context);

/// The places of the blocks to use: those of which at most a quarter is clipped, or all, if these are fewer
/// than one in eight. Empty where they are fewer than 16, or one in 1000: there is no noise to see.
std::vector<std::int32_t> usable_blocks(const std::vector<NoiseBlock>& blocks);

/// Puts the `count` blocks of least flatness first, in the order of their places.
template <class Flatness>
void select_flattest(std::vector<std::int32_t>& order, std::int64_t count, const Flatness& flatness) {
  const auto flatter = [&](std::int32_t a, std::int32_t b) {
    return std::pair(flatness(a), a) < std::pair(flatness(b), b);
  };
  std::nth_element(order.begin(), order.begin() + (count - 1), order.end(), flatter);
  std::sort(order.begin(), order.begin() + count);
}

}  // namespace parsimony::images
