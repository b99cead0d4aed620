// Weights as rows of blocks, and back.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "parsimony/core/matrix.hpp"
#include "parsimony/quant/quantized_tensor.hpp"

namespace parsimony::quant {

/// How the weights of one shape are cut into blocks of d. No block reaches over two outputs, so that grouped
/// and depthwise convolutions, whose outputs see different inputs, need nothing of their own.
struct BlockGrid {
  std::int64_t outputs = 0;
  std::int64_t channels = 0;    ///< input channels of a group, C
  std::int64_t positions = 0;   ///< of the kernel
  std::int64_t block_size = 0;  ///< d
  BlockLayout layout = BlockLayout::row;

  std::int64_t values_per_output() const { return channels * positions; }
  /// Consecutive values that are cut into ⌈length / d⌉ blocks: one run per output, or per kernel position.
  std::int64_t run_length() const { return layout == BlockLayout::row ? values_per_output() : channels; }
  std::int64_t runs() const { return layout == BlockLayout::row ? 1 : positions; }
  std::int64_t blocks_per_output() const { return runs() * ((run_length() + block_size - 1) / block_size); }
  std::int64_t count() const { return outputs * blocks_per_output(); }
  bool padded() const { return run_length() % block_size != 0; }
};

/// Throws invalid_argument for a shape that is not of 2 to 5 dimensions or a block outside 1 to 4096.
BlockGrid block_grid(std::span<const std::int64_t> shape, std::int64_t block, BlockLayout layout);

/// For each coordinate of the blocks of one output, in order, the index of its value among those of the
/// output; −1 is padding, which comes last in the last block of a run. With a permutation position p holds
/// input channel [p]. Throws invalid_argument if it is none.
std::vector<std::int64_t> block_offsets(const BlockGrid& grid,
                                        std::span<const std::int32_t> channel_permutation = {});

/// count × d, the blocks of the first output first; `padding` where there is no value. values: as many as the
/// grid has weights.
Matrix<float> to_blocks(std::span<const float> values, const BlockGrid& grid,
                        std::span<const std::int32_t> channel_permutation = {}, float padding = 0);

/// The inverse; drops the padding.
std::vector<float> from_blocks(MatrixView<const float> blocks, const BlockGrid& grid,
                               std::span<const std::int32_t> channel_permutation = {});

}  // namespace parsimony::quant
