// Committed checkpoints of each format version, which every later version must read.
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <string>
#include <vector>

#include "parsimony/train/checkpoint.hpp"
#include "parsimony/train/ipq.hpp"
#include "parsimony/train/noise.hpp"
#include "places.hpp"

namespace parsimony::train {
namespace {

struct Net : torch::nn::Module {
  torch::nn::Linear first{nullptr}, second{nullptr};

  Net() {
    first = register_module("first", torch::nn::Linear(8, 6));
    second = register_module("second", torch::nn::Linear(6, 2));
    const torch::NoGradGuard no_gradient;
    for (const torch::Tensor& p : parameters()) p.zero_();
  }
};

// The state of a run whose every value follows from a formula.
struct SmallRun {
  std::shared_ptr<Net> net = std::make_shared<Net>();
  torch::optim::SGD optimizer{net->parameters(), torch::optim::SGDOptions(0.5).momentum(0.5)};
  Noise noise{{.function = NoiseFunction::product, .block_size = 4, .centroids = 2}};
  Ipq ipq{*net, {.block_size = 4, .centroids = 2}};
  TrainingState state{*net, optimizer, &noise, {}, &ipq};
};

// Blocks of four equal weights, 0.25 or -0.5: two centroids have them exactly.
torch::Tensor weight_of_first() {
  std::vector<float> values(6 * 8);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = i / 4 % 3 == 0 ? 0.25f : -0.5f;
  return torch::tensor(values).view({6, 8});
}

torch::Tensor weight_of_second() {
  return torch::arange(12, torch::kFloat).view({2, 6}) / 8;
}

Matrix<float> noise_codebook() {
  Matrix<float> out(2, 4);
  std::iota(out.values().begin(), out.values().end(), 1.0f);
  return out;
}

// Made by this, with --gtest_also_run_disabled_tests, when a format version is new. Never write an old one
// again.
TEST(CheckpointFormat, DISABLED_WritesTheFileOfTheVersion) {
  SmallRun run;
  {
    const torch::NoGradGuard no_gradient;
    run.net->first->weight.copy_(weight_of_first());
    run.net->second->weight.copy_(weight_of_second() + 0.5);
  }
  run.ipq.quantize("first");
  // A step of 0.5 with gradients of 1 takes 0.5 off every weight and leaves a momentum of 1.
  for (torch::Tensor p : {run.net->second->weight}) p.mutable_grad() = torch::ones_like(p);
  run.optimizer.step();
  run.noise.set_codebooks({{"second", noise_codebook()}});
  run.noise.set_step(11);
  run.state.position = {{"phase", 1}, {"step", 7}};
  run.state.texts = {{"identity", "training.steps = 9\n"}};
  run.state.histories = {{"loss", {2.5, 1.25}}};
  save_checkpoint("training.checkpoint", run.state);
}

TEST(CheckpointFormat, Version1IsRead) {
  const std::filesystem::path file = places::source_folder() / "tests/formats/v1/training.checkpoint";
  const Checkpoint checkpoint(file);
  EXPECT_EQ(checkpoint.position(), (std::map<std::string, std::int64_t>{{"phase", 1}, {"step", 7}}));
  EXPECT_EQ(checkpoint.texts(), (std::map<std::string, std::string>{{"identity", "training.steps = 9\n"}}));

  SmallRun run;
  checkpoint.restore(run.ipq);
  checkpoint.restore(run.state);
  EXPECT_EQ(run.state.histories, (std::map<std::string, std::vector<double>>{{"loss", {2.5, 1.25}}}));
  EXPECT_TRUE(torch::equal(run.net->first->weight, weight_of_first()));
  EXPECT_TRUE(torch::equal(run.net->second->weight, weight_of_second()));
  EXPECT_EQ(run.noise.step(), 11);
  ASSERT_TRUE(run.noise.codebooks().contains("second"));
  EXPECT_TRUE(std::ranges::equal(run.noise.codebooks().at("second").values(), noise_codebook().values()));
  {
    const DecodedWeights decoded = run.ipq.apply();
    EXPECT_TRUE(torch::equal(run.net->first->weight, weight_of_first())) << "by codes and centroids";
    EXPECT_FALSE(run.net->first->weight.is_leaf());
  }
  // Without a new gradient, momentum makes the next step: 0.5 (0.5 · 1 + 0) off.
  run.net->second->weight.mutable_grad() = torch::zeros_like(run.net->second->weight);
  run.optimizer.step();
  EXPECT_TRUE(torch::equal(run.net->second->weight, weight_of_second() - 0.25));
}

}  // namespace
}  // namespace parsimony::train
