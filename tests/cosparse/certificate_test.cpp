#include "parsimony/cosparse/certificate.hpp"

#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>
#include <stop_token>

#include "cosparse/eigen_map.hpp"
#include "cosparse/injectivity.hpp"
#include "cosparse/linear_program.hpp"
#include "cosparse/zero_pattern.hpp"
#include "expect_error.hpp"
#include "parsimony/core/random.hpp"
#include "parsimony/cosparse/frames.hpp"
#include "parsimony/cosparse/signals.hpp"
#include "parsimony/cosparse/tangent_space.hpp"

namespace parsimony::cosparse {
namespace {

Matrix<double> gaussian(std::int64_t rows, std::int64_t cols, std::uint64_t seed) {
  Matrix<double> out(rows, cols);
  const RandomStream random(seed, "test.gaussian");
  for (std::int64_t i = 0; i < out.size(); ++i) out.data()[i] = random.normal(static_cast<std::uint64_t>(i));
  return out;
}

// A UNTF at a distance from Ω, relative to ‖Ω‖_F.
Matrix<double> perturbed(const Matrix<double>& omega, double distance, std::uint64_t seed) {
  Matrix<double> out = omega, noise = gaussian(omega.rows(), omega.cols(), seed);
  const double factor = distance * as_eigen(omega.view()).norm() / as_eigen(noise.view()).norm();
  as_eigen(out.view()) += factor * as_eigen(noise.view());
  project_untf(out);
  return out;
}

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

TEST(ZeroMap, IsTheMapOfTheDenseComputation) {
  const Matrix<double> omega = random_untf(9, 5, 1);
  const Matrix<float> x = cosparse_signals(omega, {.samples = 700, .cosparsity = 3, .seed = 4});
  const Context context(2);
  const ZeroPattern pattern = find_zeros(omega, x, 1e-6, context);
  ASSERT_EQ(pattern.profile.zeros, 2100);
  const ZeroMap map(x, pattern, context);
  const Matrix<double> delta = gaussian(9, 5, 2);
  std::vector<double> image(map.size());
  map.apply(delta, image);
  Matrix<double> gradient(9, 5), dense_normal(9, 5), m_xt(9, 5), with_gradient(9, 5);
  double sum = 0;
  for (std::int64_t i = 0; i < 9; ++i) {
    std::int64_t k = pattern.offsets[i];
    for (std::int64_t j = 0; j < 700; ++j) {
      double z = 0, change = 0;
      for (int c = 0; c < 5; ++c) {
        z += omega(i, c) * static_cast<double>(x(j, c));
        change += delta(i, c) * static_cast<double>(x(j, c));
      }
      sum += std::abs(z);
      const bool zero = std::abs(z) < 1e-6;
      if (zero) {
        ASSERT_EQ(pattern.signals[k], j);
        EXPECT_NEAR(image[k++], change, 1e-12);
      }
      for (int c = 0; c < 5; ++c) {
        if (zero) dense_normal(i, c) += change * static_cast<double>(x(j, c));
        if (!zero) gradient(i, c) += (z > 0 ? 1 : -1) * static_cast<double>(x(j, c));
      }
    }
  }
  EXPECT_NEAR(pattern.objective, sum, 1e-10 * sum);
  EXPECT_NEAR(analysis_objective(omega, x, context), sum, 1e-10 * sum);
  map.adjoint(image, false, m_xt);
  map.adjoint(image, true, with_gradient);
  const Matrix<double> blocks = map.blocks();
  for (std::int64_t i = 0; i < 9; ++i) {
    const auto block = as_eigen(MatrixView<const double>(blocks.row(5 * i).data(), 5, 5));
    const Eigen::RowVectorXd product = as_eigen(delta.view()).row(i) * block;
    for (int c = 0; c < 5; ++c) {
      EXPECT_NEAR(pattern.gradient(i, c), gradient(i, c), 1e-10);
      EXPECT_NEAR(m_xt(i, c), dense_normal(i, c), 1e-10);
      EXPECT_NEAR(with_gradient(i, c), dense_normal(i, c) + gradient(i, c), 1e-10);
      EXPECT_NEAR(product[c], dense_normal(i, c), 1e-10);
    }
  }
}

// The bound beside the least eigenvalue of AᵀA on a basis of T, with enough signals, with rows that lack
// some, with too few.
TEST(Injectivity, BoundsTheMapFromBelow) {
  const Matrix<double> omega = random_untf(10, 6, 5);
  const TangentSpace tangent(omega);
  Eigen::MatrixXd projector(60, 60);
  for (int k = 0; k < 60; ++k) {
    Matrix<double> unit(10, 6);
    unit.data()[k] = 1;
    tangent.project(unit);
    projector.col(k) = Eigen::Map<const Eigen::VectorXd>(unit.data(), 60);
  }
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> range(projector);
  const Eigen::MatrixXd basis = range.eigenvectors().rightCols(tangent.dimension());
  int injective = 0, partial = 0;
  for (const std::int64_t samples : {6, 10, 12, 14, 16, 20, 40, 100}) {
    SCOPED_TRACE(samples);
    const Matrix<float> x = cosparse_signals(omega, {.samples = samples, .cosparsity = 4, .seed = 6});
    const Context context(1);
    const ZeroPattern pattern = find_zeros(omega, x, 1e-6, context);
    const ZeroMap map(x, pattern, context);
    const Matrix<double> blocks = map.blocks();
    Eigen::MatrixXd normal = Eigen::MatrixXd::Zero(60, 60);
    bool lacks = false;
    for (int i = 0; i < 10; ++i) {
      normal.block(6 * i, 6 * i, 6, 6) = as_eigen(MatrixView<const double>(blocks.row(6 * i).data(), 6, 6));
      lacks |= pattern.profile.rows[i] < 5;
    }
    const Eigen::MatrixXd on_tangent = basis.transpose() * normal * basis;
    const Eigen::VectorXd values = Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd>(on_tangent).eigenvalues();
    const Injectivity found = injectivity(omega, blocks, 1, context);
    EXPECT_EQ(found.injective, values[0] > 1e-9);
    EXPECT_GE(found.largest, values.tail(1)[0] * (1 - 1e-9));
    // Signals of norm 1: ‖·‖₁ ≥ ‖·‖₂², hence the larger of λ and √λ.
    EXPECT_LE(found.lower, std::max(std::sqrt(values[0] + 1e-12), values[0]) * (1 + 1e-6));
    EXPECT_EQ(found.injective, found.lower > 0);
    injective += found.injective;
    partial += found.injective && lacks;
  }
  EXPECT_GT(injective, partial);
  EXPECT_GT(partial, 0) << "no case had rows with fewer than n − 1 zeros and was injective all the same";
}

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
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    const Matrix<double> omega = random_untf(24, 16, seed);
    const Matrix<float> x = cosparse_signals(omega, {.samples = 192, .cosparsity = 8, .seed = seed + 1000});
    const OperatorCertificate out = certify_operator(omega, x);
    EXPECT_NE(out.verdict, Verdict::refuted) << out.explanation;
    EXPECT_LT(out.least_squares, 2.5) << seed;
    EXPECT_GT(out.least_squares, 0.7) << seed;
  }
}

