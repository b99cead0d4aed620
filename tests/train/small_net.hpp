// A network with every kind of layer that noise reaches, and its loss as a function of the weights.
#pragma once

#include <torch/torch.h>

#include <cstdint>

namespace parsimony::train {

struct SmallNet : torch::nn::Module {
  torch::nn::Conv2d conv{nullptr}, depthwise{nullptr}, grouped{nullptr};
  torch::nn::Conv1d conv1d{nullptr};
  torch::nn::Embedding embedding{nullptr};
  torch::nn::Linear linear{nullptr};

  static constexpr std::int64_t kPaddingRow = 3;

  SmallNet() {
    using torch::nn::Conv2dOptions;
    conv = register_module("conv", torch::nn::Conv2d(Conv2dOptions(3, 6, 3).padding(1)));
    depthwise = register_module("depthwise", torch::nn::Conv2d(Conv2dOptions(6, 6, 3).groups(6)));
    grouped = register_module("grouped", torch::nn::Conv2d(Conv2dOptions(6, 8, 1).groups(2)));
    conv1d = register_module("conv1d", torch::nn::Conv1d(torch::nn::Conv1dOptions(12, 8, 2)));
    embedding = register_module(
        "embedding", torch::nn::Embedding(torch::nn::EmbeddingOptions(9, 12).padding_idx(kPaddingRow)));
    linear = register_module("linear", torch::nn::Linear(8, 5));
  }

  torch::Tensor forward(torch::Tensor images, torch::Tensor words) {
    const torch::Tensor seen = grouped(torch::tanh(depthwise(torch::tanh(conv(images))))).mean({2, 3});
    const torch::Tensor read = conv1d(embedding(words).transpose(1, 2)).mean(2);
    return linear(torch::tanh(seen + read));
  }
};

/// A net and inputs that are functions of the seed.
struct SmallProblem {
  std::shared_ptr<SmallNet> net;
  torch::Tensor images, words, labels;

  explicit SmallProblem(std::uint64_t seed, torch::ScalarType type = torch::kFloat) {
    torch::manual_seed(seed);
    net = std::make_shared<SmallNet>();
    net->to(type);
    images = torch::randn({4, 3, 6, 6}, type);
    words = torch::randint(9, {4, 5}, torch::kLong);
    labels = torch::randint(5, {4}, torch::kLong);
  }

  torch::Tensor loss() const {
    return torch::nn::functional::cross_entropy(net->forward(images, words), labels);
  }
};

}  // namespace parsimony::train
