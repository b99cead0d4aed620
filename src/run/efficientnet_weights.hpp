// The tensors of EfficientNets.
#pragma once

#include <string>
#include <vector>

#include "parsimony/data/efficientnet_shape.hpp"
#include "run/weights.hpp"

namespace parsimony::run {

/// The tensors of the network in timm's names. `classes` is the first dimension of the classifier.
struct NamedShape {
  std::string name;
  std::vector<std::int64_t> shape;
};
std::vector<NamedShape> efficientnet_tensors(const data::EfficientNetShape& shape, std::int64_t classes);

/// The name of a block, as blocks.2.1.
std::string block_name(std::size_t stage, std::size_t block);

/// The variant whose tensors the file has. Throws format, with the first tensor that differs from the nearest
/// variant, where none fits.
data::EfficientNetVariant find_variant(const Weights& weights);

}  // namespace parsimony::run
