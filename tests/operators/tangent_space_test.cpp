#include "parsimony/operators/tangent_space.hpp"

#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <cmath>

#include "expect_error.hpp"
#include "operators/frames/eigen_map.hpp"
#include "operators/operators.hpp"
#include "parsimony/core/random.hpp"
#include "parsimony/operators/frames.hpp"

namespace parsimony::operators {
namespace {

// The projector as an an × an matrix, column by column from the unit matrices.
Eigen::MatrixXd dense_projector(const TangentSpace& tangent) {
  const std::int64_t size = tangent.rows() * tangent.cols();
  Eigen::MatrixXd out(size, size);
  for (std::int64_t k = 0; k < size; ++k) {
    Matrix<double> unit(tangent.rows(), tangent.cols());
    unit.data()[k] = 1;
    tangent.project(unit);
    out.col(k) = Eigen::Map<const Eigen::VectorXd>(unit.data(), size);
  }
  return out;
}

// The equations of T, one a row.
Eigen::MatrixXd equations(const Matrix<double>& omega) {
  const std::int64_t a = omega.rows(), n = omega.cols();
  Eigen::MatrixXd out = Eigen::MatrixXd::Zero(n * (n + 1) / 2 + a, a * n);
  std::int64_t row = 0;
  for (std::int64_t p = 0; p < n; ++p) {
    for (std::int64_t q = 0; q <= p; ++q, ++row) {
      for (std::int64_t i = 0; i < a; ++i) {
        out(row, i * n + q) += omega(i, p);
        out(row, i * n + p) += omega(i, q);
      }
    }
  }
  for (std::int64_t i = 0; i < a; ++i, ++row) {
    for (std::int64_t c = 0; c < n; ++c) out(row, i * n + c) = omega(i, c);
  }
  return out;
}

TEST(TangentSpace, IsTheNullSpaceOfItsEquations) {
  for (const auto& [a, n] : {std::pair{24, 16}, {7, 3}, {9, 8}, {12, 1}, {8, 8}, {3, 2}}) {
    SCOPED_TRACE(::testing::Message() << a << " x " << n);
    const Matrix<double> omega = random_untf(a, n, 3);
    const TangentSpace tangent(omega);
    const Eigen::MatrixXd projector = dense_projector(tangent), defining = equations(omega);
    EXPECT_LT((projector - projector.transpose()).norm(), 1e-11);
    EXPECT_LT((projector * projector - projector).norm(), 1e-11);
    EXPECT_LT((defining * projector).norm(), 1e-11);
    const auto rank = Eigen::ColPivHouseholderQR<Eigen::MatrixXd>(defining).setThreshold(1e-9).rank();
    EXPECT_EQ(tangent.dimension(), a * n - rank);
    EXPECT_NEAR(projector.trace(), static_cast<double>(tangent.dimension()), 1e-9);
    if (a > n) {
      EXPECT_EQ(tangent.parts(), 1);
      EXPECT_EQ(tangent.dimension(), untf_dimension(a, n));
    }
  }
  EXPECT_EQ(TangentSpace(random_untf(24, 16, 1)).dimension(), 225);
}

// Two frames of orthogonal subspaces: the formula of the dimension fails, and the equations are the judge.
TEST(TangentSpace, CountsThePartsOfADecomposableOperator) {
  Matrix<double> omega(12, 6);
  for (int part = 0; part < 2; ++part) {
    const Matrix<double> block = random_untf(6, 3, 10 + part);
    for (int i = 0; i < 6; ++i) {
      for (int c = 0; c < 3; ++c) omega(6 * part + i, 3 * part + c) = block(i, c);
    }
  }
  const TangentSpace tangent(omega);
  EXPECT_EQ(tangent.parts(), 2);
  const auto rank = Eigen::ColPivHouseholderQR<Eigen::MatrixXd>(equations(omega)).setThreshold(1e-9).rank();
  EXPECT_EQ(tangent.dimension(), 72 - rank);
  EXPECT_NEAR(dense_projector(tangent).trace(), static_cast<double>(tangent.dimension()), 1e-9);
}

TEST(TangentSpace, TakesOffWhatItSays) {
  const Matrix<double> omega = random_untf(20, 9, 4), v = testing::gaussian(20, 9, 5);
  Matrix<double> projected = v;
  const TangentSpace::Normal normal = TangentSpace(omega).project(projected);
  const auto w = as_eigen(omega.view());
  const RowMajor symmetric = as_eigen(normal.symmetric.view());
  const Eigen::Map<const Eigen::VectorXd> d(normal.diagonal.data(), 20);
  EXPECT_LT((symmetric - symmetric.transpose()).norm(), 1e-12);
  EXPECT_LT((as_eigen(v.view()) - as_eigen(projected.view()) - w * symmetric - d.asDiagonal() * w).norm(),
            1e-11);
}

// A step of length t along T leaves the manifold by O(t²) only.
TEST(TangentSpace, TouchesTheManifold) {
  const Matrix<double> omega = random_untf(24, 16, 6);
  Matrix<double> direction = testing::gaussian(24, 16, 7);
  TangentSpace(omega).project(direction);
  as_eigen(direction.view()) /= as_eigen(direction.view()).norm();
  double before = 0;
  for (const double step : {1e-2, 1e-3, 1e-4}) {
    Matrix<double> moved = omega;
    as_eigen(moved.view()) += step * as_eigen(direction.view());
    const FrameResiduals residuals = frame_residuals(moved);
    EXPECT_LT(residuals.tightness, step * step);
    EXPECT_LT(residuals.norms, step * step);
    Matrix<double> retracted = moved;
    project_untf(retracted);
    const double off = (as_eigen(retracted.view()) - as_eigen(moved.view())).norm();
    EXPECT_LT(off, 3 * step * step);
    if (before > 0) {
      EXPECT_NEAR(off / before, 1e-2, 3e-3);
    }
    before = off;
  }
}

TEST(TangentSpace, RefusesWhatIsNoFrame) {
  const auto refuse = [](const Matrix<double>& omega, const std::string& piece) {
    expect_error(ErrorCode::invalid_argument, piece, [&] { TangentSpace{omega}; });
  };
  refuse(testing::gaussian(24, 16, 1), "off a unit-norm tight frame by");
  refuse(Matrix<double>(4, 6), "a");
  Matrix<double> bad = random_untf(6, 4, 1);
  bad(2, 2) = std::nan("");
  refuse(bad, "");
}

}  // namespace
}  // namespace parsimony::operators
