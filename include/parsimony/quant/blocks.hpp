// Cuts weights into blocks, the rows of a matrix, and puts them together again.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "parsimony/core/matrix.hpp"
#include "parsimony/quant/quantized_tensor.hpp"

namespace parsimony::quant {

/// Division of a weight into blocks of d values. No block reaches over two outputs, so grouped and depthwise
/// convolutions, whose outputs see different inputs, are cut like all others.
struct BlockGrid {
  std::int64_t outputs = 0;
  std::int64_t channels = 0;    ///< input channels of a group, C
  std::int64_t positions = 0;   ///< values of a kernel; 1 for a linear layer
  std::int64_t block_size = 0;  ///< d
  BlockLayout layout = BlockLayout::row;

  std::int64_t values_per_output() const { return channels * positions; }
  /// Length of a run: consecutive values that are cut into ⌈length / d⌉ blocks.
  std::int64_t run_length() const { return layout == BlockLayout::row ? values_per_output() : channels; }
  /// Runs of an output: one, or one for each position of the kernel.
  std::int64_t runs() const { return layout == BlockLayout::row ? 1 : positions; }
  std::int64_t blocks_per_output() const { return runs() * ((run_length() + block_size - 1) / block_size); }
  std::int64_t count() const { return outputs * blocks_per_output(); }
  /// Whether the last block of a run is completed by padding.
  bool padded() const { return run_length() % block_size != 0; }
};

/// Throws invalid_argument for a shape that is not 2-D to 5-D or a block size outside 1 to 4096.
BlockGrid block_grid(std::span<const std::int64_t> shape, std::int64_t block_size, BlockLayout layout);

/// Index, among the values of an output, of each coordinate of its blocks; −1 for padding, which ends the
/// last block of a run. With a permutation position p holds input channel [p]. Throws invalid_argument for an
/// order that is not a permutation of the channels.
std::vector<std::int64_t> block_offsets(const BlockGrid& grid,
                                        std::span<const std::int32_t> channel_permutation = {});

/// The blocks, count × d, those of the first output first. values: all values of the weight. Padded
/// coordinates get the value `padding`.
Matrix<float> to_blocks(std::span<const float> values, const BlockGrid& grid,
                        std::span<const std::int32_t> channel_permutation = {}, float padding = 0);

/// The inverse of to_blocks; drops the padding.
std::vector<float> from_blocks(MatrixView<const float> blocks, const BlockGrid& grid,
                               std::span<const std::int32_t> channel_permutation = {});

}  // namespace parsimony::quant
