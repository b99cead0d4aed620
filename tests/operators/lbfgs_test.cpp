#include "operators/solvers/lbfgs.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <stop_token>
#include <vector>

#include "expect_error.hpp"
#include "parsimony/core/random.hpp"

namespace parsimony::operators {
namespace {

constexpr LbfgsOptions kExact{.max_iterations = 1000, .tolerance = 0, .gradient_tolerance = 1e-9};

// ½ Σ c_i (x_i − i)², curvatures from 1 to `condition`.
template <class T>
auto quadratic(double condition) {
  return [condition](std::span<const T> x, std::span<T> gradient) {
    double value = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double c = std::pow(condition, static_cast<double>(i) / static_cast<double>(x.size() - 1));
      const double away = static_cast<double>(x[i]) - static_cast<double>(i);
      value += 0.5 * c * away * away;
      gradient[i] = static_cast<T>(c * away);
    }
    return value;
  };
}

// Chains of two, their minimum 0 where all are 1.
double rosenbrock(std::span<const double> x, std::span<double> gradient) {
  double value = 0;
  for (std::size_t i = 0; i + 1 < x.size(); i += 2) {
    const double bend = x[i + 1] - x[i] * x[i], away = 1 - x[i];
    value += 100 * bend * bend + away * away;
    gradient[i] = -400 * x[i] * bend - 2 * away;
    gradient[i + 1] = 200 * bend;
  }
  return value;
}

TEST(Lbfgs, FindsTheMinimumOfQuadratics) {
  for (const double condition : {1.0, 100.0, 1e4}) {
    std::vector<double> x(50, -3);
    const LbfgsResult result = lbfgs<double>(x, quadratic<double>(condition), kExact, Context(1));
    for (std::size_t i = 0; i < x.size(); ++i) EXPECT_NEAR(x[i], static_cast<double>(i), 1e-4) << condition;
    EXPECT_EQ(result.stop, LbfgsStop::gradient) << condition;
    EXPECT_EQ(std::ssize(result.history), result.iterations + 1);
    EXPECT_TRUE(std::is_sorted(result.history.rbegin(), result.history.rend()));
  }
}

TEST(Lbfgs, NeedsOneStepWhereTheCurvatureIsKnown) {
  std::vector<double> x(10, 5);
  const LbfgsResult result = lbfgs<double>(x, quadratic<double>(1), kExact, Context(1));
  EXPECT_EQ(result.iterations, 1);
  EXPECT_EQ(result.evaluations, 2);
}

TEST(Lbfgs, TakesTheFirstStepThatWasAskedFor) {
  std::vector<double> x(1, 5);
  LbfgsOptions options = kExact;
  options.first_step = 0.25;
  options.max_iterations = 1;
  const auto parabola = [](std::span<const double> at, std::span<double> gradient) {
    gradient[0] = at[0];
    return 0.5 * at[0] * at[0];
  };
  const LbfgsResult result = lbfgs<double>(x, parabola, options, Context(1));
  EXPECT_DOUBLE_EQ(x[0], 5 - 0.25 * 5);
  EXPECT_EQ(result.stop, LbfgsStop::iteration_limit);
}

TEST(Lbfgs, WalksTheValleyOfRosenbrock) {
  std::vector<double> x(20);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = i % 2 ? 1 : -1.2;
  LbfgsOptions options = kExact;
  options.first_step = 1e-3;
  const LbfgsResult result = lbfgs<double>(x, rosenbrock, options, Context(1));
  for (const double v : x) EXPECT_NEAR(v, 1, 1e-6);
  EXPECT_LT(result.evaluations, 100);
}

TEST(Lbfgs, WorksInFloat) {
  std::vector<float> x(30, 0);
  LbfgsOptions options{.max_iterations = 200};
  const LbfgsResult result = lbfgs<float>(x, quadratic<float>(100), options, Context(1));
  for (std::size_t i = 0; i < x.size(); ++i) EXPECT_NEAR(x[i], static_cast<float>(i), 1e-3);
  EXPECT_NE(result.stop, LbfgsStop::iteration_limit);
}

TEST(Lbfgs, StepsBackFromWhatIsNotFinite) {
  std::vector<double> x(1, 0.5);  // the first step leads to 0.5 − 100 · 1 < 0, where the logarithm is not
  const auto barrier = [](std::span<const double> at, std::span<double> gradient) {
    gradient[0] = 3 - 1 / at[0];
    return at[0] > 0 ? 3 * at[0] - std::log(at[0]) : std::numeric_limits<double>::quiet_NaN();
  };
  LbfgsOptions options = kExact;
  options.first_step = 100;
  lbfgs<double>(x, barrier, options, Context(1));
  EXPECT_NEAR(x[0], 1.0 / 3, 1e-8);
}

TEST(Lbfgs, SaysThatAWrongGradientLeadsNowhere) {
  std::vector<double> x(1, 1);
  const auto uphill = [](std::span<const double> at, std::span<double> gradient) {
    gradient[0] = -at[0];
    return at[0] * at[0];
  };
  EXPECT_EQ(lbfgs<double>(x, uphill, kExact, Context(1)).stop, LbfgsStop::no_descent);
  EXPECT_EQ(x[0], 1);
}

TEST(Lbfgs, StopsWhereTheObjectiveFallsNoMore) {
  const auto raised = [](std::span<const double> x, std::span<double> gradient) {
    return 1e6 + quadratic<double>(1e4)(x, gradient);
  };
  std::vector<double> x(50, -3), y = x;
  LbfgsOptions options = kExact;
  options.tolerance = 1e-6;
  const LbfgsResult early = lbfgs<double>(x, raised, options, Context(1));
  EXPECT_EQ(early.stop, LbfgsStop::decrease);
  EXPECT_NEAR(early.history.back(), 1e6, 100);
  EXPECT_LT(early.iterations, lbfgs<double>(y, quadratic<double>(1e4), kExact, Context(1)).iterations / 2);
}

TEST(Lbfgs, GivesTheSameBytesForAnyNumberOfThreads) {
  std::vector<std::vector<float>> found;
  for (const int threads : {1, 2, 3}) {
    found.emplace_back(100001);
    RandomStream(1, "start").fill_normal(found.back());
    const auto valley = [](std::span<const float> x, std::span<float> gradient) {
      double value = 0;
      for (std::size_t i = 0; i < x.size(); ++i) {
        const double c = 1 + static_cast<double>(i % 97), v = x[i];
        value += std::sqrt(1 + c * v * v);
        gradient[i] = static_cast<float>(c * v / std::sqrt(1 + c * v * v));
      }
      return value;
    };
    lbfgs<float>(found.back(), valley, {.memory = 4, .max_iterations = 12}, Context(threads));
  }
  EXPECT_EQ(found[0], found[1]);
  EXPECT_EQ(found[0], found[2]);
}

TEST(Lbfgs, CanBeCancelled) {
  std::stop_source source;
  source.request_stop();
  Context context(1);
  context.stop = source.get_token();
  std::vector<double> x(5, 7);
  expect_error(ErrorCode::cancelled, "cancelled",
               [&] { lbfgs<double>(x, quadratic<double>(10), kExact, context); });
}

}  // namespace
}  // namespace parsimony::operators
