// How the weight of a layer is cut into blocks where the options leave it open.
#pragma once

#include <cstdint>

#include "parsimony/quant/blocks.hpp"
#include "train/layers.hpp"

namespace parsimony::train {

/// block_size 0: a whole kernel, 4 of convolutions of one position and along channels, 8 of other layers.
inline quant::BlockGrid layer_grid(const Layer& layer, std::int64_t block_size, quant::BlockLayout layout) {
  // Blocks of one channel would be single weights.
  if (!layer.convolution || layer.weight->size(1) == 1) layout = quant::BlockLayout::row;
  const bool whole_kernel = layer.kernel > 1 && layout == quant::BlockLayout::row;
  if (block_size == 0) block_size = whole_kernel ? layer.kernel : layer.convolution ? 4 : 8;
  const auto shape = layer.weight->sizes();
  return quant::block_grid({shape.data(), shape.size()}, block_size, layout);
}

}  // namespace parsimony::train
