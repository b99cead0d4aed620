#include "parsimony/operators/untf_learning.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <stop_token>
#include <string>

#include "expect_error.hpp"
#include "operators/frames/eigen_map.hpp"
#include "operators/learning/envelope.hpp"
#include "operators/learning/l1_analysis.hpp"
#include "operators/learning/noise_mixture.hpp"
#include "parsimony/core/random.hpp"
#include "parsimony/operators/douglas_rachford.hpp"
#include "parsimony/operators/frames.hpp"
#include "parsimony/operators/signals.hpp"
#include "thread_counts.hpp"

namespace parsimony::operators {
namespace {

struct Problem {
  Matrix<double> truth;
  Matrix<float> signals;
};

Problem problem(std::int64_t rows, std::int64_t cols, std::int64_t samples, std::int64_t cosparsity,
                std::uint64_t seed = 1) {
  Problem out{random_untf(rows, cols, seed), {}};
  out.signals = cosparse_signals(out.truth, {.samples = samples, .cosparsity = cosparsity, .seed = seed});
  return out;
}

std::string text(const Report& report, const std::string& name) {
  for (const auto& [key, value] : report.figures) {
    if (key == name) return std::get<std::string>(value);
  }
  return "";
}

double figure(const Report& report, const std::string& name) {
  for (const auto& [key, value] : report.figures) {
    if (key == name) return std::get<double>(value);
  }
  return std::nan("");
}

void expect_untf(const LearnedOperator& learned) {
  const FrameResiduals residuals = frame_residuals(learned.analysis_operator);
  EXPECT_LE(residuals.tightness, 1e-12);
  EXPECT_LE(residuals.norms, 1e-12);
}

TEST(L1Analysis, IsTheNaiveSum) {
  for (const std::int64_t samples : {1, 127, 128, 129, 5000}) {
    const Problem p = problem(13, 9, samples, 3);
    const Matrix<double> omega = random_untf(13, 9, 5);
    double norm = 0;
    Matrix<double> expected(13, 9), found;
    for (std::int64_t s = 0; s < samples; ++s) {
      for (std::int64_t i = 0; i < 13; ++i) {
        double r = 0;
        for (std::int64_t c = 0; c < 9; ++c) r += omega(i, c) * p.signals(s, c);
        norm += std::abs(r);
        for (std::int64_t c = 0; c < 9; ++c) expected(i, c) += (r > 0 ? 1 : -1) * p.signals(s, c);
      }
    }
    const L1Analysis l1(p.signals);
    EXPECT_NEAR(l1.evaluate(omega, &found, Context(1)), norm, 1e-6 * norm);
    EXPECT_EQ(l1.evaluate(omega, nullptr, Context(1)), l1.evaluate(omega, &found, Context(1)));
    EXPECT_LT((as_eigen(found.view()) - as_eigen(expected.view())).norm(),
              1e-5 * static_cast<double>(samples));
  }
}

TEST(L1Analysis, GradientIsThatOfFiniteDifferences) {
  const Problem p = problem(12, 8, 200, 0);  // no zero coefficients: smooth nearly everywhere
  const L1Analysis l1(p.signals);
  const Matrix<double> omega = random_untf(12, 8, 5);
  Matrix<double> gradient;
  l1.evaluate(omega, &gradient, Context(1));
  const Matrix<double> direction = random_untf(12, 8, 6);
  const double slope = (as_eigen(gradient.view()).array() * as_eigen(direction.view()).array()).sum();
  const double h = 1e-3;
  Matrix<double> ahead = omega, behind = omega;
  for (std::int64_t i = 0; i < omega.size(); ++i) {
    ahead.data()[i] += h * direction.data()[i];
    behind.data()[i] -= h * direction.data()[i];
  }
  const double measured =
      (l1.evaluate(ahead, nullptr, Context(1)) - l1.evaluate(behind, nullptr, Context(1))) / (2 * h);
  EXPECT_NEAR(slope, measured, 0.02 * std::abs(measured) + 0.1);
}

// The derivative of the minimum over X, against minima found by another call.
TEST(Envelope, IsTheMinimumAndItsDerivative) {
  const Problem p = problem(12, 8, 150, 5);
  const Matrix<float> noisy = with_noise(p.signals, 8, 1);
  const double lambda = 6;
  const Matrix<double> omega = random_untf(12, 8, 5), direction = random_untf(12, 8, 6);
  const auto least = [&](MatrixView<const double> w) {
    return douglas_rachford(w, noisy, {.lambda = lambda, .tolerance = 1e-12}).objective;
  };
  Envelope envelope(noisy, 12, lambda);
  Matrix<double> gradient;
  const double value = envelope.evaluate(omega, 500, &gradient, Context(1));
  EXPECT_NEAR(value, least(omega), 1e-5 * value);
  const double slope = (as_eigen(gradient.view()).array() * as_eigen(direction.view()).array()).sum();
  const double h = 1e-4;
  Matrix<double> ahead = omega, behind = omega;
  for (std::int64_t i = 0; i < omega.size(); ++i) {
    ahead.data()[i] += h * direction.data()[i];
    behind.data()[i] -= h * direction.data()[i];
  }
  const double measured = (least(ahead) - least(behind)) / (2 * h);
  EXPECT_NEAR(slope, measured, 2e-3 * std::abs(measured));
}

TEST(NarrowDeviation, IsThatOfTheNarrowerGaussian) {
  const RandomStream random(1, "test");
  for (const double share : {0.3, 0.6}) {
    std::vector<double> values;
    for (std::uint64_t i = 0; i < 20000; ++i) {
      const bool narrow = random.uniform(2 * i) < share;
      values.push_back((narrow ? 0.1 : 1) * RandomStream(2, "test").normal(i));
    }
    EXPECT_NEAR(narrow_deviation(values), 0.1, 0.01) << share;
  }
  EXPECT_EQ(narrow_deviation({0, 0, 0, 1}), 0);
  EXPECT_EQ(narrow_deviation({}), 0);
}

TEST(UntfLearning, RecoversTheOperator) {
  for (const std::int64_t cosparsity : {8, 12}) {
    const Problem p = problem(24, 16, 768, cosparsity);
    const LearnedOperator learned =
        learn_untf(p.signals, {.rows = 24, .exploration = 1500, .step_tolerance = 1e-5, .seed = 3});
    EXPECT_EQ(recovered_rows(p.truth, learned.analysis_operator, 0.9999), 1) << cosparsity;
    EXPECT_EQ(learned.report.status, Status::converged);
    EXPECT_EQ(text(learned.report, "stopped"), "short steps");
    // As good as the truth, which is a minimum.
    EXPECT_NEAR(learned.objective, L1Analysis(p.signals).evaluate(p.truth, nullptr, Context(1)),
                1e-3 * learned.objective);
    expect_untf(learned);
  }
}

TEST(UntfLearning, BacktrackingNeverRises) {
  const Problem p = problem(24, 16, 768, 10);
  const LearnedOperator learned = learn_untf(p.signals, {.rows = 24, .steps = StepRule::backtracking});
  const auto& history = learned.report.objective_history;
  for (std::size_t i = 1; i < history.size(); ++i) EXPECT_LE(history[i], history[i - 1]);
  EXPECT_LT(history.back(), 0.9 * history.front());
  EXPECT_EQ(learned.report.status, Status::converged);
  expect_untf(learned);
}

TEST(UntfLearning, StaysAtTheTruth) {
  const Problem p = problem(24, 16, 768, 10);
  Matrix<double> start = p.truth;
  for (double& value : start.values()) value *= 3;  // any scale is accepted
  const LearnedOperator learned = learn_untf(
      p.signals, {.rows = 24, .steps = StepRule::backtracking, .first_step = 1e-3, .initial = start});
  EXPECT_EQ(recovered_rows(p.truth, learned.analysis_operator, 0.99999), 1);
}

TEST(UntfLearning, NoiseAwareRecoversMoreRows) {
  const Problem p = problem(24, 16, 768, 12);
  const Matrix<float> noisy = with_noise(p.signals, 8, 1);
  UntfLearningOptions options{.rows = 24, .exploration = 1500, .step_tolerance = 1e-4, .seed = 2};
  const LearnedOperator plain = learn_untf(noisy, options);
  options.noise_aware = true;
  const LearnedOperator aware = learn_untf(noisy, options);
  EXPECT_GT(recovered_rows(p.truth, aware.analysis_operator),
            recovered_rows(p.truth, plain.analysis_operator));
  EXPECT_GE(recovered_rows(p.truth, aware.analysis_operator), 0.9);
  const double sigma = 0.25 * std::pow(10, -8.0 / 20);
  EXPECT_NEAR(figure(aware.report, "noise"), sigma, 0.2 * sigma);
  expect_untf(aware);
  double before = 0, after = 0;
  for (std::int64_t i = 0; i < noisy.size(); ++i) {
    before += std::pow(noisy.data()[i] - p.signals.data()[i], 2.0);
    after += std::pow(aware.signals.data()[i] - p.signals.data()[i], 2.0);
  }
  EXPECT_LT(after, 0.75 * before) << "the signals it explains are nearer to the clean ones";
}

TEST(UntfLearning, ZeroMeanAtoms) {
  // Atoms of the complement, signals with means that say nothing.
  const Matrix<double> basis = zero_mean_basis(10), theta = random_untf(14, 9, 2);
  const Matrix<double> truth = from_complement(theta, basis);
  Matrix<float> signals(500, 10);
  const Matrix<float> coordinates = cosparse_signals(theta, {.samples = 500, .cosparsity = 6});
  for (std::int64_t s = 0; s < 500; ++s) {
    for (std::int64_t c = 0; c < 10; ++c) {
      double value = static_cast<double>(s % 7);
      for (std::int64_t k = 0; k < 9; ++k) value += basis(c, k) * coordinates(s, k);
      signals(s, c) = static_cast<float>(value);
    }
  }
  const LearnedOperator learned = learn_untf(signals, {.rows = 14,
                                                       .exploration = 1500,
                                                       .step_tolerance = 1e-4,
                                                       .zero_mean = true,
                                                       .noise_aware = true,
                                                       .lambda = 1e3});
  EXPECT_EQ(recovered_rows(truth, learned.analysis_operator), 1);
  EXPECT_LT(as_eigen(learned.analysis_operator.view()).rowwise().sum().cwiseAbs().maxCoeff(), 1e-12);
  const RowMajor w = as_eigen(learned.analysis_operator.view());
  EXPECT_LT((w.transpose() * w * as_eigen(basis.view()) - as_eigen(basis.view())).norm(), 1e-12)
      << "tight on the complement";
  for (std::int64_t i = 0; i < signals.size(); ++i)
    EXPECT_NEAR(learned.signals.data()[i], signals.data()[i], 0.02);
}

TEST(UntfLearning, DoesNotDependOnTheUnit) {
  const Problem p = problem(12, 8, 300, 5);
  Matrix<float> large = p.signals;
  for (float& value : large.values()) value *= 256;  // a power of two: the same digits
  const UntfLearningOptions options{
      .rows = 12, .exploration = 300, .step_tolerance = 1e-3, .noise_aware = true};
  const LearnedOperator one = learn_untf(p.signals, options), other = learn_untf(large, options);
  EXPECT_LT((as_eigen(one.analysis_operator.view()) - as_eigen(other.analysis_operator.view())).norm(), 1e-6);
}

TEST(UntfLearning, SameBytesForAnyNumberOfThreads) {
  const Problem p = problem(12, 8, 5000, 5);
  for (const bool noise_aware : {false, true}) {
    const UntfLearningOptions options{
        .rows = 12, .exploration = 20, .step_tolerance = 1e-2, .noise_aware = noise_aware};
    const LearnedOperator one = learn_untf(p.signals, options, Context(1));
    for (const int threads : parsimony::testing::kThreadCounts) {
      const LearnedOperator other = learn_untf(p.signals, options, Context(threads));
      EXPECT_TRUE(std::equal(one.analysis_operator.values().begin(), one.analysis_operator.values().end(),
                             other.analysis_operator.values().begin()));
      EXPECT_EQ(one.report.objective_history, other.report.objective_history);
      EXPECT_EQ(one.objective, other.objective);
    }
  }
}

TEST(UntfLearning, SaysWhenItIsNotThereYet) {
  const Problem p = problem(24, 16, 768, 10);
  for (const StepRule steps : {StepRule::diminishing, StepRule::backtracking}) {
    const LearnedOperator learned = learn_untf(p.signals, {.rows = 24, .steps = steps, .max_steps = 7});
    EXPECT_EQ(learned.report.status, Status::iteration_limit);
    EXPECT_EQ(text(learned.report, "stopped"), "iteration limit");
    EXPECT_EQ(learned.report.iterations, 7);
    EXPECT_EQ(learned.report.objective_history.size(), 8u);
    expect_untf(learned);
  }
}

TEST(UntfLearning, WarnsOfSignalsThatSpanTooLittle) {
  Matrix<float> flat = problem(12, 8, 300, 5).signals;
  for (std::int64_t s = 0; s < 300; ++s) flat(s, 3) = flat(s, 4);
  std::string warned;
  Context context;
  context.on_log = [&](LogLevel, std::string_view message) { warned = message; };
  learn_untf(flat, {.rows = 12, .max_steps = 3}, context);
  EXPECT_NE(warned.find("span 7 of 8 dimensions"), std::string::npos) << warned;
}

TEST(UntfLearning, RefusesWhatCannotBe) {
  const Matrix<float> signals = problem(12, 8, 300, 5).signals;
  const auto refuse = [](const Matrix<float>& data, UntfLearningOptions options, const char* piece,
                         const Matrix<double>& initial = {}) {
    options.initial = initial;
    expect_error(ErrorCode::invalid_argument, piece, [&] { learn_untf(data, options); });
  };
  refuse(signals, {.rows = 7}, "rows: 7 rows; must be at least 8, the values of a signal");
  refuse(signals, {.rows = 6, .zero_mean = true}, "at least 7");
  refuse(signals, {.rows = 301}, "301 rows from 300 signals");
  refuse(signals, {.rows = -1}, "rows");
  refuse(signals, {.rows = 12, .first_step = 0}, "first_step");
  refuse(signals, {.rows = 12, .lambda = -1}, "lambda");
  refuse(signals, {.rows = 12}, "initial: an operator of 12 × 7; must be 12 × 8", random_untf(12, 7));
  refuse(Matrix<float>(), {.rows = 12}, "signals: 0 × 0");
  refuse(Matrix<float>(300, 8), {.rows = 12}, "constant");
  Matrix<float> constant(300, 8), broken = signals;
  for (std::int64_t s = 0; s < 300; ++s) {
    for (float& value : constant.row(s)) value = 0.1f * static_cast<float>(s);
  }
  refuse(constant, {.rows = 12}, "constant");
  refuse(constant, {.rows = 12, .zero_mean = true}, "constant");
  broken(17, 3) = std::numeric_limits<float>::infinity();
  refuse(broken, {.rows = 12}, "row 17");
  std::stop_source source;
  source.request_stop();
  Context context;
  context.stop = source.get_token();
  expect_error(ErrorCode::cancelled, "cancelled", [&] { learn_untf(signals, {.rows = 12}, context); });
}

}  // namespace
}  // namespace parsimony::operators
