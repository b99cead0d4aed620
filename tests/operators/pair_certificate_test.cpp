#include "parsimony/operators/pair_certificate.hpp"

#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <cmath>
#include <cstring>
#include <limits>
#include <stop_token>

#include "expect_error.hpp"
#include "operators/certificates/denoised_pair.hpp"
#include "operators/certificates/zero_pattern.hpp"
#include "operators/solvers/linear_program.hpp"
#include "parsimony/core/random.hpp"
#include "parsimony/operators/douglas_rachford.hpp"
#include "parsimony/operators/frames.hpp"
#include "parsimony/operators/signals.hpp"
#include "parsimony/operators/tangent_space.hpp"

namespace parsimony::operators {
namespace {

struct Planted {
  Matrix<double> omega;
  Matrix<float> noisy, denoised;
};

// With multipliers M of the clean problem, P_T((S + M)Xᵀ) = 0, the pair (Ω, X) is stationary for Y = X + Ωᵀ(S
// + M)/λ.
Planted planted(std::int64_t a, std::int64_t n, std::int64_t samples, std::int64_t q, double lambda,
                std::uint64_t seed) {
  Planted out{random_untf(a, n, seed), Matrix<float>(samples, n), {}};
  out.denoised = cosparse_signals(out.omega, {.samples = samples, .cosparsity = q, .seed = seed});
  const Context context(1);
  const ZeroPattern pattern = find_zeros(out.omega, out.denoised, 1e-6, context);
  const ZeroMap map(out.denoised, pattern, context);
  const TangentSpace tangent(out.omega);
  Eigen::MatrixXd adjoint(a * n, map.size());
  std::vector<double> one(map.size());
  for (std::int64_t k = 0; k < map.size(); ++k) {
    one[k] = 1;
    Matrix<double> image(a, n);
    map.adjoint(one, false, image);
    tangent.project(image);
    adjoint.col(k) = Eigen::Map<const Eigen::VectorXd>(image.data(), a * n);
    one[k] = 0;
  }
  Matrix<double> gradient = pattern.gradient;
  tangent.project(gradient);
  const Eigen::VectorXd m = Eigen::CompleteOrthogonalDecomposition<Eigen::MatrixXd>(adjoint).solve(
      -Eigen::Map<const Eigen::VectorXd>(gradient.data(), a * n));
  RowMajor u(samples, a);
  for (std::int64_t j = 0; j < samples; ++j) {
    for (std::int64_t i = 0; i < a; ++i) {
      double z = 0;
      for (std::int64_t c = 0; c < n; ++c) z += out.omega(i, c) * static_cast<double>(out.denoised(j, c));
      u(j, i) = z > 0 ? 1 : -1;
    }
  }
  for (std::int64_t i = 0; i < a; ++i) {
    for (std::int64_t k = pattern.offsets[i]; k < pattern.offsets[i + 1]; ++k)
      u(pattern.signals[k], i) = m[k];
  }
  const RowMajor pull = u * as_eigen(out.omega.view()) / lambda;
  for (std::int64_t j = 0; j < samples; ++j) {
    for (std::int64_t c = 0; c < n; ++c) {
      out.noisy(j, c) = static_cast<float>(static_cast<double>(out.denoised(j, c)) + pull(j, c));
    }
  }
  return out;
}

RowMajor in_float64(const Matrix<float>& from) {
  return Eigen::Map<const Eigen::Matrix<float, -1, -1, Eigen::RowMajor>>(from.data(), from.rows(),
                                                                         from.cols())
      .cast<double>();
}

// The minimum over X of ‖ωx‖₁ + λ/2‖y − x‖² by a long run of the splitting, for one signal.
double long_run(const RowMajor& omega, const Eigen::VectorXd& y, double lambda) {
  Eigen::VectorXd z = omega * y, b = Eigen::VectorXd::Zero(z.size()), x = y;
  const double gamma = lambda;
  const Eigen::MatrixXd inverse =
      (lambda * Eigen::MatrixXd::Identity(y.size(), y.size()) + gamma * omega.transpose() * omega).inverse();
  for (int step = 0; step < 5000; ++step) {
    x = inverse * (lambda * y + gamma * omega.transpose() * (z - b));
    const Eigen::VectorXd r = omega * x + b;
    z = r.unaryExpr([&](double v) {
      return v > 1 / gamma ? v - 1 / gamma : v < -1 / gamma ? v + 1 / gamma : 0.0;
    });
    b = r - z;
  }
  return (omega * x).cwiseAbs().sum() + lambda / 2 * (y - x).squaredNorm();
}

TEST(DenoisedPair, IsTheMinimumOverTheSignals) {
  const Planted problem = planted(9, 6, 12, 4, 30, 1);
  const RowMajor omega = as_eigen(problem.omega.view()), noisy = in_float64(problem.noisy);
  const SignalPattern pattern = pattern_of(omega, noisy, in_float64(problem.denoised), 1e-4);
  const DenoisedPair pair = solve_pattern(omega, noisy, pattern, 30, Context(1));
  for (int j = 0; j < 12; ++j) {
    const Eigen::VectorXd u = pair.multipliers.row(j).transpose(), x = pair.signals.row(j).transpose();
    const Eigen::VectorXd y = noisy.row(j).transpose();
    EXPECT_LT((omega.transpose() * u - 30 * (y - x)).norm(), 1e-10) << "stationary";
    for (const std::int64_t i : pattern.zeros[j]) EXPECT_NEAR(omega.row(i).dot(x), 0, 1e-12);
    if (u.cwiseAbs().maxCoeff() > 1) continue;
    const double objective = (omega * x).cwiseAbs().sum() + 15 * (y - x).squaredNorm();
    EXPECT_NEAR(objective, long_run(omega, y, 30), 1e-9 * objective);
  }
}

// Zeros, signs and multipliers that fit prove the minimum in closed form: an oracle for the splitting that
// iterates nothing.
TEST(DenoisedPair, ConfirmsTheDouglasRachfordSplitting) {
  for (const double lambda : {0.5, 5.0, 50.0}) {
    SCOPED_TRACE(lambda);
    const Matrix<double> omega = random_untf(24, 16, 5);
    const Matrix<float> noisy =
        with_noise(cosparse_signals(omega, {.samples = 150, .cosparsity = 11, .seed = 6}), 14, 7);
    const CosparseSignals found = douglas_rachford(omega, noisy, {.lambda = lambda});
    const RowMajor w = as_eigen(omega.view()), y = in_float64(noisy);
    SignalPattern pattern = pattern_of(w, y, in_float64(found.signals), 1e-4);
    settle_pattern(w, y, pattern, lambda, Context(2));
    const DenoisedPair exact = solve_pattern(w, y, pattern, lambda, Context(1));
    ASSERT_EQ(exact.inconsistent, 0);
    EXPECT_LE(exact.largest, 1);
    EXPECT_GE(found.objective, exact.objective * (1 - 1e-10));
    EXPECT_LE(found.objective, exact.objective * (1 + 1e-6));
    EXPECT_LE(found.lower_bound, exact.objective * (1 + 1e-10));
    EXPECT_GE(found.lower_bound, exact.objective * (1 - 2e-6));
    EXPECT_LT((exact.signals - in_float64(found.signals)).norm(), 2e-3 * y.norm());
  }
}

// Along the manifold, signals following, the objective is f(0) + t²/2 Q(Δ) + O(t³) at a stationary pair.
TEST(SecondOrderForm, IsThatOfFiniteDifferences) {
  for (const double lambda : {2.0, 20.0}) {
    const Planted problem = planted(9, 6, 40, 4, lambda, 2);
    const RowMajor omega = as_eigen(problem.omega.view()), noisy = in_float64(problem.noisy);
    const SignalPattern pattern = pattern_of(omega, noisy, in_float64(problem.denoised), 1e-4);
    const Context context(1);
    const DenoisedPair pair = solve_pattern(omega, noisy, pattern, lambda, context);
    RowMajor gradient = pair.multipliers.transpose() * pair.signals;
    const double length = gradient.norm();
    const TangentSpace tangent(problem.omega);
    const TangentSpace::Normal normal = tangent.project(MatrixView<double>(gradient.data(), 9, 6));
    EXPECT_LT(gradient.norm(), 1e-5 * length);
    const Eigen::MatrixXd form =
        second_order_form(omega, pattern, pair, lambda, as_eigen(normal.symmetric.view()),
                          Eigen::Map<const Eigen::VectorXd>(normal.diagonal.data(), 9), context);
    EXPECT_LT((form - form.transpose()).norm(), 1e-10 * form.norm());
    for (std::uint64_t trial = 0; trial < 5; ++trial) {
      const RandomStream random(trial, "test.direction");
      Matrix<double> direction(9, 6);
      for (std::int64_t k = 0; k < 54; ++k) direction.data()[k] = random.normal(k);
      tangent.project(direction);
      const Eigen::Map<const Eigen::VectorXd> delta(direction.data(), 54);
      const double step = 1e-3 / delta.norm();
      const auto at = [&](double t) {
        Matrix<double> moved = problem.omega;
        as_eigen(moved.view()) += t * as_eigen(direction.view());
        project_untf(moved, {.tolerance = 1e-13, .exact = false});
        return solve_pattern(as_eigen(moved.view()), noisy, pattern, lambda, context).objective;
      };
      const double found = (at(step) + at(-step) - 2 * at(0)) / (step * step);
      EXPECT_NEAR(found, delta.dot(form * delta),
                  2e-2 * std::abs(found) + 1e-3 * form.norm() * delta.squaredNorm());
    }
  }
}

TEST(PairCertificate, CertifiesWhatWasPlantedAndRefutesWhatWasMoved) {
  int certified = 0;
  for (std::uint64_t seed = 0; seed < 4; ++seed) {
    SCOPED_TRACE(seed);
    const double lambda = 100;
    const Planted problem = planted(10, 6, 120, 4, lambda, seed);
    const PairOptions options{.lambda = lambda};
    const PairCertificate out = certify_pair(problem.omega, problem.noisy, problem.denoised, options);
    if (out.multiplier > 1) continue;  // multipliers of the clean problem that do not certify
    EXPECT_EQ(out.verdict, Verdict::certified) << out.explanation;
    EXPECT_EQ(out.zeros, 480);
    EXPECT_LT(out.moved, 1e-5);
    EXPECT_LT(out.radius, 1e-4);
    EXPECT_LT(out.stationarity, 1e-10) << "where Newton's steps end";
    certified += out.verdict == Verdict::certified;

    // Another operator, with the signals that are optimal for it: found by the splitting.
    Matrix<double> other = problem.omega;
    const RandomStream random(seed, "test.other");
    for (std::int64_t k = 0; k < other.size(); ++k) other.data()[k] += 0.02 * random.normal(k);
    project_untf(other);
    const Matrix<float> followed =
        douglas_rachford(other, problem.noisy, {.lambda = lambda, .tolerance = 1e-9}).signals;
    const PairCertificate refuted = certify_pair(other, problem.noisy, followed, options);
    EXPECT_EQ(refuted.verdict, Verdict::refuted) << refuted.explanation;
    EXPECT_GT(refuted.decrease, 0);
    // Signals that the operator does not make prove nothing.
    const PairCertificate mixed = certify_pair(other, problem.noisy, problem.denoised, options);
    EXPECT_NE(mixed.verdict, Verdict::certified) << mixed.explanation;
  }
  EXPECT_GE(certified, 2);
}

// From a pair that is off, but has the zeros and signs of the planted one, to the planted one.
TEST(PairCertificate, WalksToTheOptimumAndSaysHowFarItIs) {
  const double lambda = 100;
  int walked = 0;
  for (std::uint64_t seed = 0; seed < 4; ++seed) {
    SCOPED_TRACE(seed);
    const Planted problem = planted(10, 6, 120, 4, lambda, seed);
    Matrix<double> near = problem.omega;
    const RandomStream random(seed, "test.near");
    for (std::int64_t k = 0; k < near.size(); ++k) near.data()[k] += 1e-6 * random.normal(k);
    project_untf(near);
    const double off = (as_eigen(near.view()) - as_eigen(problem.omega.view())).norm() / std::sqrt(6.0);
    const PairCertificate out =
        certify_pair(near, problem.noisy, problem.denoised, {.lambda = lambda, .stationarity = 1e-2});
    if (out.verdict != Verdict::certified) continue;
    ++walked;
    EXPECT_NEAR(out.radius, off, 0.2 * off);  // the optimum of float32 signals is near the planted one
    EXPECT_LT(out.stationarity, 1e-10);
  }
  EXPECT_GE(walked, 2);
}

TEST(PairCertificate, AgreesWithTheLinearProgram) {
  if (!solves_linear_programs()) GTEST_SKIP() << "this build has no solver of linear programs";
  for (std::uint64_t seed = 0; seed < 4; ++seed) {
    const Planted problem = planted(8, 5, 50, 3, 50, seed);
    const PairCertificate out =
        certify_pair(problem.omega, problem.noisy, problem.denoised, {.lambda = 50, .exact = true});
    if (out.verdict == Verdict::certified) {
      EXPECT_LT(out.first_order_gap, 1e-5);
    }
    Matrix<double> other = problem.omega;
    for (std::int64_t k = 0; k < other.size(); ++k) other.data()[k] += 0.02 * std::sin(1.0 + 3.0 * k);
    project_untf(other);
    const PairCertificate moved =
        certify_pair(other, problem.noisy, problem.denoised, {.lambda = 50, .exact = true});
    EXPECT_GT(moved.first_order_gap, 1e-4);
    EXPECT_NE(moved.verdict, Verdict::certified);
  }
}

TEST(PairCertificate, SameBytesForAnyNumberOfThreads) {
  const Planted problem = planted(10, 6, 300, 4, 100, 1);
  const PairCertificate one =
      certify_pair(problem.omega, problem.noisy, problem.denoised, {.lambda = 100}, Context(1));
  for (const int threads : {2, 3}) {
    const PairCertificate more =
        certify_pair(problem.omega, problem.noisy, problem.denoised, {.lambda = 100}, Context(threads));
    EXPECT_EQ(one.explanation, more.explanation);
    EXPECT_EQ(one.objective, more.objective);
    EXPECT_EQ(one.curvature, more.curvature);
    EXPECT_EQ(one.radius, more.radius);
  }
}

TEST(PairCertificate, RefusesWhatCannotBe) {
  const Planted problem = planted(8, 5, 20, 3, 50, 1);
  const auto refuse = [&](const Matrix<double>& omega, const Matrix<float>& noisy,
                          const Matrix<float>& denoised, const std::string& piece,
                          const PairOptions& options = {}) {
    expect_error(ErrorCode::invalid_argument, piece, [&] { certify_pair(omega, noisy, denoised, options); });
  };
  const auto& [omega, noisy, denoised] = problem;
  refuse(Matrix<double>(3, 5), noisy, denoised, "3 x 5, but an analysis operator");
  refuse(omega, Matrix<float>(20, 4), denoised, "noisy signals: 20 x 4, but the operator is 8 x 5");
  refuse(omega, noisy, Matrix<float>(19, 5), "denoised signals: 19 x 5, but the noisy ones are 20 x 5");
  refuse(omega, noisy, denoised, "lambda", {.lambda = 0});
  refuse(omega, noisy, denoised, "stationarity", {.lambda = 1, .stationarity = std::nan("")});
  Matrix<double> scaled = omega;
  for (double& value : scaled.values()) value *= 2;
  refuse(scaled, noisy, denoised, "off a unit-norm tight frame with ΩᵀΩ = I");
  Matrix<float> bad = noisy;
  bad(3, 3) = std::numeric_limits<float>::infinity();
  refuse(omega, bad, denoised, "noisy signals: row 3");
  refuse(omega, noisy, bad, "denoised signals: row 3");
  std::stop_source source;
  source.request_stop();
  Context context;
  context.stop = source.get_token();
  expect_error(ErrorCode::cancelled, "cancelled",
               [&] { certify_pair(problem.omega, problem.noisy, problem.denoised, {}, context); });
}

}  // namespace
}  // namespace parsimony::operators