TEST(Certificate, RefutesAPerturbedOperatorByAStepThatHelps) {
  for (const double distance : {1e-3, 1e-2, 0.3}) {
    SCOPED_TRACE(distance);
    const Matrix<double> truth = random_untf(24, 16, 3);
    const Matrix<float> x = cosparse_signals(truth, {.samples = 400, .cosparsity = 10, .seed = 8});
    const Matrix<double> omega = perturbed(truth, distance, 9);
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
    Matrix<double> direction = gaussian(12, 8, trial);
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
        perturbed(omega, std::pow(10.0, -1 - 4.0 * static_cast<double>(trial % 6) / 5), trial);
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
      certify_operator(from_complement(perturbed(theta, 0.05, 1), basis), x, options);
  ASSERT_EQ(moved.verdict, Verdict::refuted);
  EXPECT_LT((as_eigen(moved.direction.view()) * Eigen::VectorXd::Ones(9)).norm(), 1e-12);
}

TEST(Certificate, SaysWhenItCannotTell) {
  const Matrix<double> omega = random_untf(12, 8, 6);
  const Matrix<float> x = cosparse_signals(omega, {.samples = 300, .cosparsity = 6, .seed = 7});
  const OperatorCertificate none = certify_operator(gaussian(12, 8, 1), x);
  EXPECT_EQ(none.verdict, Verdict::undecided);
  EXPECT_NE(none.explanation.find("no unit-norm tight frame"), std::string::npos);
  EXPECT_EQ(none.profile.signals.size(), 13u);
  EXPECT_TRUE(std::isnan(none.multiplier));
  EXPECT_EQ(certify_operator(gaussian(12, 8, 1), x, {.project = true}).verdict, Verdict::refuted);

  // Zeros to three digits are not zeros enough for an optimum here.
  const Matrix<double> near = perturbed(omega, 0.02, 3);
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
  const Matrix<double> other = perturbed(omega, 0.01, 4);
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

// Around the boundary: what one proves the other never denies, and the program's two bounds meet.
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
    const Matrix<double> omega = seed % 5 == 4 ? perturbed(truth, 0.01, seed) : truth;
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

TEST(Certificate, RefusesWhatCannotBe) {
  const Matrix<double> omega = random_untf(6, 4, 1);
  Matrix<float> x = cosparse_signals(omega, {.samples = 20, .cosparsity = 2});
  const auto refuse = [&](const Matrix<double>& op, const Matrix<float>& signals, const std::string& piece,
                          const CertificateOptions& options = {}) {
    expect_error(ErrorCode::invalid_argument, piece, [&] { certify_operator(op, signals, options); });
  };
  refuse(gaussian(3, 4, 1), x, "3 x 4, but an analysis operator has at least as many rows as columns");
  refuse(omega, Matrix<float>(5, 3), "3 values each, but the rows of the operator have 4");
  refuse(omega, Matrix<float>(0, 4), "signals: there are none");
  refuse(omega, x, "zero_tolerance", {.zero_tolerance = -1});
  refuse(omega, x, "frame_tolerance", {.frame_tolerance = std::nan("")});
  refuse(omega, x, "max_iterations", {.max_iterations = -1});
  Matrix<double> bad = omega;
  bad(3, 1) = std::numeric_limits<double>::infinity();
  refuse(bad, x, "operator: row 3 has a value that is not finite");
  Matrix<double> empty_row = omega;
  for (double& value : empty_row.row(2)) value = 0;
  refuse(empty_row, x, "operator: row 2 is zero");
  refuse(Matrix<double>(6, 4), x, "operator: row 0 is zero");
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
}  // namespace parsimony::cosparse
