// Makes networks for images by name.
#pragma once

#include "parsimony/models/efficientnet.hpp"
#include "parsimony/models/image_task.hpp"

namespace parsimony::models {

/// The variant of an EfficientNet. network: not resnet.
EfficientNetVariant variant_of(ImageNetwork network);

/// Draws the weights by LibTorch's generator. It uses the options network, depth, activation_bits, padding,
/// dropout and drop_connect. Throws invalid_argument if activation_bits is set for an EfficientNet.
ImageModel make_image_model(const ImageTaskOptions& options, std::int64_t classes);

}  // namespace parsimony::models
