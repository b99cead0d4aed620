// ψ of one weight: applies φ to the drawn blocks and leaves the others unchanged.
#pragma once

#include <cstdint>
#include <span>

#include "parsimony/core/context.hpp"
#include "parsimony/core/matrix.hpp"
#include "parsimony/quant/blocks.hpp"
#include "parsimony/train/noise.hpp"

namespace parsimony::train {

/// Determines which blocks of one weight are drawn.
struct Draw {
  double rate = 0;
  std::uint64_t step = 0;
  std::uint64_t layer = 0;     ///< below 2^24
  std::int64_t kept_row = -1;  ///< row whose blocks are never drawn; -1: none
};

struct DrawnBlocks {
  std::int64_t all = 0;
  std::int64_t drawn = 0;
};

/// noised = ψ(weight), both in C order. codebook is used by the product functions alone. drawn, when not
/// empty, receives 1 for each value of a drawn block and 0 for the others.
DrawnBlocks noise_weight(std::span<const float> weight, const quant::BlockGrid& grid,
                         const NoiseOptions& options, const Draw& draw, MatrixView<const float> codebook,
                         std::span<float> noised, std::span<std::uint8_t> drawn, const Context& context);

/// A K × d codebook by k-means on all blocks except those of kept_row; starts from `initial` if that is K ×
/// d.
Matrix<float> learn_codebook(std::span<const float> weight, const quant::BlockGrid& grid,
                             const NoiseOptions& options, std::int64_t kept_row,
                             MatrixView<const float> initial, const Context& context);

}  // namespace parsimony::train
