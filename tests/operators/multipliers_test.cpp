// The multipliers that certify: of least squares, and of the linear program.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "expect_error.hpp"
#include "operators/operators.hpp"
#include "operators/solvers/linear_program.hpp"
#include "parsimony/operators/certificate.hpp"
#include "parsimony/operators/signals.hpp"

namespace parsimony::operators {
namespace {

struct Cell {
  std::int64_t cosparsity, samples;
  double low, high;  // max|M| of the least-squares multipliers over seeds
  // The growth is well above what the curvature and the rounding of the signals to float32 take of it.
  bool certain;
};

// Published figures are few draws each; ours have to meet their range, over more draws.
TEST(LeastSquaresMultipliers, AreOfTheKnownSize) {
  for (const Cell& cell :
       {Cell{6, 384, 1.03, 1.2, false}, Cell{8, 384, 0.82, 0.86, true}, Cell{10, 192, 0.86, 0.92, false},
        Cell{10, 768, 0.39, 0.54, true}, Cell{12, 96, 1.0, 1.19, false}, Cell{12, 768, 0.30, 0.36, true}}) {
    SCOPED_TRACE(::testing::Message() << cell.cosparsity << " x " << cell.samples);
    std::vector<double> found;
    for (std::uint64_t seed = 0; seed < 5; ++seed) {
      const Matrix<double> omega = random_untf(24, 16, seed);
      const Matrix<float> x = cosparse_signals(
          omega, {.samples = cell.samples, .cosparsity = cell.cosparsity, .seed = seed + 100});
      const OperatorCertificate out = certify_operator(omega, x);
      EXPECT_NE(out.verdict, Verdict::refuted) << out.explanation;
      if (cell.certain) {
        EXPECT_EQ(out.verdict, Verdict::certified) << out.explanation;
        EXPECT_GT(out.growth, 0);
        EXPECT_LT(out.radius, 2e-3);
      }
      EXPECT_EQ(out.dimension, 225);
      found.push_back(out.least_squares);
    }
    std::sort(found.begin(), found.end());
    EXPECT_GT(found[2], 0.85 * cell.low);
    EXPECT_LT(found[2], 1.15 * cell.high);
  }
}

// Conjugate gradients end before rounding outside of the tangent space has its way.
TEST(LeastSquaresMultipliers, AreOfTheirSizeInEveryDraw) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const Matrix<double> omega = random_untf(24, 16, seed);
    const Matrix<float> x = cosparse_signals(omega, {.samples = 192, .cosparsity = 8, .seed = seed + 1000});
    const OperatorCertificate out = certify_operator(omega, x);
    EXPECT_NE(out.verdict, Verdict::refuted) << out.explanation;
    EXPECT_LT(out.least_squares, 2.5) << seed;
    EXPECT_GT(out.least_squares, 0.7) << seed;
  }
}

// Around the boundary neither test contradicts the other, and the two bounds of the program meet.
TEST(LinearProgram, AndTheCertificateNeverContradictEachOther) {
  if (!solves_linear_programs()) GTEST_SKIP() << "this build has no solver of linear programs";
  int certified = 0, refuted = 0, beyond_least_squares = 0;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    SCOPED_TRACE(seed);
    const std::int64_t n = 4 + static_cast<std::int64_t>(seed % 3),
                       a = n + 2 + static_cast<std::int64_t>(seed % 4);
    const Matrix<double> truth = random_untf(a, n, seed);
    const Matrix<float> x = cosparse_signals(
        truth, {.samples = 12 + static_cast<std::int64_t>(seed), .cosparsity = n - 2, .seed = seed});
    const Matrix<double> omega = seed % 5 == 4 ? testing::perturbed(truth, 0.01, seed) : truth;
    const OperatorCertificate fast = certify_operator(omega, x);
    const OperatorCertificate exact = certify_operator(omega, x, {.exact = true});
    if (fast.verdict != Verdict::undecided && exact.verdict != Verdict::undecided) {
      EXPECT_EQ(fast.verdict, exact.verdict) << fast.explanation;
    }
    if (exact.verdict == Verdict::certified) {
      EXPECT_LT(exact.exact_upper, 1);
      EXPECT_LE(exact.exact_upper, fast.least_squares + 1e-9);
      EXPECT_GE(exact.growth, fast.growth);
      beyond_least_squares += fast.least_squares > 1;
    } else if (exact.verdict == Verdict::refuted) {
      EXPECT_GT(exact.exact_lower, 1);
    }
    EXPECT_LE(exact.exact_lower, exact.exact_upper * (1 + 1e-6));
    if (std::isfinite(exact.exact_upper)) {
      EXPECT_NEAR(exact.exact_lower / exact.exact_upper, 1, 1e-5);
    }
    certified += exact.verdict == Verdict::certified;
    refuted += exact.verdict == Verdict::refuted;
  }
  EXPECT_GE(certified + refuted, 38) << "the program says below or above 1, and curvature hides few of these";
  EXPECT_GT(certified, 8);
  EXPECT_GT(refuted, 8);
  EXPECT_GT(beyond_least_squares, 2) << "the search found nothing that least squares had not";
}

TEST(LinearProgram, IsSolved) {
  if (!solves_linear_programs()) {
    expect_error(ErrorCode::unsupported, "coinor-libclp-dev", [] { solve(LinearProgram(1), Context(1)); });
    return;
  }
  // min −x − 2y subject to x + y + s = 4, y ≤ 3: x = 1, y = 3.
  LinearProgram program(1);
  const double infinity = std::numeric_limits<double>::max();
  program.right[0] = 4;
  for (const auto& [cost, upper] : {std::pair{-1.0, infinity}, {-2.0, 3.0}, {0.0, infinity}}) {
    program.column(cost, 0, upper);
    program.add(0, 1);
  }
  const LinearSolution solution = solve(program, Context(1));
  ASSERT_TRUE(solution.optimal);
  EXPECT_NEAR(solution.objective, -7, 1e-7);
  EXPECT_NEAR(solution.primal[0], 1, 1e-7);
  EXPECT_NEAR(solution.primal[1], 3, 1e-7);
  EXPECT_NEAR(solution.dual[0], -1, 1e-7);
  // Nothing satisfies it.
  program.right[0] = -1;
  EXPECT_FALSE(solve(program, Context(1)).optimal);
}

}  // namespace
}  // namespace parsimony::operators
