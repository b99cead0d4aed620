// EfficientNets, networks for photographs [tan2019efficientnet].
#pragma once

#include <torch/nn/modules/container/modulelist.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/linear.h>

#include <cstdint>
#include <vector>

#include "parsimony/core/options.hpp"
#include "parsimony/data/efficientnet_shape.hpp"
#include "parsimony/models/image_network.hpp"
#include "parsimony/train/joint_batch_norm.hpp"

namespace parsimony::models {

using data::EfficientNetVariant;

struct EfficientNetOptions {
  EfficientNetVariant variant = EfficientNetVariant::lite0;  ///< larger ones are slower and better
  std::int64_t classes = 1000;
  ConvolutionPadding padding = ConvolutionPadding::same;  ///< as the weights were trained
  /// Dropout before the classifier, in training alone. auto: the authors', 0.2 (B0) to 0.5 (B7).
  double dropout = -1;
  /// Rate at which the last block is skipped for an example, in training alone; earlier blocks have
  /// proportionally lower rates. 0 for short fine-tuning.
  double drop_connect = 0.2;
};

template <OptionsOf<EfficientNetOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(Field{"variant", "b0 to b7, or lite0 to lite4"}, options.variant);
  visit(Field{"classes", "number of classes", 2, 1 << 20}, options.classes);
  visit(Field{"padding", "zeros around the inputs: same as in TensorFlow, or symmetric"}, options.padding);
  visit(Field{"dropout", "dropout before the classifier; auto: by the variant", 0, 0.99, "auto", -1},
        options.dropout);
  visit(Field{"drop_connect", "rate at which the last block is skipped; lower for earlier ones", 0, 0.99},
        options.drop_connect);
}

/// Side in pixels of the images that the variant was designed for: 224 for B0 and Lite0, 300 for B3.
std::int64_t image_side(EfficientNetVariant variant);

/// Parameters have timm's names: conv_stem, bn1, blocks.0.0.conv_dw, …, blocks.2.1.se.conv_reduce, …,
/// conv_head, bn2, classifier. With 1000 classes B0 has 5,288,548 parameters, B3 12,233,232, Lite0 4,652,008.
/// Widths are rounded to multiples of 8, and repetitions up, as by the authors.
class EfficientNet : public torch::nn::Module {
 public:
  /// Draws the weights by LibTorch's generator as the authors do: convolutions normal with the variance
  /// 2 / (outputs · kernel / groups), the classifier uniform in ±1 / √classes. Throws invalid_argument for
  /// options out of range.
  explicit EfficientNet(const EfficientNetOptions& options = {});

  /// images: n × 3 × h × w, normalized as in training; any h and w of at least 32. Returns logits,
  /// n × classes. states, if given, receives the output of each block, and last the input of the classifier
  /// before dropout.
  torch::Tensor forward(torch::Tensor images, std::vector<torch::Tensor>* states = nullptr);

 private:
  bool lite_;
  ConvolutionPadding padding_;
  double dropout_;
  torch::nn::Conv2d conv_stem_{nullptr};
  train::JointBatchNorm2d bn1_{nullptr};
  torch::nn::ModuleList blocks_{nullptr};
  torch::nn::Conv2d conv_head_{nullptr};
  train::JointBatchNorm2d bn2_{nullptr};
  torch::nn::Linear classifier_{nullptr};
};

}  // namespace parsimony::models
