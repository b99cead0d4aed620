// Makes networks for images by name.
#pragma once

#include "parsimony/models/image_task.hpp"

namespace parsimony::models {

/// Draws the weights by LibTorch's generator. Reads network, depth, activation_bits, padding and drop_connect
/// of the options. Throws invalid_argument for activation_bits of an EfficientNet.
ImageModel make_image_model(const ImageTaskOptions& options, std::int64_t classes);

}  // namespace parsimony::models
