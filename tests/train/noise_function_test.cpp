// The values of φ against its definition, and its gradients.
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <cmath>
#include <limits>

#include "parsimony/train/noise.hpp"
#include "train/noise_cases.hpp"
#include "train/small_net.hpp"

namespace parsimony::train {
namespace {

using quant::BlockLayout;

// φ of a layer's weight, each value by its definition; blocks of `block` weights.
torch::Tensor by_definition(const torch::Tensor& weight, NoiseFunction function, std::int64_t block,
                            BlockLayout layout, const Matrix<float>* codebook) {
  torch::Tensor w = weight.detach().to(torch::kDouble).reshape({weight.size(0), weight.size(1), -1});
  if (function == NoiseFunction::integer) {
    const double low = w.min().item<double>(), scale = (w.max().item<double>() - low) / 15;
    const double zero = -std::nearbyint(low / scale);
    return (torch::clamp(torch::round(w / scale + zero), 0, 15) - zero).mul(scale).reshape(weight.sizes());
  }
  // Blocks become rows of values that follow each other.
  if (layout == BlockLayout::input_channels) w = w.transpose(1, 2);
  w = w.contiguous().reshape({-1, layout == BlockLayout::row ? w[0].numel() : w.size(2)});
  torch::Tensor out = torch::zeros_like(w);
  for (std::int64_t r = 0; r < w.size(0); ++r) {
    for (std::int64_t at = 0; at < w.size(1); at += block) {
      const std::int64_t end = std::min(at + block, w.size(1));
      const torch::Tensor values = w[r].slice(0, at, end);
      if (function == NoiseFunction::mean) out[r].slice(0, at, end).fill_(values.mean());
      if (function != NoiseFunction::product) continue;
      double best = std::numeric_limits<double>::infinity();
      for (std::int64_t k = 0; k < codebook->rows(); ++k) {
        const torch::Tensor centroid =
            torch::from_blob(const_cast<float*>(codebook->row(k).data()), {block}, torch::kFloat)
                .to(torch::kDouble);
        double distance = (centroid.slice(0, 0, end - at) - values).square().sum().item<double>();
        distance += centroid.slice(0, end - at, block).square().sum().item<double>();  // padding is 0
        if (distance >= best) continue;
        best = distance;
        out[r].slice(0, at, end).copy_(centroid.slice(0, 0, end - at));
      }
    }
  }
  const torch::Tensor full =
      out.reshape(layout == BlockLayout::row
                      ? std::vector<std::int64_t>{weight.size(0), weight.size(1), -1}
                      : std::vector<std::int64_t>{weight.size(0), weight[0][0].numel(), weight.size(1)});
  return (layout == BlockLayout::row ? full : full.transpose(1, 2)).reshape(weight.sizes());
}

class NoiseFunctions : public ::testing::TestWithParam<NoiseCase> {};

INSTANTIATE_TEST_SUITE_P(All, NoiseFunctions, noise_cases(), noise_case_name);

// At rate 1 every value is φ's; at a rate between, each is φ's or the weight's own bits, and never anything
// else, such as a rescaled one.
TEST_P(NoiseFunctions, DrawnBlocksAreByDefinitionOthersBitByBit) {
  const auto [function, layout] = GetParam();
  const SmallProblem problem(2);
  const std::int64_t block = 4;
  for (const double rate : {1.0, 0.4}) {
    Noise noise({.function = function,
                 .rate = rate,
                 .bits = 4,
                 .block_size = block,
                 .layout = layout,
                 .centroids = 5,
                 .seed = 3});
    const auto leaves = problem.net->named_parameters();
    const NoisyWeights noisy = noise.apply(*problem.net);
    EXPECT_EQ(noisy.weights(), 6);
    const std::vector<std::pair<std::string, torch::Tensor>> noised{
        {"conv", problem.net->conv->weight},           {"depthwise", problem.net->depthwise->weight},
        {"grouped", problem.net->grouped->weight},     {"conv1d", problem.net->conv1d->weight},
        {"embedding", problem.net->embedding->weight}, {"linear", problem.net->linear->weight}};
    for (const auto& [name, tensor] : noised) {
      const torch::Tensor leaf = leaves[name + ".weight"].detach();
      const auto codebook = noise.codebooks().find(name);
      // Depthwise kernels have one channel to cut along: they are cut in rows whatever the layout.
      const bool channels = leaf.dim() > 2 && leaf.size(1) > 1;
      torch::Tensor phi = by_definition(leaf, function, block, channels ? layout : BlockLayout::row,
                                        codebook == noise.codebooks().end() ? nullptr : &codebook->second);
      const torch::Tensor own = tensor.eq(leaf);
      torch::Tensor drawn = (tensor - phi).abs().le(1e-6 * leaf.abs().max());
      if (name == "embedding") {
        EXPECT_TRUE(own[SmallNet::kPaddingRow].all().item<bool>());
        drawn[SmallNet::kPaddingRow].fill_(true);
      }
      if (rate == 1) {
        EXPECT_TRUE(drawn.all().item<bool>()) << name;
      } else {
        EXPECT_TRUE((drawn | own).all().item<bool>()) << name;
        EXPECT_FALSE(own.all().item<bool>()) << name;
      }
    }
    if (rate == 1) continue;
    const double n = static_cast<double>(noisy.blocks());
    EXPECT_NEAR(static_cast<double>(noisy.drawn_blocks()) / n, rate,
                5 * std::sqrt(rate * (1 - rate) / n) + 0.02);
  }
}

// The gradient of a leaf is the derivative of the loss by the noised weight, whatever was drawn: exact where
// nothing was, straight through elsewhere. By central differences of a plain net with the noised weights.
TEST_P(NoiseFunctions, GradientsAreThoseOfTheFrozenNoise) {
  const auto [function, layout] = GetParam();
  const SmallProblem noisy_problem(4, torch::kDouble), plain(4, torch::kDouble);
  Noise noise(
      {.function = function, .rate = 0.5, .bits = 4, .block_size = 4, .layout = layout, .centroids = 5});
  std::vector<torch::Tensor> frozen;
  {
    const NoisyWeights noisy = noise.apply(*noisy_problem.net);
    noisy_problem.loss().backward();
    const auto& net = *noisy_problem.net;
    for (const auto& w : {net.conv->weight, net.depthwise->weight, net.grouped->weight, net.conv1d->weight,
                          net.embedding->weight, net.linear->weight}) {
      frozen.push_back(w.detach().clone());
    }
  }
  const torch::NoGradGuard no_gradient;
  const auto& net = *plain.net;
  const std::vector<torch::Tensor> weights{net.conv->weight,   net.depthwise->weight, net.grouped->weight,
                                           net.conv1d->weight, net.embedding->weight, net.linear->weight};
  for (std::size_t i = 0; i < weights.size(); ++i) weights[i].copy_(frozen[i]);
  const auto leaves = noisy_problem.net->named_parameters();
  const std::vector<std::string> names{"conv", "depthwise", "grouped", "conv1d", "embedding", "linear"};
  constexpr double kStep = 1e-5;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const torch::Tensor gradient = leaves[names[i] + ".weight"].grad().flatten();
    double* values = weights[i].data_ptr<double>();
    for (std::int64_t j = 0; j < gradient.numel(); j += 3) {
      // Lookups of the padding row have no gradient, by its definition.
      if (names[i] == "embedding" && j / 12 == SmallNet::kPaddingRow) continue;
      const double own = values[j];
      values[j] = own + kStep;
      const double above = plain.loss().item<double>();
      values[j] = own - kStep;
      const double below = plain.loss().item<double>();
      values[j] = own;
      EXPECT_NEAR(gradient[j].item<double>(), (above - below) / (2 * kStep), 1e-8) << names[i] << " " << j;
    }
  }
}

// E ψ(w) = (1 − p) w + p φ(w), each value within 5.5 standard errors of the mean of 4,000 draws: of 240
// values one of 10^5 seeds would fail. A rescaling by 1 / (1 − p) would be off by dozens.
TEST(NoiseFunction, IsUnbiasedAroundItsClosedForm) {
  torch::manual_seed(5);
  torch::nn::Linear layer(24, 10);
  constexpr double kRate = 0.25;
  constexpr int kDraws = 4000;
  for (const NoiseFunction function : {NoiseFunction::proxy, NoiseFunction::mean, NoiseFunction::integer}) {
    Noise noise({.function = function, .rate = kRate, .bits = 2, .block_size = 4}, Context(1));
    const torch::Tensor w = layer->weight.detach().to(torch::kDouble);
    const torch::Tensor phi = function == NoiseFunction::integer
                                  ? [&] {
                                      Noise all({.function = function, .rate = 1, .bits = 2});
                                      const NoisyWeights noisy = all.apply(*layer);
                                      return layer->weight.detach().to(torch::kDouble);
                                    }()
                                  : by_definition(layer->weight, function, 4, BlockLayout::row, nullptr);
    torch::Tensor sum = torch::zeros_like(w);
    for (int i = 0; i < kDraws; ++i) {
      const NoisyWeights noisy = noise.apply(*layer);
      sum += layer->weight.detach();
    }
    const torch::Tensor expected = (1 - kRate) * w + kRate * phi;
    const torch::Tensor error = std::sqrt(kRate * (1 - kRate) / kDraws) * (phi - w).abs() + 1e-6;
    EXPECT_LE(((sum / kDraws - expected).abs() / error).max().item<double>(), 5.5) << enum_name(function);
  }
}

// The relative error of rounding to 2^N values between the extremes is s² / 12 over the variance. A scale for
// 8 bits with values clamped to 4 would be off by hundreds.
TEST(NoiseFunction, IntegersHaveTheScaleOfTheirBits) {
  torch::manual_seed(6);
  torch::nn::Linear layer(256, 1024);
  const torch::NoGradGuard no_gradient;
  layer->weight.normal_(0, 0.05);
  const torch::Tensor w = layer->weight.clone();
  const auto relative_error = [&](int bits, quant::Granularity granularity) {
    Noise noise({.function = NoiseFunction::integer, .rate = 1, .bits = bits, .granularity = granularity});
    const NoisyWeights noisy = noise.apply(*layer);
    return ((layer->weight - w).square().sum() / w.square().sum()).item<double>();
  };
  for (const int bits : {3, 4, 8}) {
    const double levels = std::pow(2, bits) - 1;
    const double scale = (w.max() - w.min()).item<double>() / levels;
    const double per_tensor = scale * scale / 12 / (0.05 * 0.05);
    EXPECT_NEAR(relative_error(bits, quant::Granularity::per_tensor) / per_tensor, 1, 0.03) << bits;
    const torch::Tensor scales = (std::get<0>(w.max(1)) - std::get<0>(w.min(1))) / levels;
    const double per_row = scales.square().mean().item<double>() / 12 / (0.05 * 0.05);
    EXPECT_NEAR(relative_error(bits, quant::Granularity::per_channel) / per_row, 1, 0.03) << bits;
  }
  EXPECT_NEAR(relative_error(4, quant::Granularity::per_tensor), 0.033, 0.004);
  EXPECT_NEAR(relative_error(4, quant::Granularity::per_channel), 0.012, 0.002);
}

TEST(NoiseFunction, CentroidsInIntegersAreMultiplesOfOneScale) {
  torch::nn::Linear layer(32, 16);
  Noise noise({.function = NoiseFunction::product_integer, .rate = 1, .bits = 3, .centroids = 16});
  const NoisyWeights noisy = noise.apply(*layer);
  EXPECT_LE(std::get<0>(at::_unique(layer->weight.detach())).numel(), 8);
  EXPECT_GE(std::get<0>(at::_unique(layer->weight.detach())).numel(), 4);
}

}  // namespace
}  // namespace parsimony::train
