#include "models/efficientnet_block.hpp"

#include <algorithm>

namespace parsimony::models {

torch::Tensor efficientnet_activation(const torch::Tensor& x, bool lite) {
  return lite ? torch::clamp(x, 0, 6) : torch::silu(x);
}

torch::nn::Conv2d efficientnet_convolution(std::int64_t in, std::int64_t out, std::int64_t kernel,
                                           std::int64_t stride, std::int64_t groups, bool same) {
  const std::int64_t padding = same && stride > 1 ? 0 : (kernel - 1) / 2;
  return torch::nn::Conv2d(
      torch::nn::Conv2dOptions(in, out, kernel).stride(stride).padding(padding).groups(groups).bias(false));
}

torch::Tensor pad_as_tensorflow(const torch::Tensor& x, std::int64_t kernel, std::int64_t stride) {
  const auto zeros = [&](std::int64_t size) {
    const std::int64_t outputs = (size + stride - 1) / stride;
    return std::max<std::int64_t>(0, (outputs - 1) * stride + kernel - size);
  };
  const std::int64_t down = zeros(x.size(2)), across = zeros(x.size(3));
  return torch::constant_pad_nd(x, {across / 2, across - across / 2, down / 2, down - down / 2});
}

torch::nn::BatchNorm2d efficientnet_norm(std::int64_t channels, bool same) {
  return torch::nn::BatchNorm2d(torch::nn::BatchNorm2dOptions(channels).eps(same ? 1e-3 : 1e-5));
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
  const auto& [in, out, kernel, stride, expansion, drop_connect, style] = options;
  const std::int64_t wide = in * expansion;
  const bool same = style.same;
  // timm's names: without expansion the projection is conv_pw, with it conv_pwl.
  if (expansion > 1) {
    expand_ = register_module("conv_pw", efficientnet_convolution(in, wide, 1, 1, 1, same));
    expand_norm_ = register_module("bn1", efficientnet_norm(wide, same));
  }
  depthwise_ = register_module("conv_dw", efficientnet_convolution(wide, wide, kernel, stride, wide, same));
  depthwise_norm_ = register_module(expansion > 1 ? "bn2" : "bn1", efficientnet_norm(wide, same));
  if (!style.lite) {
    squeeze_excite_ =
        register_module("se", std::make_shared<SqueezeExcite>(wide, std::max<std::int64_t>(1, in / 4)));
  }
  project_ = register_module(expansion > 1 ? "conv_pwl" : "conv_pw",
                             efficientnet_convolution(wide, out, 1, 1, 1, same));
  project_norm_ = register_module(expansion > 1 ? "bn3" : "bn2", efficientnet_norm(out, same));
}

torch::Tensor EfficientNetBlock::forward(const torch::Tensor& x) {
  const bool lite = options_.style.lite;
  torch::Tensor y = x;
  if (!expand_.is_empty()) y = efficientnet_activation(expand_norm_(expand_(y)), lite);
  if (options_.style.same && options_.stride > 1) y = pad_as_tensorflow(y, options_.kernel, options_.stride);
  y = efficientnet_activation(depthwise_norm_(depthwise_(y)), lite);
  if (squeeze_excite_) y = squeeze_excite_->forward(y);
  y = project_norm_(project_(y));
  if (options_.stride != 1 || options_.in != options_.out) return y;
  if (is_training() && options_.drop_connect > 0) {
    const double keep = 1 - options_.drop_connect;
    y = y * torch::empty({y.size(0), 1, 1, 1}, y.options()).bernoulli_(keep) / keep;
  }
  return x + y;
}

}  // namespace parsimony::models
