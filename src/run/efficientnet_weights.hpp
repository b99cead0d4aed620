// The tensors of EfficientNets.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "parsimony/data/efficientnet_shape.hpp"
#include "parsimony/run/image_network.hpp"
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

/// The padding of `choice`, or by the config.json in `folder`, without one by the metadata of the file,
/// without that by the config.json beside the model.
data::ConvolutionPadding chosen_padding(PaddingChoice choice, const Weights& weights,
                                        const std::filesystem::path& model,
                                        const std::filesystem::path& folder);

}  // namespace parsimony::run
