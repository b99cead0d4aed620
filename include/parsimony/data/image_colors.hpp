// The mean and the standard deviation of colours, by which images are normalized for a network.
#pragma once

#include <array>

#include "parsimony/core/options.hpp"

namespace parsimony::data {

enum class Normalization {
  by_network,  ///< centered for EfficientNet-Lite, imagenet for all others
  imagenet,    ///< used for the published weights of ResNet-20 to 56, on CIFAR-10 too, and EfficientNet-B
  cifar10,
  centered  ///< (value − 127) / 128
};

constexpr auto names_of(Normalization) {
  using enum Normalization;
  return enum_names<Normalization>(
      {{by_network, "auto"}, {imagenet, "imagenet"}, {cifar10, "cifar10"}, {centered, "centered"}});
}

struct ImageColors {
  std::array<float, 3> mean, deviation;  ///< on the scale 0 to 1
};

/// lite: whether the network is an EfficientNet-Lite, for by_network.
ImageColors image_colors(Normalization normalization, bool lite);

}  // namespace parsimony::data
