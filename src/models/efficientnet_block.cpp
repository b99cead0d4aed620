#include "models/efficientnet_block.hpp"

#include "train/step_stop.hpp"

namespace parsimony::models {

torch::Tensor efficientnet_activation(const torch::Tensor& x, bool lite) {
  return lite ? torch::clamp(x, 0, 6) : torch::silu(x);
}

torch::nn::Conv2d efficientnet_convolution(std::int64_t in, std::int64_t out, std::int64_t kernel,
                                           std::int64_t stride, std::int64_t groups,
                                           data::ConvolutionPadding padding) {
  const bool pads = padding == data::ConvolutionPadding::symmetric || stride == 1;
  return torch::nn::Conv2d(torch::nn::Conv2dOptions(in, out, kernel)
                               .stride(stride)
                               .padding(pads ? (kernel - 1) / 2 : 0)
                               .groups(groups)
                               .bias(false));
}

torch::Tensor pad_as_tensorflow(const torch::Tensor& x, std::int64_t kernel, std::int64_t stride) {
  const auto side = [&](std::int64_t size) {
    return data::convolution_side(size, kernel, stride, data::ConvolutionPadding::same);
  };
  const data::ConvolutionSide down = side(x.size(2)), across = side(x.size(3));
  return torch::constant_pad_nd(x, {across.before, across.after, down.before, down.after});
}

train::JointBatchNorm2d efficientnet_norm(std::int64_t channels, data::ConvolutionPadding padding) {
  return train::JointBatchNorm2d(
      torch::nn::BatchNorm2dOptions(channels).eps(data::batch_norm_epsilon(padding)));
}

struct EfficientNetBlock::SqueezeExcite : torch::nn::Module {
  SqueezeExcite(std::int64_t channels, std::int64_t reduced)
      : reduce(register_module("conv_reduce", torch::nn::Conv2d(channels, reduced, 1))),
        expand(register_module("conv_expand", torch::nn::Conv2d(reduced, channels, 1))) {}

  torch::Tensor forward(const torch::Tensor& x) {
    return x * torch::sigmoid(expand(torch::silu(reduce(x.mean({2, 3}, true)))));
  }

  torch::nn::Conv2d reduce, expand;
};

EfficientNetBlock::EfficientNetBlock(const EfficientNetBlockOptions& options) : options_(options) {
  const data::EfficientNetBlockShape& shape = options.shape;
  const std::int64_t wide = shape.wide();
  const data::ConvolutionPadding padding = options.padding;
  if (shape.expansion > 1) {
    expand_ = register_module("conv_pw", efficientnet_convolution(shape.in, wide, 1, 1, 1, padding));
    expand_norm_ = register_module("bn1", efficientnet_norm(wide, padding));
  }
  depthwise_ = register_module(
      "conv_dw", efficientnet_convolution(wide, wide, shape.kernel, shape.stride, wide, padding));
  depthwise_norm_ = register_module(shape.depthwise_norm(), efficientnet_norm(wide, padding));
  if (shape.reduced > 0) {
    squeeze_excite_ = register_module("se", std::make_shared<SqueezeExcite>(wide, shape.reduced));
  }
  project_ = register_module(shape.projection(), efficientnet_convolution(wide, shape.out, 1, 1, 1, padding));
  project_norm_ = register_module(shape.projection_norm(), efficientnet_norm(shape.out, padding));
}

torch::Tensor EfficientNetBlock::forward(const torch::Tensor& x) {
  train::check_step();
  const data::EfficientNetBlockShape& shape = options_.shape;
  const bool lite = options_.lite;
  torch::Tensor y = x;
  if (!expand_.is_empty()) y = efficientnet_activation(expand_norm_(expand_(y)), lite);
  if (options_.padding == data::ConvolutionPadding::same && shape.stride > 1) {
    y = pad_as_tensorflow(y, shape.kernel, shape.stride);
  }
  y = efficientnet_activation(depthwise_norm_(depthwise_(y)), lite);
  if (squeeze_excite_) y = squeeze_excite_->forward(y);
  y = project_norm_(project_(y));
  if (!shape.adds_input()) return y;
  if (is_training() && options_.drop_connect > 0) {
    const double keep = 1 - options_.drop_connect;
    y = y * torch::empty({y.size(0), 1, 1, 1}, y.options()).bernoulli_(keep) / keep;
  }
  return x + y;
}

}  // namespace parsimony::models
