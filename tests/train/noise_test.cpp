#include "parsimony/train/noise.hpp"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "expect_error.hpp"
#include "train/noise_cases.hpp"
#include "train/small_net.hpp"

namespace parsimony::train {
namespace {

bool same_bytes(const torch::Tensor& a, const torch::Tensor& b) {
  return a.sizes() == b.sizes() && a.scalar_type() == b.scalar_type() &&
         std::memcmp(a.contiguous().data_ptr(), b.contiguous().data_ptr(), a.nbytes()) == 0;
}

std::vector<torch::Tensor> clones(const torch::nn::Module& model) {
  std::vector<torch::Tensor> out;
  for (const torch::Tensor& p : model.parameters()) out.push_back(p.detach().clone());
  return out;
}

void expect_unchanged(const torch::nn::Module& model, const std::vector<torch::Tensor>& before) {
  const auto names = model.named_parameters();
  for (std::size_t i = 0; i < before.size(); ++i) {
    EXPECT_TRUE(same_bytes(names[i].value(), before[i])) << names[i].key();
  }
}

TEST(Noise, LeavesTheParametersAsTheyAre) {
  torch::manual_seed(1);
  torch::nn::Sequential net(torch::nn::Linear(16, 8), torch::nn::Tanh(), torch::nn::Linear(8, 4));
  const std::vector<torch::Tensor> before = clones(*net), leaves = net->parameters();
  const torch::Tensor x = torch::randn({2, 16});
  std::vector<Noise> noises;
  for (const auto& [function, name] : names_of(NoiseFunction{})) {
    noises.emplace_back(
        NoiseOptions{
            .function = function, .rate = 0.3, .block_size = 4, .centroids = 3, .refresh_steps = 500},
        Context(1));
  }
  for (int step = 0; step < 10000; ++step) {
    const NoisyWeights noisy = noises[step % noises.size()].apply(*net);
    const torch::Tensor y = net->forward(x);
    if (step % 100 == 0) y.sum().backward();
  }
  expect_unchanged(*net, before);
  // The very tensors that an optimizer knows, in the layers too.
  const auto* first = net[0]->as<torch::nn::Linear>();
  EXPECT_TRUE(first->weight.is_same(leaves[0]));
  EXPECT_TRUE(net->parameters()[0].is_same(leaves[0]));
  EXPECT_TRUE(leaves[0].is_leaf() && leaves[0].requires_grad());
  EXPECT_GT(leaves[0].grad().abs().sum().item<float>(), 0);
}

std::vector<torch::Tensor> noised(const SmallProblem& problem, Noise& noise) {
  const NoisyWeights noisy = noise.apply(*problem.net);
  std::vector<torch::Tensor> out;
  for (const auto& w :
       {problem.net->conv->weight, problem.net->embedding->weight, problem.net->linear->weight}) {
    out.push_back(w.detach().clone());
  }
  return out;
}

bool all_same(const std::vector<torch::Tensor>& a, const std::vector<torch::Tensor>& b) {
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (!same_bytes(a[i], b[i])) return false;
  }
  return true;
}

class NoiseDraws : public ::testing::TestWithParam<NoiseCase> {};

INSTANTIATE_TEST_SUITE_P(All, NoiseDraws, noise_cases(), noise_case_name);

TEST_P(NoiseDraws, DrawsAreOfSeedAndStepAndNotOfThreads) {
  const SmallProblem problem(7);
  NoiseOptions options{.function = GetParam().function,
                       .rate = 0.5,
                       .block_size = 4,
                       .layout = GetParam().layout,
                       .centroids = 4,
                       .seed = 9};
  Noise one(options, Context(1));
  const auto first = noised(problem, one), second = noised(problem, one);
  EXPECT_FALSE(all_same(first, second));
  for (const int threads : {2, 3, 8}) {
    Noise other(options, Context(threads));
    EXPECT_TRUE(all_same(first, noised(problem, other))) << threads;
    EXPECT_TRUE(all_same(second, noised(problem, other))) << threads;
  }
  Noise resumed(options);
  resumed.set_codebooks(one.codebooks());
  resumed.set_step(1);
  EXPECT_TRUE(all_same(second, noised(problem, resumed)));
  options.seed = 10;
  Noise reseeded(options);
  reseeded.set_codebooks(one.codebooks());
  EXPECT_FALSE(all_same(first, noised(problem, reseeded)));
}

TEST(Noise, ASubsetOfTheLayersIsDrawnAsWithAll) {
  const SmallProblem problem(8);
  Noise all({.rate = 0.5}), some({.rate = 0.5, .layers = "linear|embedding"});
  const auto everywhere = noised(problem, all), here = noised(problem, some);
  EXPECT_TRUE(same_bytes(everywhere[2], here[2]));
  EXPECT_TRUE(same_bytes(everywhere[1], here[1]));
  EXPECT_TRUE(same_bytes(here[0], problem.net->conv->weight));
  EXPECT_FALSE(same_bytes(everywhere[0], here[0]));
}

TEST(Noise, RatesFollowTheirSchedule) {
  const Noise linear({.rate = 0.5, .schedule = RateSchedule::linear, .first_rate = 0.1, .ramp_steps = 4});
  EXPECT_DOUBLE_EQ(linear.rate(0), 0.1);
  EXPECT_DOUBLE_EQ(linear.rate(2), 0.3);
  EXPECT_DOUBLE_EQ(linear.rate(4), 0.5);
  EXPECT_DOUBLE_EQ(linear.rate(1000), 0.5);
  const Noise random({.rate = 0.4, .schedule = RateSchedule::random, .first_rate = 0.2});
  double sum = 0;
  for (int step = 0; step < 2000; ++step) {
    const double rate = random.rate(step);
    ASSERT_GE(rate, 0.2);
    ASSERT_LE(rate, 0.4);
    sum += rate;
  }
  EXPECT_NEAR(sum / 2000, 0.3, 5 * 0.2 / std::sqrt(12 * 2000));
  torch::nn::Linear layer(64, 64);
  Noise noise({.rate = 1, .schedule = RateSchedule::linear, .first_rate = 0, .ramp_steps = 1});
  EXPECT_EQ(noise.apply(*layer).drawn_blocks(), 0);
  EXPECT_EQ(noise.apply(*layer).drawn_blocks(), 64 * 8);
}

TEST(Noise, SharedWeightsAreNoisedOnce) {
  struct Tied : torch::nn::Module {
    torch::nn::Embedding in{nullptr};
    torch::nn::Linear out{nullptr};
    Tied() {
      in = register_module("in", torch::nn::Embedding(10, 8));
      out = register_module("out", torch::nn::Linear(8, 10));
      out->weight = in->weight;
    }
  };
  Tied model;
  Noise noise({.rate = 0.5});
  const torch::Tensor leaf = model.in->weight;
  {
    const NoisyWeights noisy = noise.apply(model);
    EXPECT_EQ(noisy.weights(), 1);
    EXPECT_TRUE(model.in->weight.is_same(model.out->weight));
    EXPECT_FALSE(model.in->weight.is_same(leaf));
  }
  EXPECT_TRUE(model.in->weight.is_same(leaf));
  EXPECT_TRUE(model.out->weight.is_same(leaf));
}

TEST(Noise, IsNotForEvaluation) {
  const SmallProblem problem(9);
  Noise noise({.rate = 1});
  problem.net->linear->eval();
  {
    const NoisyWeights noisy = noise.apply(*problem.net);
    EXPECT_EQ(noisy.weights(), 5);
    EXPECT_TRUE(problem.net->linear->weight.is_leaf());
    EXPECT_FALSE(problem.net->conv->weight.is_leaf());
  }
  problem.net->eval();
  EXPECT_EQ(noise.apply(*problem.net).weights(), 0);
}

TEST(Noise, ComposesAndEndsInReverseOrder) {
  torch::nn::Linear layer(16, 4);
  const torch::Tensor leaf = layer->weight;
  Noise integers({.function = NoiseFunction::integer, .rate = 1, .bits = 4}), blocks({.rate = 0.5});
  {
    const NoisyWeights inner = integers.apply(*layer);
    const torch::Tensor rounded = layer->weight;
    {
      const NoisyWeights outer = blocks.apply(*layer);
      EXPECT_TRUE((layer->weight.eq(0) | layer->weight.eq(rounded)).all().item<bool>());
      layer->weight.sum().backward();
      EXPECT_TRUE(leaf.grad().eq(1).all().item<bool>());
    }
    EXPECT_TRUE(layer->weight.is_same(rounded));
  }
  EXPECT_TRUE(layer->weight.is_same(leaf));
}

TEST(Noise, CodebooksAreLearntAgainWhenTold) {
  torch::nn::Linear layer(32, 16);
  Noise noise({.function = NoiseFunction::product, .rate = 0.1, .centroids = 8, .refresh_steps = 3});
  const auto values = [&] {
    const auto all = noise.codebooks().at("").values();
    return std::vector<float>(all.begin(), all.end());
  };
  const auto step = [&] {
    noise.apply(*layer);
    const torch::NoGradGuard no_gradient;
    layer->weight.mul_(1.5);
    return values();
  };
  const std::vector<float> first = step();
  EXPECT_EQ(step(), first);
  EXPECT_EQ(step(), first);
  const std::vector<float> second = step();  // step 3
  EXPECT_NE(second, first);
  EXPECT_EQ(step(), second);
  noise.refresh();
  EXPECT_NE(step(), second);
}

TEST(Noise, RefusesWhatItCannotDoAndLeavesTheModel) {
  const SmallProblem problem(10);
  expect_error(ErrorCode::invalid_argument, "rate", [] { Noise({.rate = 1.5}); });
  expect_error(ErrorCode::invalid_argument, "not a regular expression", [] { Noise({.layers = "("}); });
  expect_error(ErrorCode::invalid_argument, "one of them is \"conv\"", [&] {
    Noise noise({.layers = "encoder"});
    noise.apply(*problem.net);
  });
  {
    const torch::NoGradGuard no_gradient;
    problem.net->linear->weight[1][2] = std::numeric_limits<float>::quiet_NaN();
  }
  const std::vector<torch::Tensor> before = clones(*problem.net);
  Noise noise({.rate = 0.5});
  expect_error(ErrorCode::invalid_argument, "layer \"linear\" has the value nan at 10",
               [&] { noise.apply(*problem.net); });
  EXPECT_EQ(noise.step(), 0);
  EXPECT_TRUE(problem.net->conv->weight.is_leaf());
  expect_unchanged(*problem.net, before);
}

}  // namespace
}  // namespace parsimony::train
