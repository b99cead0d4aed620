#include "parsimony/quant/blocks.hpp"

#include <fmt/format.h>

#include "core/count_of.hpp"
#include "parsimony/core/error.hpp"
#include "quant/codes/check_weight.hpp"

namespace parsimony::quant {
namespace {

constexpr std::int64_t kLargestBlock = 4096;

}  // namespace

BlockGrid block_grid(std::span<const std::int64_t> shape, std::int64_t block_size, BlockLayout layout) {
  const std::int64_t size = checked_size(shape);
  if (block_size < 1 || block_size > kLargestBlock) {
    refuse(fmt::format("block_size: {}; must be 1 to {}", block_size, kLargestBlock));
  }
  return {.outputs = shape[0],
          .channels = shape[1],
          .positions = size / shape[0] / shape[1],
          .block_size = block_size,
          .layout = layout};
}

std::vector<std::int64_t> block_offsets(const BlockGrid& grid,
                                        std::span<const std::int32_t> channel_permutation) {
  check_permutation(channel_permutation, grid.channels);
  const auto channel = [&](std::int64_t p) {
    return channel_permutation.empty() ? p : std::int64_t{channel_permutation[p]};
  };
  const std::int64_t length = grid.run_length();
  const std::int64_t padded = (length + grid.block_size - 1) / grid.block_size * grid.block_size;
  std::vector<std::int64_t> offsets(grid.runs() * padded, -1);
  for (std::int64_t run = 0; run < grid.runs(); ++run) {
    for (std::int64_t i = 0; i < length; ++i) {
      offsets[run * padded + i] = grid.layout == BlockLayout::row
                                      ? channel(i / grid.positions) * grid.positions + i % grid.positions
                                      : channel(i) * grid.positions + run;
    }
  }
  return offsets;
}

Matrix<float> to_blocks(std::span<const float> values, const BlockGrid& grid,
                        std::span<const std::int32_t> channel_permutation, float padding) {
  const std::int64_t n = grid.values_per_output();
  if (std::ssize(values) != grid.outputs * n) {
    refuse(
        fmt::format("blocks: {} for a weight of {} x {}", count_of(values.size(), "value"), grid.outputs, n));
  }
  const std::vector<std::int64_t> offsets = block_offsets(grid, channel_permutation);
  Matrix<float> blocks(grid.count(), grid.block_size);
  float* to = blocks.data();
  for (std::int64_t o = 0; o < grid.outputs; ++o) {
    const float* from = values.data() + o * n;
    for (const std::int64_t offset : offsets) *to++ = offset < 0 ? padding : from[offset];
  }
  return blocks;
}

std::vector<float> from_blocks(MatrixView<const float> blocks, const BlockGrid& grid,
                               std::span<const std::int32_t> channel_permutation) {
  if (blocks.rows != grid.count() || blocks.cols != grid.block_size) {
    refuse(fmt::format("blocks: {} x {}; must be {} x {}", blocks.rows, blocks.cols, grid.count(),
                       grid.block_size));
  }
  const std::vector<std::int64_t> offsets = block_offsets(grid, channel_permutation);
  const std::int64_t n = grid.values_per_output(), each = grid.blocks_per_output();
  std::vector<float> values(grid.outputs * n);
  for (std::int64_t o = 0; o < grid.outputs; ++o) {
    for (std::int64_t b = 0; b < each; ++b) {
      const float* from = blocks.row_data(o * each + b);
      for (std::int64_t j = 0; j < grid.block_size; ++j) {
        const std::int64_t offset = offsets[b * grid.block_size + j];
        if (offset >= 0) values[o * n + offset] = from[j];
      }
    }
  }
  return values;
}

}  // namespace parsimony::quant
