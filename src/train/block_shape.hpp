// The default blocks of the weight of a layer.
#pragma once

#include <cstdint>

#include "parsimony/quant/blocks.hpp"
#include "train/layers.hpp"

namespace parsimony::train {

/// block_size 0 (auto) is a whole kernel; 4 for convolutions with one position and along channels; 8 for
/// other layers.
inline quant::BlockGrid layer_grid(const Layer& layer, std::int64_t block_size, quant::BlockLayout layout) {
  // With one channel, blocks along channels would be single weights.
  if (!layer.convolution || layer.weight->size(1) == 1) layout = quant::BlockLayout::row;
  const bool whole_kernel = layer.kernel > 1 && layout == quant::BlockLayout::row;
  if (block_size == 0) block_size = whole_kernel ? layer.kernel : layer.convolution ? 4 : 8;
  const auto shape = layer.weight->sizes();
  return quant::block_grid({shape.data(), shape.size()}, block_size, layout);
}

}  // namespace parsimony::train
