#include "operators/learning/penalty_objective.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "operators/normals.hpp"

namespace parsimony::operators {
namespace {

// One sample and one row after the other.
double naive(MatrixView<const double> samples, MatrixView<const double> analysis, double nu,
             MatrixView<double> gradient) {
  double value = 0;
  for (std::int64_t i = 0; i < analysis.rows; ++i) {
    for (std::int64_t t = 0; t < analysis.cols; ++t) gradient(i, t) = 0;
    for (std::int64_t s = 0; s < samples.rows; ++s) {
      double r = 0;
      for (std::int64_t t = 0; t < samples.cols; ++t) r += samples(s, t) * analysis(i, t);
      value += std::log1p(nu * r * r);
      for (std::int64_t t = 0; t < samples.cols; ++t)
        gradient(i, t) += 2 * nu * r / (1 + nu * r * r) * samples(s, t);
    }
  }
  return value;
}

double norm(const Matrix<double>& a) {
  double sum = 0;
  for (const double v : a.values()) sum += v * v;
  return std::sqrt(sum);
}

TEST(PenaltyObjective, EqualsTheSumOverSamplesAndRows) {
  for (const std::int64_t count : {1, 127, 129, 1500}) {
    for (const auto& [rows, n] : {std::pair<std::int64_t, std::int64_t>{1, 1}, {24, 16}, {130, 63}}) {
      SCOPED_TRACE(::testing::Message() << count << " samples, " << rows << " x " << n);
      const auto samples = normals<double>(count, n + 5, "samples");  // only the first n columns are used
      const auto analysis = normals<double>(rows, n, "analysis");
      const MatrixView<const double> view(samples.data(), count, n, n + 5);
      Matrix<double> expected(rows, n), found(rows, n);
      const double value = naive(view, analysis, 3, expected);
      EXPECT_NEAR(penalty_objective<double>(view, analysis, 3, found, Context(1)), value, 1e-12 * value);
      double worst = 0;
      for (std::int64_t v = 0; v < found.size(); ++v)
        worst = std::max(worst, std::abs(found.values()[v] - expected.values()[v]));
      EXPECT_LT(worst, 1e-12 * (1 + norm(expected)));

      Matrix<float> rounded(count, n);
      for (std::int64_t i = 0; i < count; ++i)
        for (std::int64_t t = 0; t < n; ++t) rounded(i, t) = static_cast<float>(view(i, t));
      EXPECT_NEAR(penalty_objective<float>(rounded, analysis, 3, found, Context(1)), value, 1e-5 * value);
      worst = 0;
      for (std::int64_t v = 0; v < found.size(); ++v)
        worst = std::max(worst, std::abs(found.values()[v] - expected.values()[v]));
      EXPECT_LT(worst, 2e-5 * (1 + norm(expected)));
    }
  }
}

TEST(PenaltyObjective, HasTheGradientOfItsDifferences) {
  const auto samples = normals<double>(300, 9, "samples");
  auto analysis = normals<double>(14, 9, "analysis");
  const auto along = normals<double>(14, 9, "direction");
  Matrix<double> gradient(14, 9), unused(14, 9);
  penalty_objective<double>(samples, analysis, 20, gradient, Context(1));
  double slope = 0;
  for (std::int64_t v = 0; v < along.size(); ++v) slope += along.values()[v] * gradient.values()[v];
  const auto moved = [&](double step) {
    Matrix<double> at = analysis;
    for (std::int64_t v = 0; v < along.size(); ++v) at.values()[v] += step * along.values()[v];
    return penalty_objective<double>(samples, at, 20, unused, Context(1));
  };
  EXPECT_NEAR((moved(1e-6) - moved(-1e-6)) / 2e-6, slope, 1e-5 * norm(gradient));
}

TEST(PenaltyObjective, GivesTheSameBytesForAnyNumberOfThreads) {
  const auto samples = normals<float>(9001, 16, "samples");
  const auto analysis = normals<double>(20, 16, "analysis");
  std::vector<Matrix<double>> gradients;
  std::vector<double> values;
  for (const int threads : {1, 2, 3}) {
    gradients.emplace_back(20, 16);
    values.push_back(penalty_objective<float>(samples, analysis, 9, gradients.back(), Context(threads)));
  }
  for (const int other : {1, 2}) {
    EXPECT_EQ(values[0], values[other]);
    EXPECT_TRUE(std::ranges::equal(gradients[0].values(), gradients[other].values()));
  }
}

}  // namespace
}  // namespace parsimony::operators
