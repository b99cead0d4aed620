#include "parsimony/models/efficientnet.hpp"

#include <fmt/format.h>
#include <torch/torch.h>

#include <array>
#include <cmath>

#include "models/efficientnet_block.hpp"
#include "parsimony/core/error.hpp"

namespace parsimony::models {
namespace {

struct Stage {
  std::int64_t repeats, kernel, stride, expansion, channels;
};

// Table 1 of the paper.
constexpr std::array kStages{Stage{1, 3, 1, 1, 16}, Stage{2, 3, 2, 6, 24},  Stage{2, 5, 2, 6, 40},
                             Stage{3, 3, 2, 6, 80}, Stage{3, 5, 1, 6, 112}, Stage{4, 5, 2, 6, 192},
                             Stage{1, 3, 1, 6, 320}};
constexpr std::int64_t kStem = 32, kHead = 1280;

struct Scaling {
  double width, depth;
  std::int64_t side;
  double dropout;
};

// The scaling of the authors' program.
Scaling scaling_of(EfficientNetVariant variant) {
  using enum EfficientNetVariant;
  switch (variant) {
    case b0:
      return {1, 1, 224, 0.2};
    case b1:
      return {1, 1.1, 240, 0.2};
    case b2:
      return {1.1, 1.2, 260, 0.3};
    case b3:
      return {1.2, 1.4, 300, 0.3};
    case b4:
      return {1.4, 1.8, 380, 0.4};
    case b5:
      return {1.6, 2.2, 456, 0.4};
    case b6:
      return {1.8, 2.6, 528, 0.5};
    case b7:
      return {2, 3.1, 600, 0.5};
    case lite0:
      return {1, 1, 224, 0.2};
    case lite1:
      return {1, 1.1, 240, 0.2};
    case lite2:
      return {1.1, 1.2, 260, 0.3};
    case lite3:
      return {1.2, 1.4, 280, 0.3};
    case lite4:
      return {1.4, 1.8, 300, 0.3};
  }
  refuse("variant: not one of EfficientNet's");
}

// The nearest multiple of 8, and the next one where that loses more than a tenth.
std::int64_t scaled_channels(std::int64_t channels, double width) {
  const double scaled = static_cast<double>(channels) * width;
  const auto nearest = std::max<std::int64_t>(8, static_cast<std::int64_t>(scaled + 4) / 8 * 8);
  return static_cast<double>(nearest) < 0.9 * scaled ? nearest + 8 : nearest;
}

void draw_weights(torch::nn::Module& model) {
  const torch::NoGradGuard no_gradient;
  for (const auto& module : model.modules(false)) {
    if (auto* convolution = module->as<torch::nn::Conv2d>()) {
      const torch::Tensor& weight = convolution->weight;
      const auto fan = static_cast<double>(weight.size(0) * weight.size(2) * weight.size(3)) /
                       static_cast<double>(convolution->options.groups());
      weight.normal_(0, std::sqrt(2 / fan));
      if (convolution->bias.defined()) convolution->bias.zero_();
    } else if (auto* linear = module->as<torch::nn::Linear>()) {
      const double bound = 1 / std::sqrt(static_cast<double>(linear->weight.size(0)));
      linear->weight.uniform_(-bound, bound);
      linear->bias.zero_();
    }
  }
}

}  // namespace

std::int64_t image_side(EfficientNetVariant variant) {
  return scaling_of(variant).side;
}

EfficientNet::EfficientNet(const EfficientNetOptions& options) {
  validate_fields(options);
  const Scaling scaling = scaling_of(options.variant);
  lite_ = options.variant >= EfficientNetVariant::lite0;
  same_ = options.padding == ConvolutionPadding::same;
  dropout_ = options.dropout < 0 ? scaling.dropout : options.dropout;
  const auto repeats = [&](std::size_t stage) {
    if (lite_ && (stage == 0 || stage + 1 == kStages.size())) return kStages[stage].repeats;
    return static_cast<std::int64_t>(std::ceil(static_cast<double>(kStages[stage].repeats) * scaling.depth));
  };
  std::int64_t count = 0, index = 0;
  for (std::size_t stage = 0; stage < kStages.size(); ++stage) count += repeats(stage);

  std::int64_t channels = lite_ ? kStem : scaled_channels(kStem, scaling.width);
  conv_stem_ = register_module("conv_stem", efficientnet_convolution(3, channels, 3, 2, 1, same_));
  bn1_ = register_module("bn1", efficientnet_norm(channels, same_));
  blocks_ = register_module("blocks", torch::nn::ModuleList());
  for (std::size_t stage = 0; stage < kStages.size(); ++stage) {
    torch::nn::Sequential blocks;
    for (std::int64_t block = 0; block < repeats(stage); ++block, ++index) {
      const std::int64_t out = scaled_channels(kStages[stage].channels, scaling.width);
      const double share = static_cast<double>(index) / static_cast<double>(count);
      blocks->push_back(EfficientNetBlock({.in = channels,
                                           .out = out,
                                           .kernel = kStages[stage].kernel,
                                           .stride = block == 0 ? kStages[stage].stride : 1,
                                           .expansion = kStages[stage].expansion,
                                           .drop_connect = options.drop_connect * share,
                                           .style = {lite_, same_}}));
      channels = out;
    }
    blocks_->push_back(blocks);
  }
  const std::int64_t head = lite_ ? kHead : scaled_channels(kHead, scaling.width);
  conv_head_ = register_module("conv_head", efficientnet_convolution(channels, head, 1, 1, 1, same_));
  bn2_ = register_module("bn2", efficientnet_norm(head, same_));
  classifier_ = register_module("classifier", torch::nn::Linear(head, options.classes));
  draw_weights(*this);
}

torch::Tensor EfficientNet::forward(torch::Tensor images) {
  if (same_) images = pad_as_tensorflow(images, 3, 2);
  torch::Tensor x = efficientnet_activation(bn1_(conv_stem_(images)), lite_);
  for (const auto& stage : *blocks_) x = stage->as<torch::nn::Sequential>()->forward(x);
  x = efficientnet_activation(bn2_(conv_head_(x)), lite_).mean({2, 3});
  return classifier_(torch::dropout(x, dropout_, is_training()));
}

}  // namespace parsimony::models
