#include "parsimony/train/checkpoint.hpp"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <cstring>

#include "expect_error.hpp"
#include "parsimony/train/noise.hpp"
#include "temporary_directory.hpp"
#include "train/small_net.hpp"

namespace parsimony::train {
namespace {

// Training with everything that has a state: Adam's moments, LibTorch's generator, noise with codebooks.
struct Training {
  SmallProblem problem{1};
  torch::optim::Adam optimizer{problem.net->parameters(), torch::optim::AdamOptions(0.01)};
  Noise noise{
      {.function = NoiseFunction::product, .rate = 0.3, .block_size = 4, .centroids = 5, .refresh_steps = 4}};
  TrainingState state{*problem.net, optimizer, &noise, {{"step", 0}}};

  void steps(int count) {
    for (int i = 0; i < count; ++i) {
      const NoisyWeights noisy = noise.apply(*problem.net);
      optimizer.zero_grad();
      (problem.loss() * torch::rand({})).backward();
      optimizer.step();
      ++state.position["step"];
    }
  }
  std::string bytes() const {
    std::string out;
    for (const torch::Tensor& p : problem.net->parameters()) {
      out.append(static_cast<const char*>(p.data_ptr()), p.nbytes());
    }
    return out;
  }
};

TEST(Checkpoint, ARunGoesOnAsIfItHadNotStopped) {
  const TemporaryDirectory directory;
  const auto path = directory / "run.checkpoint";
  for (const int stop : {0, 1, 3, 4, 7}) {
    std::string whole;
    {
      Training training;
      training.steps(stop);
      save_checkpoint(path, training.state);
      training.steps(10 - stop);
      whole = training.bytes();
    }
    Training resumed;
    resumed.steps(2);  // another state than a new one
    load_checkpoint(path, resumed.state);
    EXPECT_EQ(resumed.state.position, (std::map<std::string, std::int64_t>{{"step", stop}}));
    EXPECT_EQ(resumed.noise.step(), stop);
    resumed.steps(10 - stop);
    EXPECT_TRUE(resumed.bytes() == whole) << "stopped after " << stop;
  }
}

TEST(Checkpoint, AFullDiskIsToldAsOne) {
  Training training;
  expect_error(ErrorCode::io, "No space left on device",
               [&] { save_checkpoint("/dev/full", training.state); });
}

TEST(Checkpoint, FilesOfSomethingElseAreRefused) {
  const TemporaryDirectory directory;
  Training training;
  expect_error(ErrorCode::io, "missing", [&] { load_checkpoint(directory / "missing", training.state); });
  expect_error(ErrorCode::format, "is not a checkpoint of this run",
               [&] { load_checkpoint(directory.file("text", "no archive"), training.state); });
  torch::nn::Sequential other(torch::nn::Linear(3, 2));
  torch::optim::Adam optimizer(other->parameters());
  TrainingState state{*other, optimizer};
  save_checkpoint(directory / "other", state);
  expect_error(ErrorCode::format, "is not a checkpoint of this run",
               [&] { load_checkpoint(directory / "other", training.state); });
  const std::string bytes = TemporaryDirectory::content(directory / "other");
  expect_error(ErrorCode::format, "is not a checkpoint of this run",
               [&] { load_checkpoint(directory.file("cut", bytes.substr(0, bytes.size() / 2)), state); });
}

}  // namespace
}  // namespace parsimony::train
