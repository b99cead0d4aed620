// Measures a training step of small language models and its parts: windows of 128 tokens in batches of 16,
// bytes or byte pairs. language_bench [STEPS]
#include <fmt/format.h>
#include <torch/torch.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <vector>

#include "parsimony/models/transformer.hpp"
#include "parsimony/train/noise.hpp"

namespace {

using parsimony::models::Transformer;
using parsimony::models::TransformerOptions;
using parsimony::train::Noise;

constexpr std::int64_t kWindows = 16;

template <class Work>
double least_seconds(int repetitions, const Work& work) {
  double least = 1e30;
  for (int i = 0; i < repetitions; ++i) {
    const auto start = std::chrono::steady_clock::now();
    work();
    least = std::min(least, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  return least;
}

void measure(const TransformerOptions& options, int steps) {
  torch::manual_seed(1);
  Transformer model(options);
  torch::optim::Adam optimizer(model.parameters());
  const torch::Tensor tokens =
      torch::randint(options.vocabulary, {kWindows, options.context + 1}, torch::kLong);
  const auto loss = [&] {
    const torch::Tensor logits = model.forward(tokens.slice(1, 0, -1));
    return torch::nn::functional::cross_entropy(logits.flatten(0, 1), tokens.slice(1, 1).flatten());
  };
  const auto step = [&] {
    optimizer.zero_grad();
    loss().backward();
    optimizer.step();
  };
  step();  // memory
  const double plain = least_seconds(steps, step);
  Noise noise({.rate = 0.1});
  const double noisy = least_seconds(steps, [&] {
    const auto guard = noise.apply(model);
    step();
  });
  const double forward = least_seconds(steps, [&] {
    const torch::NoGradGuard no_gradient;
    loss();
  });
  std::int64_t parameters = 0;
  for (const torch::Tensor& p : model.parameters()) parameters += p.numel();
  fmt::print("{:>6} {:>5} {:>10} {:>10} {:>10.0f} {:>10.0f} {:>10.0f} {:>12.0f}\n", options.layers,
             options.width, options.vocabulary, parameters, 1e3 * plain, 1e3 * noisy, 1e3 * forward,
             static_cast<double>(kWindows * options.context) / plain);
}

}  // namespace

int main(int argc, char** argv) {
  const int steps = argc > 1 ? std::atoi(argv[1]) : 5;
  fmt::print("{:>6} {:>5} {:>10} {:>10} {:>10} {:>10} {:>10} {:>12}\n", "layers", "width", "vocabulary",
             "weights", "step ms", "proxy ms", "forward ms", "tokens / s");
  for (const std::int64_t vocabulary : {256, 2048, 8192}) {
    measure({.vocabulary = vocabulary}, steps);
    measure({.vocabulary = vocabulary, .layers = 8, .width = 128, .feed_forward = 512}, steps);
  }
  measure({.vocabulary = 50257}, std::min(steps, 2));
}
