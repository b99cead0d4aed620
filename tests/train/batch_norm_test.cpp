#include "parsimony/train/batch_norm.hpp"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <stdexcept>

#include "expect_error.hpp"
#include "parsimony/models/resnet.hpp"
#include "parsimony/train/distillation.hpp"

namespace parsimony::train {
namespace {

TEST(RecalibrateBatchNorm, AveragesTheStatisticsOfAllBatches) {
  torch::manual_seed(1);
  torch::nn::Sequential net(torch::nn::BatchNorm2d(3), torch::nn::Dropout(0.5));
  net->forward(torch::randn({8, 3, 4, 4}) * 50);  // statistics of something else
  net[1]->eval();
  const torch::Tensor batches = torch::randn({5, 8, 3, 4, 4}) * 2 + 1;
  recalibrate_batch_norm(*net, [&] {
    for (int i = 0; i < 5; ++i) net->forward(batches[i]);
  });
  const auto* norm = net[0]->as<torch::nn::BatchNorm2d>();
  torch::Tensor mean = torch::zeros({3}), variance = torch::zeros({3});
  for (int i = 0; i < 5; ++i) {
    const torch::Tensor values = batches[i].transpose(0, 1).flatten(1);
    mean += values.mean(1) / 5;
    variance += values.var(1) / 5;
  }
  EXPECT_LE((norm->running_mean - mean).abs().max().item<float>(), 1e-5);
  EXPECT_LE((norm->running_var - variance).abs().max().item<float>(), 1e-4);
  EXPECT_TRUE(net->is_training());
  EXPECT_TRUE(net[0]->is_training());
  EXPECT_FALSE(net[1]->is_training());
  EXPECT_EQ(norm->options.momentum().value(), 0.1);
}

TEST(RecalibrateBatchNorm, ChangesNothingWhereItFails) {
  torch::nn::Sequential net(torch::nn::BatchNorm1d(3));
  net->forward(torch::randn({8, 3}));
  net->eval();
  const auto* norm = net[0]->as<torch::nn::BatchNorm1d>();
  const torch::Tensor mean = norm->running_mean.clone();
  EXPECT_THROW(recalibrate_batch_norm(*net,
                                      [&] {
                                        net->forward(torch::randn({8, 3}));
                                        throw std::runtime_error("no more data");
                                      }),
               std::runtime_error);
  expect_error(ErrorCode::invalid_argument, "no batch", [&] { recalibrate_batch_norm(*net, [] {}); });
  EXPECT_TRUE(torch::equal(norm->running_mean, mean));
  EXPECT_FALSE(net[0]->is_training());
  EXPECT_EQ(norm->options.momentum().value(), 0.1);
}

// Codes that stretch and shift the values of each channel, and inputs at hand of another kind than those that
// made the statistics: the variances follow the stretching, and the means move as on the inputs at hand.
TEST(MovedStatistics, MoveByWhatTheCodesChangeOnTheInputsAtHand) {
  torch::manual_seed(5);
  torch::nn::Sequential net(torch::nn::Linear(6, 4), torch::nn::BatchNorm1d(4));
  net->to(torch::kDouble);
  const torch::Tensor trained_on = torch::randn({512, 6}, torch::kDouble) * 3 + 2;
  const torch::Tensor at_hand = torch::randn({256, 6}, torch::kDouble);
  recalibrate_batch_norm(*net, [&] { net->forward(trained_on); });
  net->eval();
  const torch::Tensor expected = net->forward(trained_on);
  const auto measure = [&] { return measured_statistics(*net, [&] { net->forward(at_hand); }); };
  const BatchNormStatistics present = batch_norm_statistics(*net), before = measure();
  {
    const torch::NoGradGuard no_gradient;
    auto weights = net->named_parameters();
    weights["0.weight"].mul_(1.5);
    weights["0.bias"].mul_(1.5).add_(0.25);
  }
  EXPECT_TRUE(torch::equal(batch_norm_statistics(*net)["1.running_mean"], present.at("1.running_mean")))
      << "measuring leaves the model as it is";
  EXPECT_GE((net->forward(trained_on) - expected).abs().max().item<double>(), 0.5);
  set_statistics(*net, moved_statistics(present, before, measure()));
  const auto* norm = net[1]->as<torch::nn::BatchNorm1d>();
  const torch::Tensor variance = present.at("1.running_var") * 2.25;
  EXPECT_LE((norm->running_var / variance - 1).abs().max().item<double>(), 1e-4);
  // The mean moves by 0.25 and by half of the mean of the values at hand, not of those that trained.
  const torch::Tensor moved = norm->running_mean - present.at("1.running_mean");
  EXPECT_LE((moved - (0.25 + 0.5 * before.at("1.running_mean"))).abs().max().item<double>(), 1e-9);
  expect_error(ErrorCode::invalid_argument, "no \"2.running_mean\"", [&] {
    set_statistics(*net, {{"2.running_mean", torch::zeros({4})}});
  });
}

TEST(FreezeBatchNorm, LeavesTheStatisticsToForwardPassesInTraining) {
  torch::manual_seed(6);
  torch::nn::Sequential net(torch::nn::BatchNorm1d(3), torch::nn::Dropout(0.5));
  net->train();
  freeze_batch_norm(*net);
  const BatchNormStatistics before = batch_norm_statistics(*net);
  net->forward(torch::randn({8, 3}) + 7);
  for (const auto& [name, value] : batch_norm_statistics(*net))
    EXPECT_TRUE(torch::equal(value, before.at(name)));
  EXPECT_TRUE(net[1]->is_training());
}

TEST(NormalizeFilters, LeavesTheFunctionAndMakesFiltersOfOneSize) {
  torch::manual_seed(2);
  models::ResNet model({.depth = 8});
  model.to(torch::kDouble);
  {
    const torch::NoGradGuard no_gradient;
    model.forward(torch::randn({16, 3, 16, 16}, torch::kDouble));
    // A filter of zeros, as pruning leaves them, and sizes where eps matters.
    model.named_parameters()["conv1.weight"][3].zero_();
    model.named_parameters()["conv1.weight"][4].mul_(1e-3);
  }
  const torch::Tensor x = torch::randn({4, 3, 16, 16}, torch::kDouble);
  model.eval();
  const torch::Tensor before = model.forward(x);
  const std::vector<NormalizedLayer> pairs = layers_before_batch_norm(model);
  ASSERT_EQ(pairs.size(), 7);
  normalize_filters(model, pairs);
  EXPECT_LE((model.forward(x) - before).abs().max().item<double>(), 1e-9);
  for (const auto& [layer, norm] : pairs) {
    const torch::Tensor size =
        model.named_parameters()[layer + ".weight"].detach().flatten(1).square().mean(1).sqrt();
    EXPECT_TRUE((size.eq(0) | (size - 1).abs().lt(1e-9)).all().item<bool>()) << layer;
  }
}

TEST(NormalizeFilters, DividesTheBiasToo) {
  torch::manual_seed(3);
  torch::nn::Sequential net(torch::nn::Linear(6, 4), torch::nn::BatchNorm1d(4), torch::nn::Linear(4, 4));
  net->forward(torch::randn({32, 6}));
  net->eval();
  const torch::Tensor x = torch::randn({5, 6}), before = net->forward(x);
  const auto pairs = layers_before_batch_norm(*net);
  ASSERT_EQ(pairs.size(), 1);
  normalize_filters(*net, pairs);
  EXPECT_LE((net->forward(x) - before).abs().max().item<float>(), 1e-5);
  expect_error(ErrorCode::invalid_argument, "\"2\" and \"0\"", [&] {
    normalize_filters(*net, {{"2", "0"}});
  });
}

TEST(Distillation, IsTheDivergenceOfTheSoftenedDistributions) {
  torch::manual_seed(4);
  const torch::Tensor teacher = torch::randn({6, 5}, torch::kDouble);
  torch::Tensor student = torch::randn({6, 5}, torch::kDouble).requires_grad_();
  EXPECT_NEAR(distillation_loss(teacher, teacher, 3).item<double>(), 0, 1e-14);
  double expected = 0;
  const torch::Tensor p = torch::softmax(teacher / 2, 1), q = torch::softmax(student.detach() / 2, 1);
  for (int i = 0; i < 6; ++i) {
    for (int j = 0; j < 5; ++j) {
      const double pij = p[i][j].item<double>();
      expected += 4 * pij * std::log(pij / q[i][j].item<double>()) / 6;
    }
  }
  const torch::Tensor loss = distillation_loss(student, teacher, 2);
  EXPECT_NEAR(loss.item<double>(), expected, 1e-12);
  // Its gradient is T (softmax(student / T) − softmax(teacher / T)) / n.
  loss.backward();
  EXPECT_LE((student.grad() - 2 * (q - p) / 6).abs().max().item<double>(), 1e-12);
  expect_error(ErrorCode::invalid_argument, "temperature", [&] { distillation_loss(student, teacher, 0); });
  expect_error(ErrorCode::invalid_argument, "shapes", [&] { distillation_loss(student, teacher[0]); });
}

}  // namespace
}  // namespace parsimony::train
