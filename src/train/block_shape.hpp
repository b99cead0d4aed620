// The blocks of the weight of a layer.
#pragma once

#include <cstdint>

#include "parsimony/quant/noise.hpp"
#include "train/layers.hpp"

namespace parsimony::train {

inline quant::BlockGrid layer_grid(const Layer& layer, std::int64_t block_size, quant::BlockLayout layout) {
  const auto shape = layer.weight->sizes();
  return quant::layer_grid({shape.data(), shape.size()}, layer.convolution, block_size, layout);
}

}  // namespace parsimony::train
