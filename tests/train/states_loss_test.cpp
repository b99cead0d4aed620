// The loss of the values between the layers, and what is left after pruning.
#include <gtest/gtest.h>
#include <torch/torch.h>

#include "expect_error.hpp"
#include "parsimony/train/distillation.hpp"
#include "parsimony/train/pruning.hpp"

namespace parsimony::train::states_loss_test {
namespace {

TEST(StatesLoss, IsTheRelativeDistanceToTheTeacher) {
  torch::manual_seed(1);
  const torch::Tensor a = torch::randn({3, 4}, torch::kDouble), b = torch::randn({3, 4}, torch::kDouble);
  EXPECT_EQ(states_loss({a, b}, {a, b}).item<double>(), 0);
  EXPECT_NEAR(states_loss({1.1 * a, b}, {a, b}).item<double>(), 0.01 / 2, 1e-12);
  EXPECT_NEAR(states_loss({100 * a, b}, {1000 * a, b}).item<double>(), 0.81 / 2, 1e-12)
      << "whatever the size";
}

// Three layers of a student follow those that lie as deep in a teacher of six; its last the last.
TEST(StatesLoss, AStudentOfFewerLayersFollowsThoseOfItsDepth) {
  std::vector<torch::Tensor> teacher, student;
  for (int i = 0; i < 6; ++i) teacher.push_back(torch::full({2}, 1 + i, torch::kDouble));
  for (const int i : {1, 3, 5}) student.push_back(teacher[i].clone());
  EXPECT_EQ(states_loss(student, teacher).item<double>(), 0);
  student = {teacher[1], teacher[2], teacher[4], teacher[5]};  // ⌈6/4⌉ = 2, 3, ⌈18/4⌉ = 5, 6
  EXPECT_EQ(states_loss(student, teacher).item<double>(), 0);
}

TEST(StatesLoss, OnlyTheStudentGetsAGradient) {
  const torch::Tensor student = torch::ones({2}, torch::kDouble).requires_grad_(),
                      teacher = torch::full({2}, 2.0, torch::kDouble).requires_grad_();
  states_loss({student}, {teacher}).backward();
  EXPECT_FALSE(teacher.grad().defined());
  EXPECT_NEAR(student.grad()[0].item<double>(), -2.0 / 8, 1e-12);
}

TEST(StatesLoss, RefusesStatesThatDoNotFit) {
  const torch::Tensor a = torch::ones({2, 3});
  expect_error(ErrorCode::invalid_argument, "the states of 0 layers", [&] { states_loss({}, {a}); });
  expect_error(ErrorCode::invalid_argument, "2 layers", [&] { states_loss({a, a}, {a}); });
  expect_error(ErrorCode::invalid_argument, "in layer 0", [&] { states_loss({a}, {torch::ones({2, 4})}); });
}

TEST(Pruning, KeepsTheFirstOfEachGroupOfBlocks) {
  EXPECT_EQ(kept_blocks(4), (std::vector<std::int64_t>{0, 2}));
  EXPECT_EQ(kept_blocks(5), (std::vector<std::int64_t>{0, 2, 4}));
  EXPECT_EQ(kept_blocks(7, {.keep_every = 3}), (std::vector<std::int64_t>{0, 3, 6}));
  EXPECT_EQ(kept_blocks(2, {.keep_every = 1}), (std::vector<std::int64_t>{0, 1}));
  expect_error(ErrorCode::invalid_argument, "keep_every", [] { kept_blocks(4, {.keep_every = 0}); });
}

}  // namespace
}  // namespace parsimony::train::states_loss_test
