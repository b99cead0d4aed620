#include "parsimony/operators/certificate.hpp"

#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>
#include <stop_token>

#include "expect_error.hpp"
#include "operators/frames/eigen_map.hpp"
#include "operators/operators.hpp"
#include "parsimony/operators/frames.hpp"
#include "parsimony/operators/signals.hpp"
#include "parsimony/operators/tangent_space.hpp"

namespace parsimony::operators {
namespace {

double objective(const Matrix<double>& omega, const Matrix<float>& x) {
  return (Eigen::Map<const Eigen::Matrix<float, -1, -1, Eigen::RowMajor>>(x.data(), x.rows(), x.cols())
              .cast<double>() *
          as_eigen(omega.view()).transpose())
      .cwiseAbs()
      .sum();
}

TEST(CosparsityProfile, CountsWhatWasPlanted) {
  const Matrix<double> omega = random_untf(24, 16, 1);
  Matrix<float> x = cosparse_signals(omega, {.samples = 500, .cosparsity = 9, .seed = 2});
  for (float& value : x.row(7)) value = 0;
  const CosparsityProfile profile = cosparsity_profile(omega, x);
  EXPECT_EQ(profile.signals[9], 499);
  EXPECT_EQ(profile.zero_signals, 1);
  EXPECT_EQ(profile.zeros, 499 * 9);
  EXPECT_DOUBLE_EQ(profile.mean, 9);
  EXPECT_EQ(std::accumulate(profile.rows.begin(), profile.rows.end(), std::int64_t{0}), profile.zeros);
  EXPECT_LT(profile.largest_zero, 3e-7);
  EXPECT_GT(profile.smallest_nonzero, 3e-6);
  // Neither the scale of the operator nor that of a signal matters.
  Matrix<double> scaled = omega;
  for (std::int64_t i = 0; i < 24; ++i) {
    for (double& value : scaled.row(i)) value *= std::pow(10.0, i - 12);
  }
  for (std::int64_t j = 0; j < 500; ++j) {
    for (float& value : x.row(j)) value *= std::pow(10.0f, static_cast<float>(j % 9 - 4));
  }
  const CosparsityProfile same = cosparsity_profile(scaled, x);
  EXPECT_EQ(same.signals, profile.signals);
  EXPECT_EQ(same.rows, profile.rows);
  EXPECT_EQ(cosparsity_profile(omega, x, 0.99).zeros, 499 * 24) << "no coefficient is above 0.99 here";
}

TEST(Certificate, RefutesAPerturbedOperatorByAStepThatHelps) {
  for (const double distance : {1e-3, 1e-2, 0.3}) {
    SCOPED_TRACE(distance);
    const Matrix<double> truth = random_untf(24, 16, 3);
    const Matrix<float> x = cosparse_signals(truth, {.samples = 400, .cosparsity = 10, .seed = 8});
    const Matrix<double> omega = testing::perturbed(truth, distance, 9);
    const OperatorCertificate out = certify_operator(omega, x);
    ASSERT_EQ(out.verdict, Verdict::refuted) << out.explanation;
    // In the tangent space, of length 1, with the slope that was said, by finite differences.
    Matrix<double> direction = out.direction;
    TangentSpace(omega).project(direction);
    EXPECT_LT((as_eigen(direction.view()) - as_eigen(out.direction.view())).norm(), 1e-9);
    EXPECT_NEAR(as_eigen(direction.view()).norm(), 1, 1e-12);
    Matrix<double> moved = omega;
    as_eigen(moved.view()) += 1e-8 * as_eigen(direction.view());
    const double slope = (objective(moved, x) - objective(omega, x)) / 1e-8;
    EXPECT_NEAR(slope, out.slope, 1e-2 * std::abs(out.slope));
    EXPECT_LT(out.slope, 0);
    EXPECT_GT(out.decrease, 0);
    project_untf(moved);
    EXPECT_LT(objective(moved, x), objective(omega, x));
    EXPECT_NE(out.explanation.find("Not a local optimum"), std::string::npos);
  }
}

// The objective grows by what the certificate promises, in random directions and in those of the worst slope.
TEST(Certificate, PromisesNoMoreGrowthThanThereIs) {
  const Matrix<double> omega = random_untf(12, 8, 1);
  const Matrix<float> x = cosparse_signals(omega, {.samples = 200, .cosparsity = 6, .seed = 1});
  const OperatorCertificate out = certify_operator(omega, x);
  ASSERT_EQ(out.verdict, Verdict::certified) << out.explanation;
  ASSERT_GT(out.growth, 0);
  const TangentSpace tangent(omega);
  const double at = objective(omega, x);
  for (std::uint64_t trial = 0; trial < 200; ++trial) {
    Matrix<double> direction = testing::gaussian(12, 8, trial);
    if (trial % 2 == 1) {  // one row's worth, where the growth is least
      for (std::int64_t i = 0; i < 12; ++i) {
        for (double& value : direction.row(i))
          value *= i == static_cast<std::int64_t>(trial / 2 % 12) ? 1 : 1e-3;
      }
    }
    tangent.project(direction);
    as_eigen(direction.view()) /= as_eigen(direction.view()).norm();
    Matrix<double> moved = omega;
    as_eigen(moved.view()) += 1e-4 * as_eigen(direction.view());
    EXPECT_GT((objective(moved, x) - at) / 1e-4, out.growth * 0.99) << trial;
  }
}

// Three directions in the plane, a signal along each and two short ones nearly across: counted as zeros those
// promise growth to first order, and the objective falls whichever way the frame is turned.
TEST(Certificate, IsNotGivenToAMaximum) {
  struct Case {
    double turned, length, tolerance;
  };
  for (const Case& at : {Case{0.025, 0.02, 0.05}, Case{5e-7, 4e-7, 1e-6}}) {
    SCOPED_TRACE(at.turned);
    Matrix<double> omega(3, 2);
    Matrix<float> x(9, 2);
    const auto set = [&](std::int64_t j, double length, double angle) {
      x(j, 0) = static_cast<float>(length * std::cos(angle));
      x(j, 1) = static_cast<float>(length * std::sin(angle));
    };
    for (std::int64_t i = 0; i < 3; ++i) {
      const double angle = 2 * M_PI * static_cast<double>(i) / 3;
      omega(i, 0) = std::sqrt(2.0 / 3) * std::cos(angle);
      omega(i, 1) = std::sqrt(2.0 / 3) * std::sin(angle);
      set(3 * i, 1, angle);
      set(3 * i + 1, at.length, angle + M_PI / 2 + at.turned);
      set(3 * i + 2, at.length, angle + M_PI / 2 - at.turned);
    }
    const OperatorCertificate out = certify_operator(omega, x, {.zero_tolerance = at.tolerance});
    EXPECT_NE(out.verdict, Verdict::certified) << out.explanation;
  }
}

// Between radius and basin no frame is as good, and the bound holds at any distance.
TEST(Certificate, BoundsTheObjectiveOfOtherFrames) {
  const Matrix<double> omega = random_untf(12, 8, 1);
  const Matrix<float> x = cosparse_signals(omega, {.samples = 200, .cosparsity = 6, .seed = 1});
  const OperatorCertificate out = certify_operator(omega, x);
  ASSERT_EQ(out.verdict, Verdict::certified) << out.explanation;
  EXPECT_LT(out.radius, out.basin);
  const double at = objective(omega, x);
  int inside = 0;
  for (std::uint64_t trial = 0; trial < 60; ++trial) {
    const Matrix<double> other =
        testing::perturbed(omega, std::pow(10.0, -1 - 4.0 * static_cast<double>(trial % 6) / 5), trial);
    const double r = (as_eigen(other.view()) - as_eigen(omega.view())).norm();
    const double change = objective(other, x) - at;
    EXPECT_GT(change, out.growth * r - out.bend * r * r - 1e-3) << r;
    const double relative = r / std::sqrt(8.0);
    if (relative <= out.radius || relative >= out.basin) continue;
    EXPECT_GT(change, 0);
    ++inside;
  }
  EXPECT_GT(inside, 5);
}

TEST(Certificate, DoesNotDependOnScales) {
  const Matrix<double> omega = random_untf(16, 10, 2);
  const Matrix<float> x = cosparse_signals(omega, {.samples = 150, .cosparsity = 6, .seed = 3});
  const OperatorCertificate one = certify_operator(omega, x);
  Matrix<double> scaled = omega;
  as_eigen(scaled.view()) *= -64;
  for (const float factor : {0x1p10f, 0x1p-30f, 0x1p-45f}) {
    Matrix<float> other_x = x;
    for (float& value : other_x.values()) value *= factor;
    const OperatorCertificate other = certify_operator(scaled, other_x);
    EXPECT_EQ(one.verdict, other.verdict) << factor;
    EXPECT_NEAR(one.least_squares, other.least_squares, 1e-9) << factor;
    EXPECT_NEAR(one.growth * factor, other.growth, 1e-3 * other.growth) << factor;
    EXPECT_NEAR(one.radius, other.radius, 1e-3 * one.radius) << factor;
  }
}

// An operator of zero-mean rows is a UNTF in one dimension less, and signals may have any mean.
TEST(Certificate, LooksAtWhatTheRowsSpan) {
  const Matrix<double> theta = random_untf(14, 8, 4);
  const Matrix<float> inside = cosparse_signals(theta, {.samples = 120, .cosparsity = 5, .seed = 5});
  const Matrix<double> basis = zero_mean_basis(9);
  const Matrix<double> omega = from_complement(theta, basis);
  Matrix<float> x(120, 9);
  for (std::int64_t j = 0; j < 120; ++j) {
    for (std::int64_t c = 0; c < 9; ++c) {
      double value = 0.1 * static_cast<double>(j);
      for (std::int64_t k = 0; k < 8; ++k) value += basis(c, k) * static_cast<double>(inside(j, k));
      x(j, c) = static_cast<float>(value);
    }
  }
  const CertificateOptions options{.zero_tolerance = 1e-4};
  const OperatorCertificate out = certify_operator(omega, x, options);
  const OperatorCertificate same = certify_operator(theta, inside, options);
  EXPECT_EQ(out.rank, 8);
  EXPECT_EQ(out.dimension, untf_dimension(14, 8));
  EXPECT_EQ(out.verdict, same.verdict);
  EXPECT_EQ(out.profile.signals, same.profile.signals);
  EXPECT_NEAR(out.least_squares, same.least_squares, 1e-3);
  const OperatorCertificate moved =
      certify_operator(from_complement(testing::perturbed(theta, 0.05, 1), basis), x, options);
  ASSERT_EQ(moved.verdict, Verdict::refuted);
  EXPECT_LT((as_eigen(moved.direction.view()) * Eigen::VectorXd::Ones(9)).norm(), 1e-12);
}

TEST(Certificate, SaysWhenItCannotTell) {
  const Matrix<double> omega = random_untf(12, 8, 6);
  const Matrix<float> x = cosparse_signals(omega, {.samples = 300, .cosparsity = 6, .seed = 7});
  const OperatorCertificate none = certify_operator(testing::gaussian(12, 8, 1), x);
  EXPECT_EQ(none.verdict, Verdict::undecided);
  EXPECT_NE(none.explanation.find("not a unit-norm tight frame"), std::string::npos);
  EXPECT_EQ(none.profile.signals.size(), 13u);
  EXPECT_TRUE(std::isnan(none.multiplier));
  EXPECT_EQ(certify_operator(testing::gaussian(12, 8, 1), x, {.project = true}).verdict, Verdict::refuted);

  // Zeros to three digits are not zeros enough for an optimum here.
  const Matrix<double> near = testing::perturbed(omega, 0.02, 3);
  const OperatorCertificate coarse = certify_operator(near, x, {.zero_tolerance = 0.1});
  EXPECT_NE(coarse.verdict, Verdict::certified) << coarse.explanation;

  const OperatorCertificate unfinished = certify_operator(
      omega, cosparse_signals(omega, {.samples = 30, .cosparsity = 5, .seed = 7}), {.max_iterations = 0});
  EXPECT_EQ(unfinished.verdict, Verdict::undecided);
  EXPECT_EQ(unfinished.report.status, Status::iteration_limit);
}

// Signals that are nothing but zeros of one row: the objective is 0 on them whatever the others do.
TEST(Certificate, MeetsTheSmallestCases) {
  Matrix<float> x(3, 1);
  x(0, 0) = 1;
  Matrix<double> omega(1, 1);
  omega(0, 0) = 1;
  EXPECT_EQ(certify_operator(omega, x).verdict, Verdict::certified);
  EXPECT_EQ(certify_operator(omega, x).dimension, 0);
  // All signals 0: nothing is a strict optimum.
  EXPECT_EQ(certify_operator(random_untf(6, 4, 1), Matrix<float>(5, 4)).verdict, Verdict::undecided);
  // An orthobasis, sparse in itself.
  const Matrix<double> basis = random_untf(6, 6, 2);
  const OperatorCertificate out =
      certify_operator(basis, cosparse_signals(basis, {.samples = 200, .cosparsity = 4, .seed = 1}));
  EXPECT_EQ(out.dimension, 15);
  EXPECT_EQ(out.verdict, Verdict::certified) << out.explanation;
}

TEST(Certificate, SameBytesForAnyNumberOfThreads) {
  const Matrix<double> omega = random_untf(16, 10, 2);
  const Matrix<float> x = cosparse_signals(omega, {.samples = 3000, .cosparsity = 6, .seed = 3});
  const Matrix<double> other = testing::perturbed(omega, 0.01, 4);
  for (const Matrix<double>& tested : {omega, other}) {
    const OperatorCertificate one = certify_operator(tested, x, {}, Context(1));
    for (const int threads : {2, 3}) {
      const OperatorCertificate more = certify_operator(tested, x, {}, Context(threads));
      EXPECT_EQ(one.explanation, more.explanation);
      EXPECT_EQ(std::memcmp(&one.multiplier, &more.multiplier, sizeof(double)), 0);
      EXPECT_EQ(one.growth, more.growth);
      EXPECT_EQ(one.slope, more.slope);
      EXPECT_EQ(one.decrease, more.decrease);
      EXPECT_TRUE(std::equal(one.direction.values().begin(), one.direction.values().end(),
                             more.direction.values().begin(), more.direction.values().end()));
    }
  }
}

TEST(Certificate, RefusesWhatCannotBe) {
  const Matrix<double> omega = random_untf(6, 4, 1);
  Matrix<float> x = cosparse_signals(omega, {.samples = 20, .cosparsity = 2});
  const auto refuse = [&](const Matrix<double>& op, const Matrix<float>& signals, const std::string& piece,
                          const CertificateOptions& options = {}) {
    expect_error(ErrorCode::invalid_argument, piece, [&] { certify_operator(op, signals, options); });
  };
  refuse(testing::gaussian(3, 4, 1), x,
         "3 x 4, but an analysis operator has at least as many rows as columns");
  refuse(omega, Matrix<float>(5, 3), "3 values each, but the rows of the operator have 4");
  refuse(omega, Matrix<float>(0, 4), "signals: 0 × 4");
  refuse(omega, x, "zero_tolerance", {.zero_tolerance = -1});
  refuse(omega, x, "frame_tolerance", {.frame_tolerance = std::nan("")});
  refuse(omega, x, "max_iterations", {.max_iterations = -1});
  Matrix<double> bad = omega;
  bad(3, 1) = std::numeric_limits<double>::infinity();
  refuse(bad, x, "operator: row 3 has a value that is not finite");
  Matrix<double> empty_row = omega;
  for (double& value : empty_row.row(2)) value = 0;
  refuse(empty_row, x, "operator: row 2 is 0 or not finite");
  refuse(Matrix<double>(6, 4), x, "operator: row 0 is 0 or not finite");
  x(4, 2) = std::nanf("");
  refuse(omega, x, "signals: row 4 has a value that is not finite");
  std::stop_source source;
  source.request_stop();
  Context context;
  context.stop = source.get_token();
  x(4, 2) = 0;
  expect_error(ErrorCode::cancelled, "cancelled", [&] { certify_operator(omega, x, {}, context); });
}

}  // namespace
}  // namespace parsimony::operators
