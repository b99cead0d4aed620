#include "parsimony/models/resnet.hpp"

#include <fmt/format.h>
#include <torch/torch.h>

#include "core/count_of.hpp"
#include "models/layer_input.hpp"
#include "parsimony/core/error.hpp"
#include "train/step_stop.hpp"

namespace parsimony::models {
namespace {

torch::nn::Conv2d convolution(std::int64_t in, std::int64_t out, std::int64_t stride) {
  return torch::nn::Conv2d(torch::nn::Conv2dOptions(in, out, 3).stride(stride).padding(1).bias(false));
}

class BasicBlock : public torch::nn::Module {
 public:
  BasicBlock(std::int64_t in, std::int64_t out, std::int64_t stride, int activation_bits)
      : stride_(stride),
        added_((out - in) / 2),
        conv1_input_(add_input(*this, "conv1", activation_bits)),
        conv2_input_(add_input(*this, "conv2", activation_bits)),
        conv1_(register_module("conv1", convolution(in, out, stride))),
        bn1_(register_module("bn1", train::JointBatchNorm2d(out))),
        conv2_(register_module("conv2", convolution(out, out, 1))),
        bn2_(register_module("bn2", train::JointBatchNorm2d(out))) {}

  torch::Tensor forward(torch::Tensor x) {
    train::check_step();
    torch::Tensor y = torch::relu(bn1_(conv1_(quantize_input(conv1_input_, x))));
    y = bn2_(conv2_(quantize_input(conv2_input_, y)));
    if (stride_ > 1) x = x.slice(2, 0, x.size(2), stride_).slice(3, 0, x.size(3), stride_);
    if (added_ > 0) x = torch::constant_pad_nd(x, {0, 0, 0, 0, added_, added_});
    return torch::relu(y + x);
  }

 private:
  std::int64_t stride_, added_;  // added_: channels of zeros before and after
  train::IntegerActivation conv1_input_, conv2_input_;
  torch::nn::Conv2d conv1_;
  train::JointBatchNorm2d bn1_;
  torch::nn::Conv2d conv2_;
  train::JointBatchNorm2d bn2_;
};

torch::nn::Sequential stage(int blocks, std::int64_t in, std::int64_t out, int activation_bits) {
  torch::nn::Sequential layers;
  for (int i = 0; i < blocks; ++i) {
    const bool first = i == 0;
    layers->push_back(BasicBlock(first ? in : out, out, first && in != out ? 2 : 1, activation_bits));
  }
  return layers;
}

}  // namespace

ResNet::ResNet(const ResNetOptions& options) {
  validate_fields(options);
  if (options.depth % 6 != 2) {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("depth: a ResNet of {}; must be 6 n + 2 (20, 32, 44, 56, …)",
                            count_of(options.depth, "layer")));
  }
  const int blocks = options.depth / 6, bits = options.activation_bits;
  conv1_input_ = add_input(*this, "conv1", bits);
  linear_input_ = add_input(*this, "linear", bits);
  conv1_ = register_module("conv1", convolution(3, 16, 1));
  bn1_ = register_module("bn1", train::JointBatchNorm2d(16));
  layer1_ = register_module("layer1", stage(blocks, 16, 16, bits));
  layer2_ = register_module("layer2", stage(blocks, 16, 32, bits));
  layer3_ = register_module("layer3", stage(blocks, 32, 64, bits));
  linear_ = register_module("linear", torch::nn::Linear(64, options.classes));
  const torch::NoGradGuard no_gradient;
  for (const auto& parameter : named_parameters()) {
    if (parameter.value().dim() > 1) torch::nn::init::kaiming_normal_(parameter.value());
  }
}

torch::Tensor ResNet::forward(torch::Tensor images, std::vector<torch::Tensor>* states) {
  torch::Tensor x = torch::relu(bn1_(conv1_(quantize_input(conv1_input_, images))));
  for (torch::nn::Sequential* stage : {&layer1_, &layer2_, &layer3_}) {
    for (torch::nn::AnyModule& block : **stage) {
      x = block.forward(x);
      if (states != nullptr) states->push_back(x);
    }
  }
  x = x.mean({2, 3});
  if (states != nullptr) states->push_back(x);
  return linear_(quantize_input(linear_input_, x));
}

}  // namespace parsimony::models
