// A task in no time: where in an image of 6 × 6 the bright spot is. The net has all that a run must bring
// back: batch norm, dropout, a range of activations, layers that take codes.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>

#include "parsimony/core/random.hpp"
#include "parsimony/train/integer_activation.hpp"
#include "parsimony/train/joint_batch_norm.hpp"
#include "parsimony/train/task.hpp"

namespace parsimony::train {

struct SpotNet : torch::nn::Module {
  torch::nn::Conv2d first{nullptr}, second{nullptr};
  JointBatchNorm2d norm{nullptr};
  torch::nn::Dropout dropout{nullptr};
  IntegerActivation hidden_input{nullptr};
  torch::nn::Linear hidden{nullptr}, out{nullptr};

  explicit SpotNet(double drop) {
    using torch::nn::Conv2dOptions;
    first = register_module("first", torch::nn::Conv2d(Conv2dOptions(1, 8, 3).padding(1)));
    norm = register_module("norm", JointBatchNorm2d(8));
    second = register_module("second", torch::nn::Conv2d(Conv2dOptions(8, 8, 3).stride(2).padding(1)));
    dropout = register_module("dropout", torch::nn::Dropout(drop));
    hidden_input = register_module("hidden_input", IntegerActivation(8));
    hidden = register_module("hidden", torch::nn::Linear(72, 16));
    out = register_module("out", torch::nn::Linear(16, 4));
  }
  torch::Tensor forward(torch::Tensor x) {
    x = torch::relu(second(torch::relu(norm(first(x)))));
    return out(torch::relu(hidden(hidden_input(dropout(x.flatten(1))))));
  }
};

class SpotTask : public Task {
 public:
  explicit SpotTask(std::uint64_t seed = 1, double drop = 0.2) {
    torch::manual_seed(seed);
    net = std::make_shared<SpotNet>(drop);
  }

  torch::nn::Module& model() override { return *net; }
  std::int64_t examples() const override { return 96; }
  Batch batch(std::span<const std::int64_t> examples, std::uint64_t seed, std::int64_t step,
              std::int64_t first) const override {
    return make(examples, RandomStream(seed, "test.batch", static_cast<std::uint64_t>(step)), first);
  }
  torch::Tensor forward(const torch::Tensor& inputs) override { return net->forward(inputs); }
  std::map<std::string, double> evaluate(const Context&) override {
    const torch::NoGradGuard no_gradient;
    net->eval();
    std::vector<std::int64_t> all(400);
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::int64_t>(i);
    const Batch held_out = make(all, RandomStream(77, "test.held out"));
    const torch::Tensor right = net->forward(held_out.inputs).argmax(1).eq(held_out.targets);
    return {{"accuracy", right.to(torch::kDouble).mean().item<double>()}};
  }

  std::shared_ptr<SpotNet> net;

 private:
  // The quarter of an example is its number modulo 4; noise and the place within are drawn.
  static Batch make(std::span<const std::int64_t> examples, const RandomStream& random,
                    std::int64_t first = 0) {
    const std::int64_t count = std::ssize(examples);
    Batch out{torch::empty({count, 1, 6, 6}), torch::empty({count}, torch::kLong)};
    for (std::int64_t i = 0; i < count; ++i) {
      const std::int64_t quarter = examples[i] % 4;
      float* image = out.inputs.data_ptr<float>() + 36 * i;
      random.fill_normal({image, 36}, static_cast<std::uint64_t>(40 * (first + i)), 0.3f);
      const auto place =
          static_cast<std::int64_t>(random.below(9, static_cast<std::uint64_t>(40 * (first + i) + 38)));
      image[(quarter / 2 * 3 + place / 3) * 6 + quarter % 2 * 3 + place % 3] += 1.5f;
      out.targets.data_ptr<std::int64_t>()[i] = quarter;
    }
    return out;
  }
};

/// The parameters and buffers of the model, bit by bit.
inline std::string bytes_of(const torch::nn::Module& model) {
  std::string out;
  const auto add = [&](const torch::Tensor& t) {
    out.append(static_cast<const char*>(t.data_ptr()), t.nbytes());
  };
  for (const torch::Tensor& t : model.parameters()) add(t);
  for (const torch::Tensor& t : model.buffers()) add(t);
  return out;
}

}  // namespace parsimony::train
