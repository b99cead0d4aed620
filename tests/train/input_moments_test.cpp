#include "parsimony/train/input_moments.hpp"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include "train/small_net.hpp"

namespace parsimony::train {
namespace {

torch::Tensor moments(const std::vector<float>& values) {
  return torch::tensor(values);
}

void expect_near(const torch::Tensor& found, const torch::Tensor& wanted) {
  ASSERT_EQ(found.numel(), wanted.numel());
  EXPECT_LE((found - wanted.flatten().to(torch::kFloat)).abs().max().item<float>(), 1e-5);
}

// Every kind of layer, against its input computed by hand, over two batches.
TEST(InputMoments, AreTheMeanSquaresOfWhatEachLayerReads) {
  const SmallProblem a(1), b(2);
  SmallNet& net = *a.net;
  const auto found = input_second_moments(net, [&] {
    net.forward(a.images, a.words);
    net.forward(b.images, b.words);
  });
  EXPECT_EQ(found.size(), 6);
  const torch::NoGradGuard no_gradient;
  const torch::Tensor images = torch::cat({a.images, b.images}), words = torch::cat({a.words, b.words});
  expect_near(moments(found.at("conv")), images.square().mean({0, 2, 3}));
  const torch::Tensor first = torch::tanh(net.conv(images));
  // One channel per output.
  expect_near(moments(found.at("depthwise")),
              first.square().mean({0, 2, 3}).view({6, 1, 1, 1}).expand_as(net.depthwise->weight));
  const torch::Tensor second = torch::tanh(net.depthwise(first));
  // The first four outputs read the channels 0 to 2, the others 3 to 5.
  const torch::Tensor of_channels = second.square().mean({0, 2, 3}).view({2, 1, 3}).expand({2, 4, 3});
  expect_near(moments(found.at("grouped")), of_channels.reshape({8, 3}));
  const torch::Tensor counts = torch::bincount(words.flatten(), {}, 9).to(torch::kFloat);
  expect_near(moments(found.at("embedding")), (counts / counts.sum()).unsqueeze(1).expand({9, 12}));
  expect_near(moments(found.at("conv1d")), net.embedding(words).square().flatten(0, 1).mean(0));
  const torch::Tensor sum =
      net.grouped(second).mean({2, 3}) + net.conv1d(net.embedding(words).transpose(1, 2)).mean(2);
  expect_near(moments(found.at("linear")), torch::tanh(sum).square().mean(0));
}

TEST(InputMoments, LeavesOutWhatIsNotReachedAndEndsWithThePass) {
  const SmallProblem problem(3);
  SmallNet& net = *problem.net;
  const auto found = input_second_moments(net, [&] { net.linear(torch::ones({2, 8})); });
  EXPECT_EQ(found.size(), 1);
  EXPECT_EQ(found.at("linear"), std::vector<float>(8, 1.0F));
  EXPECT_THROW(input_second_moments(net, [] { throw std::runtime_error("no data"); }), std::runtime_error);
  problem.loss();  // nobody observes any more
}

}  // namespace
}  // namespace parsimony::train
