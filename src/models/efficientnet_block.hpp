// The inverted residual block of EfficientNet, with its parts.
#pragma once

#include <torch/torch.h>

#include <cstdint>

#include "parsimony/data/efficientnet_shape.hpp"
#include "parsimony/train/joint_batch_norm.hpp"

namespace parsimony::models {

torch::Tensor efficientnet_activation(const torch::Tensor& x, bool lite);

/// A convolution without bias. With TensorFlow's padding and a stride above 1, pad_as_tensorflow() adds the
/// zeros.
torch::nn::Conv2d efficientnet_convolution(std::int64_t in, std::int64_t out, std::int64_t kernel,
                                           std::int64_t stride, std::int64_t groups,
                                           data::ConvolutionPadding padding);

/// Adds the zeros that a convolution with a stride above 1 needs for ⌈size / stride⌉ outputs.
torch::Tensor pad_as_tensorflow(const torch::Tensor& x, std::int64_t kernel, std::int64_t stride);

train::JointBatchNorm2d efficientnet_norm(std::int64_t channels, data::ConvolutionPadding padding);

struct EfficientNetBlockOptions {
  data::EfficientNetBlockShape shape;
  data::ConvolutionPadding padding = data::ConvolutionPadding::same;
  bool lite = false;  ///< ReLU6 instead of SiLU
  double drop_connect = 0;
};

/// Expansion by 1 × 1, depthwise convolution, squeeze and excitation, projection by 1 × 1; the input is added
/// if it has the shape of the output.
class EfficientNetBlock : public torch::nn::Module {
 public:
  explicit EfficientNetBlock(const EfficientNetBlockOptions& options);

  torch::Tensor forward(const torch::Tensor& x);

 private:
  struct SqueezeExcite;

  EfficientNetBlockOptions options_;
  torch::nn::Conv2d expand_{nullptr};
  train::JointBatchNorm2d expand_norm_{nullptr};
  torch::nn::Conv2d depthwise_{nullptr};
  train::JointBatchNorm2d depthwise_norm_{nullptr};
  std::shared_ptr<SqueezeExcite> squeeze_excite_;
  torch::nn::Conv2d project_{nullptr};
  train::JointBatchNorm2d project_norm_{nullptr};
};

}  // namespace parsimony::models
