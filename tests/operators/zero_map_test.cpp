// The map of a tangent vector to what it changes on the zeros, and a bound from below of it.
#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <cmath>

#include "operators/certificates/injectivity.hpp"
#include "operators/certificates/zero_pattern.hpp"
#include "operators/frames/eigen_map.hpp"
#include "operators/operators.hpp"
#include "parsimony/operators/signals.hpp"
#include "parsimony/operators/tangent_space.hpp"

namespace parsimony::operators {
namespace {

TEST(ZeroMap, IsTheMapOfTheDenseComputation) {
  const Matrix<double> omega = random_untf(9, 5, 1);
  const Matrix<float> x = cosparse_signals(omega, {.samples = 700, .cosparsity = 3, .seed = 4});
  const Context context(2);
  const ZeroPattern pattern = find_zeros(omega, x, 1e-6, context);
  ASSERT_EQ(pattern.profile.zeros, 2100);
  const ZeroMap map(x, pattern, context);
  const Matrix<double> delta = testing::gaussian(9, 5, 2);
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

}  // namespace
}  // namespace parsimony::operators
