// ψ of one weight: the drawn blocks through φ, the others as they are.
#pragma once

#include <cstdint>
#include <span>

#include "parsimony/core/context.hpp"
#include "parsimony/core/matrix.hpp"
#include "parsimony/quant/blocks.hpp"
#include "parsimony/train/noise.hpp"

namespace parsimony::train {

/// What one weight is drawn by.
struct Draw {
  double rate = 0;
  std::uint64_t step = 0;
  std::uint64_t layer = 0;     ///< below 2^24
  std::int64_t kept_row = -1;  ///< whose blocks are never drawn
};

struct DrawnBlocks {
  std::int64_t all = 0;
  std::int64_t drawn = 0;
};

/// noised: ψ(weight), both in C order. codebook: of the product functions. drawn, when not empty, receives a
/// 1 for each value of a drawn block, 0 for others.
DrawnBlocks noise_weight(std::span<const float> weight, const quant::BlockGrid& grid,
                         const NoiseOptions& options, const Draw& draw, MatrixView<const float> codebook,
                         std::span<float> noised, std::span<std::uint8_t> drawn, const Context& context);

/// K × d by k-means on the blocks but those of kept_row, from `initial` where that is K × d too.
Matrix<float> learn_codebook(std::span<const float> weight, const quant::BlockGrid& grid,
                             const NoiseOptions& options, std::int64_t kept_row,
                             MatrixView<const float> initial, const Context& context);

}  // namespace parsimony::train
