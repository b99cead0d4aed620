#include "models/adaptive_embedding.hpp"

#include <gtest/gtest.h>

#include "expect_error.hpp"

namespace parsimony::models::adaptive_embedding_test {
namespace {

constexpr std::int64_t kWords = 23, kWidth = 12;

struct Bands {
  AdaptiveEmbedding embedding{kWords, kWidth, {5, 11}, 3};  // 12, 4 and 1 values
  torch::Tensor x, classes, targets;

  Bands() {
    torch::manual_seed(3);
    embedding.to(torch::kDouble);
    x = torch::randn({40, kWidth}, torch::kDouble);
    classes = torch::randn({40, 2}, torch::kDouble);
    targets = torch::arange(40, torch::kLong).remainder(kWords);
  }
};

TEST(AdaptiveEmbedding, ProbabilitiesAddUpToOne) {
  Bands bands;
  const torch::Tensor p = bands.embedding.log_probabilities(bands.x, bands.classes).exp();
  EXPECT_EQ(p.sizes(), (std::vector<std::int64_t>{40, kWords}));
  EXPECT_LE((p.sum(1) - 1).abs().max().item<double>(), 1e-12);
}

// Value and gradients: the short way computes bands only where a target lies in them.
TEST(AdaptiveEmbedding, TheLossOfTargetsIsThatOfTheWholeSoftmax) {
  Bands bands;
  bands.x.requires_grad_();
  bands.classes.requires_grad_();
  std::vector<torch::Tensor> inputs = bands.embedding.parameters();
  inputs.push_back(bands.x);
  inputs.push_back(bands.classes);
  const torch::Tensor whole = bands.embedding.log_probabilities(bands.x, bands.classes);
  const torch::Tensor slow = whole.gather(1, bands.targets.unsqueeze(1)).squeeze(1);
  const torch::Tensor fast = bands.embedding.log_probabilities(bands.x, bands.classes, bands.targets);
  EXPECT_LE((slow - fast).abs().max().item<double>(), 1e-12);
  const torch::Tensor direction = torch::randn({40}, torch::kDouble);
  const auto a = torch::autograd::grad({slow.dot(direction)}, inputs, {}, false, false, true);
  const auto b = torch::autograd::grad({fast.dot(direction)}, inputs, {}, false, false, true);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    ASSERT_EQ(a[i].defined(), b[i].defined()) << i;  // the projection of the first band is only of the input
    if (!a[i].defined()) continue;
    EXPECT_LE((a[i] - b[i]).abs().max().item<double>(), 1e-12) << i;
  }
}

TEST(AdaptiveEmbedding, EmbedsEachTokenByItsBand) {
  Bands bands;
  const auto p = bands.embedding.named_parameters();
  const torch::Tensor tokens = torch::tensor({{22, 0, 11}, {4, 5, 10}}, torch::kLong);
  const torch::Tensor found = bands.embedding.forward(tokens);
  EXPECT_EQ(found.sizes(), (std::vector<std::int64_t>{2, 3, kWidth}));
  const std::int64_t first[] = {0, 5, 11};
  for (std::int64_t i = 0; i < 6; ++i) {
    const std::int64_t token = tokens[i / 3][i % 3].item<std::int64_t>();
    const int band = token < 5 ? 0 : token < 11 ? 1 : 2;
    const std::string name = "bands." + std::to_string(band);
    const torch::Tensor right =
        p[name + ".projection.weight"].matmul(p[name + ".words.weight"][token - first[band]]);
    EXPECT_LE((found[i / 3][i % 3] - right).abs().max().item<double>(), 1e-12) << token;
  }
  // Only rare tokens: the other bands get no gradient.
  bands.embedding.forward(torch::full({2}, 20, torch::kLong)).sum().backward();
  EXPECT_FALSE(p["bands.0.words.weight"].grad().defined());
  EXPECT_EQ(p["bands.2.words.weight"].grad().abs().sum(1).gt(0).sum().item<std::int64_t>(), 1);
}

TEST(AdaptiveEmbedding, RefusesBandsWithoutTokensOrValues) {
  const auto make = [](std::vector<std::int64_t> cutoffs) { AdaptiveEmbedding(kWords, kWidth, cutoffs, 4); };
  expect_error(ErrorCode::invalid_argument, "cutoffs: 4 after 9", [&] { make({9, 4}); });
  expect_error(ErrorCode::invalid_argument, "cutoffs: 0 after 0", [&] { make({0}); });
  expect_error(ErrorCode::invalid_argument, "cutoffs: 23 after 0", [&] { make({23}); });
  expect_error(ErrorCode::invalid_argument, "below the 23 tokens", [&] { make({5, 40}); });
  expect_error(ErrorCode::invalid_argument, "must be fewer", [&] { make({5, 11}); });
}

}  // namespace
}  // namespace parsimony::models::adaptive_embedding_test
