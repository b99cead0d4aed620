// The networks for images by name, and the form of their inputs. Nothing of LibTorch in it.
#pragma once

#include <cstdint>

#include "parsimony/core/options.hpp"
#include "parsimony/data/efficientnet_shape.hpp"
#include "parsimony/data/image_colors.hpp"

namespace parsimony::models {

enum class ImageNetwork {
  resnet,  ///< for small images, with `depth` layers
  efficientnet_b0,
  efficientnet_b1,
  efficientnet_b2,
  efficientnet_b3,
  efficientnet_b4,
  efficientnet_b5,
  efficientnet_b6,
  efficientnet_b7,
  efficientnet_lite0,
  efficientnet_lite1,
  efficientnet_lite2,
  efficientnet_lite3,
  efficientnet_lite4
};

constexpr auto names_of(ImageNetwork) {
  using enum ImageNetwork;
  return enum_names<ImageNetwork>({{resnet, "resnet"},
                                   {efficientnet_b0, "efficientnet-b0"},
                                   {efficientnet_b1, "efficientnet-b1"},
                                   {efficientnet_b2, "efficientnet-b2"},
                                   {efficientnet_b3, "efficientnet-b3"},
                                   {efficientnet_b4, "efficientnet-b4"},
                                   {efficientnet_b5, "efficientnet-b5"},
                                   {efficientnet_b6, "efficientnet-b6"},
                                   {efficientnet_b7, "efficientnet-b7"},
                                   {efficientnet_lite0, "efficientnet-lite0"},
                                   {efficientnet_lite1, "efficientnet-lite1"},
                                   {efficientnet_lite2, "efficientnet-lite2"},
                                   {efficientnet_lite3, "efficientnet-lite3"},
                                   {efficientnet_lite4, "efficientnet-lite4"}});
}

using data::ConvolutionPadding;
using data::Normalization;

/// Side in pixels of the images that the network was designed for: 224 for EfficientNet-B0 and Lite0, 300 for
/// B3, 32 for ResNets.
std::int64_t image_side(ImageNetwork network);

}  // namespace parsimony::models
