#include "parsimony/operators/frames.hpp"

#include <gtest/gtest.h>

#include <Eigen/SVD>
#include <cmath>
#include <limits>
#include <numbers>

#include "expect_error.hpp"
#include "operators/frames/eigen_map.hpp"
#include "operators/operators.hpp"
#include "parsimony/core/random.hpp"

namespace parsimony::operators {
namespace {

struct Shape {
  std::int64_t rows, cols;
};
constexpr Shape kShapes[] = {{1, 1}, {4, 1}, {2, 2}, {5, 4}, {8, 8}, {24, 16}, {64, 32}, {128, 63}};

double distance(const Matrix<double>& a, const Matrix<double>& b) {
  return (as_eigen(a.view()) - as_eigen(b.view())).norm();
}

TEST(UnitNorm, IsTheNearest) {
  const Matrix<double> from = testing::gaussian(24, 16, 1);
  Matrix<double> to = from;
  project_unit_norm(to);
  for (std::int64_t i = 0; i < 24; ++i) {
    double square = 0, inner = 0, before = 0;
    for (std::int64_t c = 0; c < 16; ++c) {
      square += to(i, c) * to(i, c);
      inner += to(i, c) * from(i, c);
      before += from(i, c) * from(i, c);
    }
    EXPECT_NEAR(square, 16.0 / 24, 1e-14);
    EXPECT_NEAR(inner, std::sqrt(before * square), 1e-13);  // the same direction
  }
}

TEST(UnitNorm, ZeroRowsAndExtremeRows) {
  Matrix<double> omega = testing::gaussian(6, 3, 1);
  for (std::int64_t c = 0; c < 3; ++c) {
    omega(1, c) = omega(4, c) = 0;
    omega(2, c) *= 1e300;
    omega(3, c) *= 1e-300;
  }
  project_unit_norm(omega, 7);
  EXPECT_LT(frame_residuals(omega).norms, 1e-14);
  EXPECT_NE(omega(1, 0), omega(4, 0)) << "two rows of zeros become two directions";
}

TEST(TightFrame, IsThePolarFactor) {
  for (const auto [rows, cols] : kShapes) {
    const Matrix<double> from = testing::gaussian(rows, cols, 2);
    Matrix<double> to = from;
    project_tight_frame(to);
    const Eigen::JacobiSVD<Eigen::MatrixXd> svd(as_eigen(from.view()),
                                                Eigen::ComputeThinU | Eigen::ComputeThinV);
    const Eigen::MatrixXd polar = svd.matrixU() * svd.matrixV().transpose();
    EXPECT_LT((as_eigen(to.view()) - polar).norm(), 1e-11) << rows << " × " << cols;
    EXPECT_LT(frame_residuals(to).tightness, 1e-12);
  }
}

TEST(TightFrame, OfBadlyConditionedAndExtremeOperators) {
  Matrix<double> from = testing::gaussian(24, 16, 3);
  for (std::int64_t c = 0; c < 16; ++c) {  // condition 1e5 and values far from 1
    for (std::int64_t i = 0; i < 24; ++i) from(i, c) *= 1e200 * std::pow(10.0, -static_cast<double>(c) / 3);
  }
  Matrix<double> to = from, scaled = from;
  for (double& value : scaled.values()) value /= 1e200;
  project_tight_frame(to);
  const Eigen::JacobiSVD<Eigen::MatrixXd> svd(as_eigen(scaled.view()),
                                              Eigen::ComputeThinU | Eigen::ComputeThinV);
  EXPECT_LT((as_eigen(to.view()) - svd.matrixU() * svd.matrixV().transpose()).norm(), 1e-4);
  EXPECT_LT(frame_residuals(to).tightness, 1e-12);
}

TEST(TightFrame, CompletesARankDeficientOperator) {
  for (const std::int64_t rank : {0, 1, 9, 15}) {
    Matrix<double> omega(24, 16);
    if (rank > 0)
      as_eigen(omega.view()) =
          as_eigen(testing::gaussian(24, rank, 4).view()) * as_eigen(testing::gaussian(rank, 16, 5).view());
    const RowMajor before = as_eigen(omega.view());
    project_tight_frame(omega, 3);
    EXPECT_LT(frame_residuals(omega).tightness, 1e-12) << rank;
    if (rank == 0) continue;
    // Any polar factor U Vᵀ has ⟨Ω, U Vᵀ⟩ = the nuclear norm, which no other tight frame exceeds.
    const double nuclear = Eigen::JacobiSVD<Eigen::MatrixXd>(before).singularValues().sum();
    EXPECT_NEAR((before.array() * as_eigen(omega.view()).array()).sum(), nuclear, 1e-9 * nuclear) << rank;
  }
}

TEST(Untf, BothResidualsAreRounding) {
  for (const auto [rows, cols] : kShapes) {
    for (std::uint64_t seed = 0; seed < 3; ++seed) {
      SCOPED_TRACE(::testing::Message() << rows << " × " << cols << ", seed " << seed);
      const FrameResiduals residuals = frame_residuals(random_untf(rows, cols, seed));
      EXPECT_LT(residuals.tightness, 1e-12);
      EXPECT_LT(residuals.norms, 1e-12);
    }
  }
}

TEST(Untf, AlternationConvergesByItself) {
  for (const auto [rows, cols] : {Shape{24, 16}, Shape{128, 64}, Shape{100, 16}}) {
    Matrix<double> omega = testing::gaussian(rows, cols, 6);
    const UntfProjection projection = project_untf(omega, {.exact = false});
    EXPECT_TRUE(projection.converged) << rows << " × " << cols;
    EXPECT_LE(projection.residuals.norms, 1e-10);
    EXPECT_LT(projection.iterations, 200);
  }
}

// The exact end moves the operator no further than the residual that it removes asks for.
TEST(Untf, ExactEndStaysNear) {
  for (const int iterations : {1, 3, 10}) {
    Matrix<double> alternated = testing::gaussian(24, 16, 8);
    const UntfProjection projection =
        project_untf(alternated, {.max_iterations = iterations, .exact = false});
    Matrix<double> exact = testing::gaussian(24, 16, 8);
    const UntfProjection end = project_untf(exact, {.max_iterations = iterations});
    EXPECT_EQ(end.iterations, iterations);
    EXPECT_LT(end.residuals.norms, 1e-12);
    EXPECT_LT(end.residuals.tightness, 1e-12);
    EXPECT_LT(distance(alternated, exact), 24 * projection.residuals.norms) << iterations;
  }
}

TEST(Untf, IsLeftWhereItIs) {
  const Matrix<double> untf = random_untf(24, 16, 9);
  Matrix<double> again = untf;
  EXPECT_EQ(project_untf(again).iterations, 0);
  EXPECT_LT(distance(untf, again), 1e-13);
}

// Zero rows, repeated rows, an orthobasis with zero rows: where alternation alone would stay for ever.
TEST(Untf, FromDegenerateStarts) {
  Matrix<double> basis(24, 16), repeated(24, 16), one(24, 16), zeros(24, 16);
  for (std::int64_t i = 0; i < 16; ++i) basis(i, i) = 1;
  for (std::int64_t i = 0; i < 24; ++i) repeated(i, i % 16) = one(i, 0) = 1;
  for (Matrix<double>* start : {&basis, &repeated, &one, &zeros}) {
    const UntfProjection projection = project_untf(*start, {.max_iterations = 50});
    EXPECT_LT(projection.residuals.norms, 1e-12);
    EXPECT_LT(projection.residuals.tightness, 1e-12);
  }
}

TEST(Untf, SeedDecides) {
  EXPECT_EQ(distance(random_untf(24, 16, 1), random_untf(24, 16, 1)), 0);
  EXPECT_GT(distance(random_untf(24, 16, 1), random_untf(24, 16, 2)), 1);
}

// The rank of the equations' derivative at a random UNTF, by its singular values.
TEST(Untf, DimensionIsThatOfTheEquations) {
  EXPECT_EQ(untf_dimension(24, 16), 225);
  for (const auto [rows, cols] : {Shape{5, 3}, Shape{7, 4}, Shape{9, 8}, Shape{12, 5}, Shape{24, 16}}) {
    const Matrix<double> omega = random_untf(rows, cols, 3);
    const std::int64_t frame_equations = cols * (cols + 1) / 2;
    Eigen::MatrixXd derivative = Eigen::MatrixXd::Zero(frame_equations + rows, rows * cols);
    std::int64_t equation = 0;
    for (std::int64_t j = 0; j < cols; ++j) {
      for (std::int64_t k = j; k < cols; ++k, ++equation) {
        for (std::int64_t i = 0; i < rows; ++i) {  // entry Σ_i Ω_ij Ω_ik
          derivative(equation, i * cols + j) += omega(i, k);
          derivative(equation, i * cols + k) += omega(i, j);
        }
      }
    }
    for (std::int64_t i = 0; i < rows; ++i, ++equation) {
      for (std::int64_t j = 0; j < cols; ++j) derivative(equation, i * cols + j) = 2 * omega(i, j);
    }
    const Eigen::BDCSVD<Eigen::MatrixXd> svd(derivative);
    const auto rank = (svd.singularValues().array() > 1e-9).count();
    EXPECT_EQ(rows * cols - rank, untf_dimension(rows, cols)) << rows << " × " << cols;
  }
}

TEST(FrameBounds, AreTheSquaredSingularValues) {
  const Matrix<double> omega = testing::gaussian(24, 16, 4);
  const Eigen::VectorXd values = Eigen::JacobiSVD<Eigen::MatrixXd>(as_eigen(omega.view())).singularValues();
  const FrameBounds bounds = frame_bounds(omega);
  EXPECT_NEAR(bounds.upper, values[0] * values[0], 1e-11);
  EXPECT_NEAR(bounds.lower, values[15] * values[15], 1e-11);
  EXPECT_EQ(frame_bounds(testing::gaussian(3, 5, 1)).lower, 0);
  const FrameBounds tight = frame_bounds(random_untf(24, 16, 1));
  EXPECT_NEAR(tight.lower, 1, 1e-12);
  EXPECT_NEAR(tight.upper, 1, 1e-12);
}

TEST(Coherence, OfKnownFrames) {
  Matrix<double> star(3, 2);  // three directions at 120 degrees
  for (std::int64_t i = 0; i < 3; ++i) {
    const double angle = 2 * std::numbers::pi * static_cast<double>(i) / 3;
    star(i, 0) = static_cast<double>(i + 1) * std::cos(angle);
    star(i, 1) = static_cast<double>(i + 1) * std::sin(angle);
  }
  EXPECT_NEAR(coherence(star), 0.5, 1e-15);
  Matrix<double> identity(4, 4);
  for (std::int64_t i = 0; i < 4; ++i) identity(i, i) = static_cast<double>(1 + i);
  EXPECT_EQ(coherence(identity), 0);
  identity(3, 3) = 0;
  identity(3, 0) = -2;
  EXPECT_EQ(coherence(identity), 1);
  // Welch: no frame of a unit rows lies below.
  EXPECT_GE(coherence(random_untf(24, 16, 1)), std::sqrt((24.0 - 16) / (16 * 23.0)));
}

TEST(Complement, HasAnOrthonormalBasisAndBack) {
  const Matrix<double> ones = zero_mean_basis(16);
  EXPECT_EQ(ones.cols(), 15);
  const auto b = as_eigen(ones.view());
  EXPECT_LT((b.transpose() * b - Eigen::MatrixXd::Identity(15, 15)).norm(), 1e-13);
  EXPECT_LT(b.colwise().sum().cwiseAbs().maxCoeff(), 1e-14);

  const Matrix<double> theta = random_untf(24, 15, 1), omega = from_complement(theta, ones);
  const auto w = as_eigen(omega.view());
  EXPECT_LT(w.rowwise().sum().cwiseAbs().maxCoeff(), 1e-14) << "Ω·1 = 0";
  EXPECT_LT((w * b - as_eigen(theta.view())).norm(), 1e-13) << "and back";
  // Tight on the complement, so Ω x is Θ (Bᵀ x) for every x.
  Matrix<float> signals(7, 16);
  RandomStream(1, "test").fill_normal(signals.values());
  const Matrix<float> coordinates = to_complement(signals, ones);
  for (std::int64_t s = 0; s < 7; ++s) {
    for (std::int64_t i = 0; i < 24; ++i) {
      double direct = 0, through = 0;
      for (std::int64_t c = 0; c < 16; ++c) direct += omega(i, c) * signals(s, c);
      for (std::int64_t c = 0; c < 15; ++c) through += theta(i, c) * coordinates(s, c);
      EXPECT_NEAR(direct, through, 1e-5);
    }
  }
}

TEST(Frames, RefuseWhatCannotBe) {
  const auto refuse = [](const char* piece, auto&& body) {
    expect_error(ErrorCode::invalid_argument, piece, body);
  };
  Matrix<double> wide = testing::gaussian(3, 5, 1), broken = testing::gaussian(5, 3, 1), empty;
  broken(2, 1) = std::numeric_limits<double>::quiet_NaN();
  refuse("3 rows; must be at least the 5 columns", [&] { project_tight_frame(wide); });
  refuse("3 rows", [&] { project_untf(wide); });
  refuse("row 2", [&] { project_unit_norm(broken); });
  refuse("row 2", [&] { frame_bounds(broken); });
  refuse("row 2", [&] { coherence(broken); });
  refuse("empty", [&] { frame_residuals(empty); });
  refuse("3 × 5", [&] { random_untf(3, 5); });
  refuse("0 × 0", [&] { random_untf(0, 0); });
  refuse("max_iterations", [&] { project_untf(broken, {.max_iterations = -1}); });
  refuse("at least 2", [&] { zero_mean_basis(1); });
  refuse("nothing to learn", [&] { complement_basis(testing::gaussian(4, 4, 1)); });
  Matrix<double> dependent(2, 4);
  for (std::int64_t c = 0; c < 4; ++c) dependent(1, c) = 2 * (dependent(0, c) = 1);
  refuse("dependent", [&] { complement_basis(dependent); });
  refuse("the basis has", [&] { from_complement(broken, zero_mean_basis(5)); });
  refuse("the basis has", [&] { to_complement(Matrix<float>(2, 3), zero_mean_basis(5)); });
}

// Rounding in the norms of orthogonal rows must not turn them.
TEST(ProjectUntf, LeavesAFrameWhereItIs) {
  for (const auto& [rows, cols] : {std::pair<std::int64_t, std::int64_t>{6, 6}, {16, 16}, {24, 16}, {9, 8}}) {
    SCOPED_TRACE(::testing::Message() << rows << " x " << cols);
    Matrix<double> frame = testing::gaussian(rows, cols, 3);
    project_untf(frame, {.max_iterations = 10000, .tolerance = 1e-13, .exact = false});
    Matrix<double> again = frame;
    project_untf(again);
    EXPECT_LT(distance(frame, again), 1e-11);
  }
}

}  // namespace
}  // namespace parsimony::operators
