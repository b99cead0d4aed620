// The layers of a convolutional network with batch norm, found by the names and shapes of its tensors.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "parsimony/quant/model_tensors.hpp"

namespace parsimony::quant {

enum class Activation { none, relu, relu6, silu };

/// A convolution or linear layer, the batch norm that follows it, and the activation after that.
struct NormedLayer {
  static constexpr std::int64_t kUnknown = -1;  ///< for input and added: values of which nothing is known
  static constexpr std::int64_t kNothing = -2;  ///< for added

  std::string weight;      ///< name of its tensor
  std::string batch_norm;  ///< "m." of m.running_mean; empty: there is none, and the layer has a bias
  Activation activation = Activation::none;
  std::int64_t input = kUnknown;  ///< the layer whose output it reads
  std::int64_t added = kNothing;  ///< the layer whose output is added before the activation
};

/// The layers in the order in which they run, so that input and added are earlier ones. Knows the names of
/// timm's EfficientNet and MobileNet, torchvision's MobileNetV2, and ResNets with or without bottlenecks
/// (torchvision, timm, and those for CIFAR without max pooling, whose stem has a kernel of 3). Empty for
/// other networks.
///
/// Activations follow from the family: ReLU for ResNets; for the others SiLU where there is squeeze and
/// excitation, whose outputs count as unknown, and ReLU6 elsewhere.
std::vector<NormedLayer> normed_layers(const ModelTensors& model);

}  // namespace parsimony::quant
