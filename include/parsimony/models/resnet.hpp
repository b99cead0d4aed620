// Residual networks for small images [he2016deep].
#pragma once

#include <torch/nn/modules/container/sequential.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/linear.h>

#include <cstdint>
#include <memory>

#include "parsimony/core/options.hpp"
#include "parsimony/train/integer_activation.hpp"
#include "parsimony/train/joint_batch_norm.hpp"

namespace parsimony::models {

struct ResNetOptions {
  int depth = 20;  ///< 6 n + 2: three stages of n blocks of two convolutions
  std::int64_t classes = 10;
  int activation_bits = 0;  ///< bits of the integers that convolutions and the classifier read; 0: floats
};

template <OptionsOf<ResNetOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(Field{"depth", "layers with weights, 6 n + 2", 8, 1202}, options.depth);
  visit(Field{"classes", "number of classes", 2, 1 << 20}, options.classes);
  visit(Field{"activation_bits", "bits of the integers that layers read, 2 to 8; 0: floats", 0, 8},
        options.activation_bits);
}

/// The networks for CIFAR-10 of the paper: 16, 32 and 64 channels, and shortcuts without weights (option A:
/// every second pixel, zeros for the new channels). Parameters have the names of the common PyTorch
/// implementation: conv1, bn1, layer1.0.conv1, …, linear. ResNet-20 has 269,722 parameters. With
/// activation_bits each convolution and the classifier has one more buffer: conv1_input.range, ….
class ResNet : public torch::nn::Module {
 public:
  /// Draws the weights of convolutions and the classifier from He's normal distribution by LibTorch's
  /// generator. Throws invalid_argument for a depth other than 6 n + 2.
  explicit ResNet(const ResNetOptions& options = {});

  /// images: n × 3 × h × w, normalized as in training. Returns logits, n × classes. states, if given,
  /// receives the output of each block, and last the input of the classifier.
  torch::Tensor forward(torch::Tensor images, std::vector<torch::Tensor>* states = nullptr);

 private:
  train::IntegerActivation conv1_input_{nullptr}, linear_input_{nullptr};  // empty without activation_bits
  torch::nn::Conv2d conv1_{nullptr};
  train::JointBatchNorm2d bn1_{nullptr};
  torch::nn::Sequential layer1_{nullptr}, layer2_{nullptr}, layer3_{nullptr};
  torch::nn::Linear linear_{nullptr};
};

}  // namespace parsimony::models
