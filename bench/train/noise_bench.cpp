// Measures the time that noise adds to a training step: ResNet-20 on 128 images of 32 × 32. The kinds of
// steps take turns, so that other work on the machine slows them equally. noise_bench [ROUNDS]
#include <fmt/format.h>
#include <torch/torch.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

#include "parsimony/models/resnet.hpp"
#include "parsimony/train/noise.hpp"

namespace {

using parsimony::train::Noise;
using parsimony::train::NoiseFunction;

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double least(const std::vector<double>& values) {
  return *std::min_element(values.begin(), values.end());
}

struct Kind {
  std::string name;
  std::optional<Noise> noise;
  std::vector<double> steps{}, draws{};  // seconds; of the draws those of apply alone
};

}  // namespace

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 10;
  torch::manual_seed(1);
  parsimony::models::ResNet model;
  torch::optim::SGD optimizer(model.parameters(), torch::optim::SGDOptions(0.01).momentum(0.9));
  const torch::Tensor images = torch::randn({128, 3, 32, 32});
  const torch::Tensor labels = torch::randint(10, {128}, torch::kLong);

  std::vector<Kind> kinds;
  kinds.push_back({"plain", {}});
  kinds.push_back({"proxy 0.1", Noise({.function = NoiseFunction::proxy, .rate = 0.1})});
  kinds.push_back({"int8 0.5", Noise({.function = NoiseFunction::integer, .rate = 0.5, .bits = 8})});
  kinds.push_back({"exact PQ 0.1", Noise({.function = NoiseFunction::product, .rate = 0.1})});
  const auto step = [&](Kind& kind) {
    const auto start = std::chrono::steady_clock::now();
    std::optional<parsimony::train::NoisyWeights> noisy;
    if (kind.noise) noisy.emplace(kind.noise->apply(model));
    kind.draws.push_back(seconds_since(start));
    optimizer.zero_grad();
    torch::nn::functional::cross_entropy(model.forward(images), labels).backward();
    optimizer.step();
    kind.steps.push_back(seconds_since(start));
  };
  for (Kind& kind : kinds) step(kind);  // memory, and the first codebooks
  for (Kind& kind : kinds) kind.steps.clear(), kind.draws.clear();
  for (int round = 0; round < rounds; ++round) {
    for (Kind& kind : kinds) step(kind);
  }

  // Learns a codebook for every layer anew, from the present ones: the time that a refresh adds to its step.
  Noise& product = *kinds.back().noise;
  std::vector<double> refreshes;
  for (int i = 0; i < 3; ++i) {
    product.refresh();
    const auto start = std::chrono::steady_clock::now();
    product.apply(model);
    refreshes.push_back(seconds_since(start) - least(kinds.back().draws));
  }

  const double plain = least(kinds.front().steps);
  fmt::print("{:<14} {:>9} {:>9} {:>10} {:>10}\n", "step", "ms", "draw ms", "step +%", "draw %");
  for (const Kind& kind : kinds) {
    fmt::print("{:<14} {:>9.1f} {:>9.2f} {:>10.1f} {:>10.2f}\n", kind.name, 1e3 * least(kind.steps),
               1e3 * least(kind.draws), 100 * (least(kind.steps) / plain - 1),
               100 * least(kind.draws) / plain);
  }
  const double refresh = least(refreshes);
  fmt::print("refresh of the codebooks {:.0f} ms: every 391 steps (an epoch) {:.2f} % of a step\n",
             1e3 * refresh, 100 * refresh / 391 / plain);
}
