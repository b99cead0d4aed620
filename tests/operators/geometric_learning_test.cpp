#include "parsimony/operators/geometric_learning.hpp"

#include <gtest/gtest.h>

#include <Eigen/LU>
#include <cmath>
#include <limits>
#include <stop_token>
#include <vector>

#include "expect_error.hpp"
#include "operators/frames/eigen_map.hpp"
#include "operators/learning/oblique_objective.hpp"
#include "operators/learning/stochastic_descent.hpp"
#include "operators/normals.hpp"
#include "parsimony/core/random.hpp"
#include "parsimony/operators/frames.hpp"
#include "parsimony/operators/signals.hpp"

namespace parsimony::operators {
namespace {

Matrix<double> unit_rows(Matrix<double> w) {
  for (std::int64_t i = 0; i < w.rows(); ++i) {
    double squares = 0;
    for (const double v : w.row(i)) squares += v * v;
    for (double& v : w.row(i)) v /= std::sqrt(squares);
  }
  return w;
}

bool same(const Matrix<double>& a, const Matrix<double>& b) {
  return std::ranges::equal(a.values(), b.values());
}

void expect_unit_rows(const Matrix<double>& w) {
  for (std::int64_t i = 0; i < w.rows(); ++i) {
    double squares = 0;
    for (const double v : w.row(i)) squares += v * v;
    EXPECT_NEAR(squares, 1, 1e-12) << i;
  }
}

TEST(GeometricLearning, HasTheObjectiveOfItsFormula) {
  const auto samples = normals<float>(50, 5, "samples");
  const Matrix<double> w = unit_rows(normals<double>(9, 5, "analysis"));
  const GeometricLearningOptions options{.nu = 30, .kappa = 7, .mu = 3};
  double square = 0;
  for (const float v : samples.values()) square += static_cast<double>(v) * v / 50;
  const auto rows = as_eigen(w.view());
  double sparsity = 0, apart = 0;
  for (std::int64_t i = 0; i < 9; ++i) {
    for (std::int64_t s = 0; s < 50; ++s) {
      double r = 0;
      for (std::int64_t t = 0; t < 5; ++t) r += w(i, t) * samples(s, t);
      sparsity += std::log(1 + 30 / square * r * r);
    }
    for (std::int64_t j = 0; j < 9; ++j) {
      const double inner = rows.row(i).dot(rows.row(j));
      if (j != i) apart += std::log(1 - inner * inner);
    }
  }
  const double determinant = std::log((rows.transpose() * rows).determinant());
  EXPECT_NEAR(geometric_objective(samples, w, options, Context(1)),
              sparsity / (5 * 50) - 7 / (5 * std::log(5.0)) * determinant - 2 * 3.0 / (9 * 8) * apart, 1e-5);
}

TEST(GeometricLearning, HasTheGradientOfItsDifferences) {
  for (const bool zero_mean : {false, true}) {
    const std::int64_t n = 10, m = zero_mean ? 9 : 10, a = 21;
    const auto samples = normals<double>(200, n, "samples");
    const Matrix<double> basis = zero_mean ? zero_mean_basis(n) : Matrix<double>();
    const Context context(1);
    ObliqueObjective<double> objective(samples, a, basis, context);
    objective.weights = {.nu = 50, .kappa = 20, .mu = 6};
    const auto u = normals<double>(a, m, "variables"), along = normals<double>(a, m, "direction");
    std::vector<double> gradient(u.size()), unused(u.size());
    objective(u.values(), gradient);
    double slope = 0, size = 0;
    for (std::int64_t v = 0; v < u.size(); ++v) {
      slope += gradient[v] * along.values()[v];
      size += gradient[v] * gradient[v];
    }
    const auto moved = [&](double step) {
      Matrix<double> at = u;
      for (std::int64_t v = 0; v < u.size(); ++v) at.values()[v] += step * along.values()[v];
      return objective(at.values(), unused);
    };
    EXPECT_NEAR((moved(1e-6) - moved(-1e-6)) / 2e-6, slope, 1e-6 * std::sqrt(size));
    // Longer rows are the same operator, so no row's gradient has a part along the row.
    for (std::int64_t i = 0; i < a; ++i) {
      double product = 0;
      for (std::int64_t t = 0; t < m; ++t) product += u(i, t) * gradient[i * m + t];
      EXPECT_NEAR(product, 0, 1e-12 * std::sqrt(size)) << i;
    }
  }
}

TEST(GeometricLearning, RecoversPlantedOperators) {
  for (const std::int64_t cosparsity : {6, 10, 13}) {
    for (const std::uint64_t seed : {1, 2, 3}) {
      const Matrix<double> truth = random_untf(24, 16, seed);
      const auto samples = cosparse_signals(truth, {.cosparsity = cosparsity, .seed = seed}, Context(1));
      const LearnedOperator found = learn_geometric(samples, {.rows = 24, .seed = seed}, Context(1));
      EXPECT_EQ(recovered_rows(truth, found.analysis_operator), 1) << cosparsity << ", seed " << seed;
      EXPECT_EQ(found.report.status, Status::converged);
      expect_unit_rows(found.analysis_operator);
      // As good as the truth by what is minimised, to which it is a stationary point beside the truth.
      EXPECT_LT(found.objective, geometric_objective(samples, truth, {}, Context(1)) + 1e-9);
    }
  }
}

TEST(GeometricLearning, RecoversPlantedOperatorsFromMinibatches) {
  const Matrix<double> truth = random_untf(24, 16, 5);
  const auto samples = cosparse_signals(truth, {.samples = 20000, .cosparsity = 10}, Context(1));
  const LearnedOperator found = learn_geometric(
      samples, {.rows = 24, .stages = 1, .batch_size = 256, .batches = 400, .rate = 0.1}, Context(1));
  EXPECT_EQ(recovered_rows(truth, found.analysis_operator), 1);
  expect_unit_rows(found.analysis_operator);
  EXPECT_EQ(found.report.iterations, 400);
  EXPECT_EQ(found.report.status, Status::converged);
  EXPECT_NEAR(found.objective, geometric_objective(samples, truth, {}, Context(1)), 0.02);
}

TEST(GeometricLearning, RecoversRowsOfZeroMean) {
  const Matrix<double> basis = zero_mean_basis(16);
  const Matrix<double> truth = from_complement(random_untf(24, 15, 5), basis);
  Matrix<float> samples = cosparse_signals(truth, {.samples = 1500, .cosparsity = 9}, Context(1));
  // A part of the signals that rows of zero mean do not see changes nothing, however large it is.
  for (std::int64_t s = 0; s < samples.rows(); ++s) {
    for (float& v : samples.row(s)) v += 3 * static_cast<float>(RandomStream(1, "means").normal(s));
  }
  const LearnedOperator found = learn_geometric(samples, {.rows = 24, .zero_mean = true}, Context(1));
  EXPECT_EQ(recovered_rows(truth, found.analysis_operator), 1);
  expect_unit_rows(found.analysis_operator);
  for (std::int64_t i = 0; i < 24; ++i) {
    double sum = 0;
    for (const double v : found.analysis_operator.row(i)) sum += v;
    EXPECT_NEAR(sum, 0, 1e-12) << i;
  }
  for (const auto& [name, value] :
       found.report.figures) {  // bounds within the subspace, where the rows are a frame
    if (name == "lower_frame_bound") {
      EXPECT_GT(std::get<double>(value), 0.5);
    }
  }
}

TEST(GeometricLearning, DescendsInEveryStageAndReportsIt) {
  const auto samples = cosparse_signals(random_untf(12, 8, 1), {.samples = 300, .cosparsity = 4}, Context(1));
  const LearnedOperator found =
      learn_geometric(samples, {.stages = 1, .max_iterations = 7, .restarts = 3}, Context(1));
  EXPECT_EQ(found.analysis_operator.rows(), 16);  // twice the length
  const auto& history = found.report.objective_history;
  EXPECT_EQ(std::ssize(history), 8);
  EXPECT_TRUE(std::is_sorted(history.rbegin(), history.rend()));
  EXPECT_EQ(history.back(), found.objective);
  EXPECT_EQ(found.report.status, Status::iteration_limit);
  EXPECT_NEAR(geometric_objective(samples, found.analysis_operator, {}, Context(1)), found.objective, 1e-6);
  // The first of the starts is the only one without restarts.
  EXPECT_LE(found.objective,
            learn_geometric(samples, {.stages = 1, .max_iterations = 7}, Context(1)).objective);
}

TEST(GeometricLearning, KeepsToAGoodStart) {
  const Matrix<double> truth = random_untf(24, 16, 3);
  const auto samples = cosparse_signals(truth, {.cosparsity = 10}, Context(1));
  const LearnedOperator found =
      learn_geometric(samples, {.stages = 1, .max_iterations = 30, .initial = truth}, Context(1));
  ASSERT_EQ(found.analysis_operator.rows(), 24);
  for (std::int64_t i = 0; i < 24; ++i) {
    double inner = 0;
    for (std::int64_t t = 0; t < 16; ++t) inner += truth(i, t) * found.analysis_operator(i, t);
    EXPECT_GT(inner, 0.999 * std::sqrt(16.0 / 24)) << i;
  }
}

TEST(GeometricLearning, KnowsNoUnits) {
  Matrix<float> samples = cosparse_signals(random_untf(24, 16, 3), {.samples = 300}, Context(1));
  const LearnedOperator found = learn_geometric(samples, {.max_iterations = 20}, Context(1));
  for (float& v : samples.values()) v *= 1024;
  EXPECT_TRUE(same(found.analysis_operator,
                   learn_geometric(samples, {.max_iterations = 20}, Context(1)).analysis_operator));
}

TEST(GeometricLearning, GivesTheSameBytesForAnyNumberOfThreads) {
  const auto samples =
      cosparse_signals(random_untf(24, 16, 3), {.samples = 3000, .cosparsity = 9}, Context(1));
  for (const std::int64_t batch : {0, 1500}) {
    std::vector<Matrix<double>> found;
    for (const int threads : {1, 2, 3}) {
      found.push_back(learn_geometric(samples,
                                      {.max_iterations = 5, .batch_size = batch, .batches = 7, .seed = 4},
                                      Context(threads))
                          .analysis_operator);
    }
    EXPECT_TRUE(same(found[0], found[1])) << batch;
    EXPECT_TRUE(same(found[0], found[2])) << batch;
    EXPECT_FALSE(
        same(found[0],
             learn_geometric(samples, {.max_iterations = 5, .batch_size = batch, .batches = 7, .seed = 5},
                             Context(1))
                 .analysis_operator))
        << batch;
  }
}

TEST(GeometricLearning, RefusesWhatItCannotLearnFrom) {
  const auto refused = [](const std::string& piece, Matrix<float> samples,
                          GeometricLearningOptions options = {}, const Matrix<double>& initial = {}) {
    options.initial = initial;
    expect_error(ErrorCode::invalid_argument, piece, [&] { learn_geometric(samples, options, Context(1)); });
  };
  const Matrix<float> good = normals<float>(20, 4, "samples");
  refused("0 samples", Matrix<float>(0, 4));
  refused("length 1", Matrix<float>(5, 1));
  refused("3 rows cannot span 4", good, {.rows = 3});
  refused("nu", good, {.nu = -1});
  refused("all samples are zero", Matrix<float>(20, 4));
  Matrix<float> tiny(20, 4);
  std::ranges::fill(tiny.values(), 1e-20f);
  refused("scale them", tiny);
  Matrix<float> bad = good;
  bad(7, 2) = std::numeric_limits<float>::infinity();
  refused("sample 7", bad);
  Matrix<float> constant(20, 4);
  std::ranges::fill(constant.values(), 2.5f);
  refused("constant", constant, {.zero_mean = true});
  std::ranges::fill(constant.values(), 1000.1f);  // rounding leaves a small variation
  refused("constant", constant, {.zero_mean = true});
  refused("6 x 4; must be 8 x 4", good, {.rows = 8}, normals<double>(6, 4, "initial"));
  refused("6 x 5; must be 6 x 4", good, {}, normals<double>(6, 5, "initial"));
  Matrix<double> initial = normals<double>(6, 4, "initial");
  for (double& v : initial.row(2)) v = 0;
  refused("row 2 of the initial operator is zero", good, {}, initial);
  for (double& v : initial.row(2)) v = 1;
  refused("row 2 of the initial operator is constant", good, {.zero_mean = true}, initial);
  expect_error(ErrorCode::invalid_argument, "6 x 5",
               [&] { geometric_objective(good, normals<double>(6, 5, "analysis"), {}, Context(1)); });
}

// Batches with the sample that overflows count neither for the descent nor for its history.
TEST(StochasticDescent, LeavesOutWhatIsNotFinite) {
  Matrix<float> samples = normals<float>(200, 4, "samples");
  for (float& value : samples.row(50)) value = 1e30f;
  const Context context(1);
  ObliqueObjective<float> objective(samples, 6, {}, context);
  objective.weights = {.nu = 100, .kappa = 20, .mu = 6};
  const Matrix<double> start = unit_rows(normals<double>(6, 4, "start"));
  std::vector<double> u(start.values().begin(), start.values().end());
  const StochasticOptions options{.batch = 20, .steps = 60, .seed = 2};
  const auto history = stochastic_descent(u, 6, objective, options, context).history;
  EXPECT_LT(history.size(), 60u) << "one entry a step, but for those left out";
  EXPECT_GT(history.size(), 30u);
  for (const double value : history) EXPECT_TRUE(std::isfinite(value));
  for (const double value : u) EXPECT_TRUE(std::isfinite(value));

  std::copy_n(u.begin(), 4, u.begin() + 4);  // equal rows: no batch has a finite objective
  EXPECT_TRUE(stochastic_descent(u, 6, objective, options, context).history.empty());
}

TEST(StochasticDescent, GivesTheSamplesBackWhenCancelled) {
  const Matrix<float> samples = normals<float>(200, 4, "samples");
  std::stop_source source;
  Context context(1);
  context.stop = source.get_token();
  ObliqueObjective<float> objective(samples, 6, {}, context);
  objective.weights = {.nu = 100, .kappa = 20, .mu = 6};
  const Matrix<double> start = unit_rows(normals<double>(6, 4, "start"));
  std::vector<double> u(start.values().begin(), start.values().end());
  source.request_stop();
  expect_error(ErrorCode::cancelled, "cancelled",
               [&] { stochastic_descent(u, 6, objective, {.batch = 20, .steps = 60}, context); });
  EXPECT_EQ(objective.samples.data, samples.data());
}

TEST(GeometricLearning, CanBeCancelled) {
  const Matrix<float> samples = normals<float>(2000, 4, "samples");
  for (const std::int64_t batch : {0, 100}) {
    std::stop_source source;
    Context context(1);
    context.stop = source.get_token();
    context.on_progress = [&](std::string_view stage, std::int64_t, std::int64_t) {
      EXPECT_EQ(stage, "operator learning");
      source.request_stop();
    };
    expect_error(ErrorCode::cancelled, "cancelled",
                 [&] { learn_geometric(samples, {.batch_size = batch}, context); });
  }
}

}  // namespace
}  // namespace parsimony::operators
