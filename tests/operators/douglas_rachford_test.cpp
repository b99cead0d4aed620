#include "parsimony/operators/douglas_rachford.hpp"

#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <cmath>
#include <limits>
#include <stop_token>

#include "expect_error.hpp"
#include "operators/frames/eigen_map.hpp"
#include "operators/operators.hpp"
#include "parsimony/core/random.hpp"
#include "parsimony/operators/frames.hpp"
#include "parsimony/operators/signals.hpp"

namespace parsimony::operators {
namespace {

// Finite differences: their rows are not a frame, because constant signals are in the null space.
Matrix<double> differences(std::int64_t n) {
  Matrix<double> out(n - 1, n);
  for (std::int64_t i = 0; i + 1 < n; ++i) {
    out(i, i) = -1;
    out(i, i + 1) = 1;
  }
  return out;
}

Matrix<float> noisy_signals(std::int64_t samples, std::int64_t cols, float scale = 1) {
  Matrix<float> out(samples, cols);
  RandomStream(3, "test.noisy").fill_normal(out.values(), 0, scale);
  return out;
}

double objective(MatrixView<const double> omega, MatrixView<const float> y, MatrixView<const float> x,
                 double lambda) {
  double sum = 0;
  for (std::int64_t s = 0; s < y.rows; ++s) {
    Eigen::VectorXd signal(y.cols), given(y.cols);
    for (std::int64_t c = 0; c < y.cols; ++c) {
      signal[c] = x(s, c);
      given[c] = y(s, c);
    }
    sum += (as_eigen(omega) * signal).lpNorm<1>() + lambda / 2 * (given - signal).squaredNorm();
  }
  return sum;
}

// Another algorithm on another problem: accelerated projected gradient on the dual,
// max over |S| ≤ 1 of ⟨S, Ω y⟩ − ‖Ωᵀ S‖² / (2 λ), whose value is that of the primal.
double dual_value(MatrixView<const double> omega, MatrixView<const float> y, double lambda) {
  const RowMajor w = as_eigen(omega);
  const double step = lambda / frame_bounds(omega).upper;
  double sum = 0;
  for (std::int64_t s = 0; s < y.rows; ++s) {
    Eigen::VectorXd given(y.cols);
    for (std::int64_t c = 0; c < y.cols; ++c) given[c] = y(s, c);
    const Eigen::VectorXd target = w * given;
    Eigen::VectorXd dual = Eigen::VectorXd::Zero(w.rows()), ahead = dual;
    double momentum = 1, best = 0;
    for (int k = 0; k < 6000; ++k) {
      const Eigen::VectorXd adjoint = w.transpose() * ahead;
      const Eigen::VectorXd next = (ahead + step * (target - w * adjoint / lambda)).cwiseMax(-1).cwiseMin(1);
      const double weight = (1 + std::sqrt(1 + 4 * momentum * momentum)) / 2;
      ahead = next + (momentum - 1) / weight * (next - dual);
      momentum = weight;
      dual = next;
      if (k % 100 == 99) {
        best = std::max(best, dual.dot(target) - (w.transpose() * dual).squaredNorm() / (2 * lambda));
      }
    }
    sum += best;
  }
  return sum;
}

TEST(DouglasRachford, MatchesTheDualProblem) {
  const Matrix<double> tight = random_untf(24, 16, 1), general = testing::gaussian(20, 12, 2),
                       steps = differences(14);
  for (const Matrix<double>* omega : {&tight, &general, &steps}) {
    for (const double lambda : {0.5, 3.0, 20.0}) {
      SCOPED_TRACE(::testing::Message() << omega->rows() << " rows, lambda " << lambda);
      const Matrix<float> noisy = noisy_signals(10, omega->cols());
      const CosparseSignals found =
          douglas_rachford(*omega, noisy, {.lambda = lambda, .max_iterations = 50000, .tolerance = 1e-8});
      EXPECT_EQ(found.report.status, Status::converged);
      const double exact = dual_value(*omega, noisy, lambda);
      EXPECT_NEAR(found.objective / exact, 1, 1e-6);
      EXPECT_NEAR(objective(*omega, noisy, found.signals, lambda) / exact, 1, 1e-6);
      EXPECT_LE(found.lower_bound, exact * (1 + 1e-6));
      EXPECT_GE(found.objective, exact * (1 - 1e-6));
    }
  }
}

// For an orthonormal basis the answer is soft-thresholding of the coefficients.
TEST(DouglasRachford, OfABasisIsSoftThresholding) {
  const Matrix<double> basis = random_untf(8, 8, 4);
  const Matrix<float> noisy = noisy_signals(100, 8);
  const double lambda = 2;
  const CosparseSignals found = douglas_rachford(basis, noisy, {.lambda = lambda, .tolerance = 1e-12});
  for (std::int64_t s = 0; s < 100; ++s) {
    Eigen::VectorXd given(8);
    for (std::int64_t c = 0; c < 8; ++c) given[c] = noisy(s, c);
    Eigen::VectorXd coefficients = as_eigen(basis.view()) * given;
    for (double& value : coefficients)
      value = std::copysign(std::max(0.0, std::abs(value) - 1 / lambda), value);
    const Eigen::VectorXd exact = as_eigen(basis.view()).transpose() * coefficients;
    for (std::int64_t c = 0; c < 8; ++c) EXPECT_NEAR(found.signals(s, c), exact[c], 1e-5);
  }
}

TEST(DouglasRachford, TakesNoiseAway) {
  const Matrix<double> omega = random_untf(24, 16, 1);
  const Matrix<float> clean = cosparse_signals(omega, {.samples = 500, .cosparsity = 12});
  const Matrix<float> noisy = with_noise(clean, 14);
  const CosparseSignals found = douglas_rachford(omega, noisy, {.lambda = 40});
  double before = 0, after = 0;
  for (std::int64_t i = 0; i < clean.size(); ++i) {
    before += std::pow(noisy.data()[i] - clean.data()[i], 2.0);
    after += std::pow(found.signals.data()[i] - clean.data()[i], 2.0);
  }
  EXPECT_LT(after, 0.8 * before);
}

// Neither the unit of the signals nor the penalty of the splitting changes what is found.
TEST(DouglasRachford, DoesNotDependOnUnitsOrPenalty) {
  const Matrix<double> omega = random_untf(24, 16, 2);
  const Matrix<float> noisy = noisy_signals(70, 16), large = noisy_signals(70, 16, 256);
  const CosparseSignals one = douglas_rachford(omega, noisy, {.lambda = 4, .tolerance = 1e-10});
  const CosparseSignals other = douglas_rachford(omega, large, {.lambda = 4.0 / 256, .tolerance = 1e-10});
  const CosparseSignals third = douglas_rachford(omega, noisy, {.lambda = 4, .gamma = 1, .tolerance = 1e-10});
  EXPECT_NEAR(other.objective / one.objective, 256, 1e-6);
  EXPECT_NEAR(third.objective / one.objective, 1, 1e-9);
  for (std::int64_t i = 0; i < noisy.size(); ++i) {
    EXPECT_NEAR(other.signals.data()[i], 256 * one.signals.data()[i], 0.05);
    EXPECT_NEAR(third.signals.data()[i], one.signals.data()[i], 2e-4);
  }
}

TEST(DouglasRachford, SameBytesForAnyNumberOfThreads) {
  const Matrix<double> omega = random_untf(24, 16, 1);
  const Matrix<float> noisy = noisy_signals(400, 16);
  const CosparseSignals one = douglas_rachford(omega, noisy, {.lambda = 3}, Context(1));
  for (const int threads : {2, 3}) {
    const CosparseSignals other = douglas_rachford(omega, noisy, {.lambda = 3}, Context(threads));
    EXPECT_EQ(one.objective, other.objective);
    EXPECT_TRUE(
        std::equal(one.signals.values().begin(), one.signals.values().end(), other.signals.values().begin()));
  }
}

TEST(DouglasRachford, SaysWhenItIsNotThereYet) {
  const CosparseSignals found = douglas_rachford(testing::gaussian(20, 12, 2), noisy_signals(70, 12),
                                                 {.lambda = 3, .max_iterations = 3});
  EXPECT_EQ(found.report.status, Status::iteration_limit);
  EXPECT_EQ(found.report.iterations, 3);
  EXPECT_LT(found.lower_bound, found.objective);
}

TEST(DouglasRachford, RefusesWhatCannotBe) {
  const Matrix<double> omega = random_untf(24, 16, 1);
  const auto refuse = [&](const Matrix<float>& y, const DouglasRachfordOptions& options, const char* piece) {
    expect_error(ErrorCode::invalid_argument, piece, [&] { douglas_rachford(omega, y, options); });
  };
  refuse(noisy_signals(5, 15), {}, "24 × 16; the signals have 15 values");
  refuse(noisy_signals(5, 16), {.lambda = 0}, "lambda");
  Matrix<double> unknown = omega;
  unknown(3, 2) = NAN;
  expect_error(ErrorCode::invalid_argument, "row 3",
               [&] { douglas_rachford(unknown, noisy_signals(5, 16), {.gamma = 1}); });
  refuse(noisy_signals(5, 16), {.gamma = -1}, "gamma");
  refuse(Matrix<float>(), {}, "signals: 0 × 0");
  Matrix<float> broken = noisy_signals(5, 16);
  broken(3, 2) = std::numeric_limits<float>::quiet_NaN();
  refuse(broken, {}, "row 3");
  std::stop_source source;
  source.request_stop();
  Context context;
  context.stop = source.get_token();
  expect_error(ErrorCode::cancelled, "cancelled",
               [&] { douglas_rachford(omega, noisy_signals(5, 16), {}, context); });
}

}  // namespace
}  // namespace parsimony::operators
