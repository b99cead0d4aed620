#include "quant/plan/budget.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <numeric>
#include <random>

#include "expect_error.hpp"

namespace parsimony::quant {
namespace {

using Layers = std::vector<std::vector<Candidate>>;

std::int64_t bytes_of(const Layers& layers, const Choices& choices) {
  std::int64_t bytes = 0;
  for (std::size_t i = 0; i < layers.size(); ++i) bytes += layers[i][choices[i]].bytes;
  return bytes;
}

double error_of(const Layers& layers, const Choices& choices) {
  double error = 0;
  for (std::size_t i = 0; i < layers.size(); ++i) error += layers[i][choices[i]].error;
  return error;
}

// The best of all combinations within the limit.
double least_error(const Layers& layers, std::int64_t limit, std::size_t layer = 0) {
  if (limit < 0) return std::numeric_limits<double>::infinity();
  if (layer == layers.size()) return 0;
  double least = std::numeric_limits<double>::infinity();
  for (const Candidate& candidate : layers[layer]) {
    least = std::min(least, candidate.error + least_error(layers, limit - candidate.bytes, layer + 1));
  }
  return least;
}

// Each layer's best choice for itself at a price of a byte.
Choices priced_choices(const Layers& layers, double price) {
  Choices priced;
  for (const auto& candidates : layers) {
    const auto cost = [&](const Candidate& candidate) {
      return candidate.error + price * static_cast<double>(candidate.bytes);
    };
    priced.push_back(static_cast<std::size_t>(
        std::min_element(candidates.begin(), candidates.end(),
                         [&](const auto& a, const auto& b) { return cost(a) < cost(b); }) -
        candidates.begin()));
  }
  return priced;
}

Layers random_layers(std::mt19937& random) {
  Layers layers(1 + random() % 4);
  for (auto& candidates : layers) {
    candidates.resize(1 + random() % 6);
    for (Candidate& candidate : candidates) {
      candidate = {static_cast<double>(random() % 1000), static_cast<std::int64_t>(1 + random() % 50)};
    }
  }
  return layers;
}

TEST(Budget, IsKeptAndIsAsGoodAsEveryPointOfTheLagrangianWithin) {
  // For a price of a byte, each layer's choice of least cost alone. Those that the limit allows are met or
  // beaten. The prices: between those at which some layer goes from one candidate to another.
  std::mt19937 random(1);
  for (int trial = 0; trial < 500; ++trial) {
    const Layers layers = random_layers(random);
    std::int64_t least = 0;
    std::vector<double> turns{0, 2000};
    for (const auto& candidates : layers) {
      for (const Candidate& a : candidates) {
        for (const Candidate& b : candidates) {
          if (b.bytes > a.bytes && a.error > b.error)
            turns.push_back((a.error - b.error) / static_cast<double>(b.bytes - a.bytes));
        }
      }
      std::int64_t bytes = candidates[0].bytes;
      for (const Candidate& candidate : candidates) bytes = std::min(bytes, candidate.bytes);
      least += bytes;
    }
    const std::int64_t limit = least + static_cast<std::int64_t>(random() % 60);
    const auto size = [&](const Choices& choices) { return bytes_of(layers, choices); };
    const Choices choices = choose_under_budget(layers, limit, size);
    ASSERT_LE(bytes_of(layers, choices), limit);
    const double best = least_error(layers, limit), reached = error_of(layers, choices);
    ASSERT_GE(reached, best);
    std::sort(turns.begin(), turns.end());
    turns.erase(std::unique(turns.begin(), turns.end()), turns.end());
    for (std::size_t i = 1; i < turns.size(); ++i) {
      const Choices priced = priced_choices(layers, (turns[i - 1] + turns[i]) / 2);
      if (bytes_of(layers, priced) > limit) continue;
      ASSERT_LE(reached, error_of(layers, priced));
    }
    // No combination of as many bytes has a lower error. The Lagrangian guarantees this for points that it
    // reaches without steps out of order.
    const std::int64_t own = bytes_of(layers, choices);
    if (own == limit && layers.size() == 1) {
      ASSERT_EQ(error_of(layers, choices), best);
    }
  }
}

TEST(Budget, IsTheOptimumAtEveryPointOfTheLagrangian) {
  std::mt19937 random(2);
  for (int trial = 0; trial < 300; ++trial) {
    const Layers layers = random_layers(random);
    // For a price of a byte, each layer's best choice for itself is the best of all combinations of its size.
    const double price = 0.37 + static_cast<double>(random() % 40);
    const Choices priced = priced_choices(layers, price);
    const std::int64_t limit = bytes_of(layers, priced);
    const Choices choices =
        choose_under_budget(layers, limit, [&](const Choices& c) { return bytes_of(layers, c); });
    ASSERT_NEAR(error_of(layers, choices), error_of(layers, priced), 1e-9);
    ASSERT_NEAR(error_of(layers, choices), least_error(layers, limit), 1e-9);
  }
}

TEST(Budget, CountsTheBytesThatTheFileAdds) {
  const Layers layers{{{10, 10}, {1, 20}}, {{10, 10}, {2, 20}}};
  const auto size = [&](const Choices& choices) { return 100 + bytes_of(layers, choices); };
  EXPECT_EQ(choose_under_budget(layers, 120, size), (Choices{0, 0}));
  EXPECT_EQ(choose_under_budget(layers, 130, size), (Choices{1, 0}));
  EXPECT_EQ(choose_under_budget(layers, 140, size), (Choices{1, 1}));
  expect_error(ErrorCode::invalid_argument, "budget: 119 bytes; the least that this model takes is 120",
               [&] { choose_under_budget(layers, 119, size); });
  EXPECT_TRUE(choose_under_budget({}, 100, [](const Choices&) { return 100; }).empty());
}

}  // namespace
}  // namespace parsimony::quant
