#include "parsimony/models/efficientnet.hpp"

#include <torch/torch.h>

#include <cmath>
#include <iterator>

#include "models/efficientnet_block.hpp"

namespace parsimony::models {
namespace {

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
  return data::efficientnet_shape(variant).side;
}

EfficientNet::EfficientNet(const EfficientNetOptions& options) {
  validate_fields(options);
  const data::EfficientNetShape shape = data::efficientnet_shape(options.variant);
  lite_ = shape.lite;
  padding_ = options.padding;
  dropout_ = options.dropout < 0 ? shape.dropout : options.dropout;
  std::int64_t count = 0, index = 0;
  for (const auto& stage : shape.stages) count += std::ssize(stage);

  conv_stem_ = register_module("conv_stem", efficientnet_convolution(3, shape.stem, 3, 2, 1, padding_));
  bn1_ = register_module("bn1", efficientnet_norm(shape.stem, padding_));
  blocks_ = register_module("blocks", torch::nn::ModuleList());
  for (const auto& stage : shape.stages) {
    torch::nn::Sequential blocks;
    for (const data::EfficientNetBlockShape& block : stage) {
      const double share = static_cast<double>(index++) / static_cast<double>(count);
      blocks->push_back(EfficientNetBlock({block, padding_, lite_, options.drop_connect * share}));
    }
    blocks_->push_back(blocks);
  }
  const std::int64_t last = shape.stages.back().back().out;
  conv_head_ = register_module("conv_head", efficientnet_convolution(last, shape.head, 1, 1, 1, padding_));
  bn2_ = register_module("bn2", efficientnet_norm(shape.head, padding_));
  classifier_ = register_module("classifier", torch::nn::Linear(shape.head, options.classes));
  draw_weights(*this);
}

torch::Tensor EfficientNet::forward(torch::Tensor images, std::vector<torch::Tensor>* states) {
  if (padding_ == ConvolutionPadding::same) images = pad_as_tensorflow(images, 3, 2);
  torch::Tensor x = efficientnet_activation(bn1_(conv_stem_(images)), lite_);
  for (const auto& stage : *blocks_) {
    for (torch::nn::AnyModule& block : *stage->as<torch::nn::Sequential>()) {
      x = block.forward(x);
      if (states != nullptr) states->push_back(x);
    }
  }
  x = efficientnet_activation(bn2_(conv_head_(x)), lite_).mean({2, 3});
  if (states != nullptr) states->push_back(x);
  return classifier_(torch::dropout(x, dropout_, is_training()));
}

}  // namespace parsimony::models
