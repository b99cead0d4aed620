#include "kernels/chebyshev_step.hpp"

#include <gtest/gtest.h>
#include <hwy/highway.h>

#include <algorithm>
#include <cmath>
#include <tuple>
#include <vector>

#include "dense.hpp"
#include "kernels/every_target.hpp"
#include "parsimony/core/matrix.hpp"
#include "parsimony/core/random.hpp"

namespace parsimony::kernels::chebyshev_step_test {
namespace {

// Sums of up to 67 terms of size ~1 in float32, in any order: 67 · 2^-24 relative to the sum of magnitudes.
constexpr double kErrorBudget = 1e-4;

struct Outcome {
  Matrix<float> next, accumulator;
  std::vector<double> squares, products;
};

// Every combination of width, weights, diagonal, first step, accumulator and inner products.
using Case = std::tuple<std::int64_t, bool, bool, bool, bool, bool>;

class ChebyshevStepOnEveryTarget : public ::testing::TestWithParam<Case> {};

TEST_P(ChebyshevStepOnEveryTarget, EqualsTheScalarTwin) {
  const auto [width, weighted, own, first, accumulates, sums] = GetParam();
  // Row i has i entries for i = 0..67, so every length and every odd offset of the arrays is met.
  constexpr std::int64_t kRows = 68;
  testing::Dense w = testing::zeros(kRows);
  for (std::int64_t i = 0; i < kRows; ++i) {
    for (std::int64_t j = 0; j < i; ++j) w[i][(i * 7 + j) % kRows] = 0.1 + static_cast<double>(j % 5);
  }
  const Csr csr = testing::to_csr(w, weighted);
  Matrix<float> current(kRows, width), previous(kRows, width), accumulator(kRows, width);
  std::vector<float> neighbor(kRows), diagonal(kRows), weight(kRows);
  RandomStream(1, "current").fill_normal(current.values());
  RandomStream(1, "previous").fill_normal(previous.values());
  RandomStream(1, "accumulator").fill_normal(accumulator.values());
  RandomStream(1, "neighbor").fill_normal(neighbor, 0, 0.1f);
  RandomStream(1, "diagonal").fill_normal(diagonal);
  for (std::int64_t i = 0; i < kRows; ++i) weight[i] = 0.5f + static_cast<float>(i % 3);

  const auto run = [&, width = width, own = own, first = first, accumulates = accumulates,
                    sums = sums](auto step_function) {
    Outcome out{previous, accumulator, std::vector<double>(width), std::vector<double>(width)};
    const ChebyshevStep step{.offsets = csr.offsets.data(),
                             .columns = csr.columns.data(),
                             .values = csr.values.empty() ? nullptr : csr.values.data(),
                             .neighbor = neighbor.data(),
                             .own = own ? diagonal.data() : nullptr,
                             .current = current.data(),
                             .previous = out.next.data(),
                             .first = first,
                             .accumulator = accumulates ? out.accumulator.data() : nullptr,
                             .coefficient = 0.7f,
                             .weight = sums ? weight.data() : nullptr,
                             .squares = out.squares.data(),
                             .products = out.products.data(),
                             .width = width};
    step_function(step, 1, 30);  // rows outside [1, 66) stay as they were
    step_function(step, 30, 66);
    return out;
  };
  const Outcome expected = run(chebyshev_step_scalar);

  for_targets([&] {
    const Outcome found = run(chebyshev_step);
    for (std::int64_t v = 0; v < current.size(); ++v) {
      ASSERT_NEAR(found.next.values()[v], expected.next.values()[v], kErrorBudget * 10) << v;
      ASSERT_NEAR(found.accumulator.values()[v], expected.accumulator.values()[v], kErrorBudget * 10) << v;
    }
    for (std::int64_t c = 0; c < current.cols(); ++c) {
      ASSERT_NEAR(found.squares[c], expected.squares[c], kErrorBudget * (1 + expected.squares[c]));
      ASSERT_NEAR(found.products[c], expected.products[c], kErrorBudget * (1 + expected.squares[c]));
    }
  });
  EXPECT_EQ(expected.next(0, 0), previous(0, 0));
  EXPECT_EQ(expected.next(67, 0), previous(67, 0));
}

// The bound of sums in parts of 512: (512 + n / 512) · 2^-24. Equal terms, added one after the other, are
// beyond it.
TEST(ChebyshevStepOfAHub, KeepsTheDigitsOfItsSum) {
  constexpr std::int64_t kNeighbors = 100'000, kWidth = 16;
  const std::vector<std::int64_t> offsets{0, kNeighbors};
  const std::vector<std::int32_t> columns(kNeighbors, 0);
  const std::vector<float> weights(kNeighbors, 1.1f), neighbor{1};
  Matrix<float> current(1, kWidth);
  std::fill(current.values().begin(), current.values().end(), 1.0f / 3);
  for (const bool weighted : {false, true}) {
    const double exact = kNeighbors * static_cast<double>(current(0, 0)) * (weighted ? weights[0] : 1.0);
    for_targets([&] {
      Matrix<float> next(1, kWidth);
      chebyshev_step({.offsets = offsets.data(),
                      .columns = columns.data(),
                      .values = weighted ? weights.data() : nullptr,
                      .neighbor = neighbor.data(),
                      .current = current.data(),
                      .previous = next.data(),
                      .width = kWidth},
                     0, 1);
      EXPECT_NEAR(next(0, 5), exact, exact * (512 + kNeighbors / 512.0) * 0x1p-24);
    });
  }
}

INSTANTIATE_TEST_SUITE_P(AllShapes, ChebyshevStepOnEveryTarget,
                         ::testing::Combine(::testing::Values(16, 32, 48, 64), ::testing::Bool(),
                                            ::testing::Bool(), ::testing::Bool(), ::testing::Bool(),
                                            ::testing::Bool()));

}  // namespace
}  // namespace parsimony::kernels::chebyshev_step_test
