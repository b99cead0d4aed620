#include "parsimony/cosparse/certificate.hpp"

#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <cmath>
#include <cstdio>

#include "cosparse/eigen_map.hpp"
#include "expect_error.hpp"
#include "parsimony/core/random.hpp"
#include "parsimony/cosparse/frames.hpp"

namespace parsimony::cosparse {
namespace {

Matrix<float> planted(const Matrix<double>& omega, std::int64_t samples, std::int64_t q, std::uint64_t seed) {
  const std::int64_t a = omega.rows(), n = omega.cols();
  Matrix<float> out(samples, n);
  for (std::int64_t j = 0; j < samples; ++j) {
    const RandomStream random(seed, "test.planted", static_cast<std::uint64_t>(j));
    std::vector<std::int64_t> order(a);
    for (std::int64_t i = 0; i < a; ++i) order[i] = i;
    Eigen::MatrixXd rows(n, q);
    for (std::int64_t k = 0; k < q; ++k) {
      std::swap(order[k], order[k + random.below(a - k, k)]);
      for (std::int64_t c = 0; c < n; ++c) rows(c, k) = omega(order[k], c);
    }
    Eigen::VectorXd x(n);
    for (std::int64_t c = 0; c < n; ++c) x[c] = random.normal(1000 + c);
    if (q > 0) {
      const Eigen::MatrixXd basis =
          Eigen::HouseholderQR<Eigen::MatrixXd>(rows).householderQ() * Eigen::MatrixXd::Identity(n, q);
      x -= basis * (basis.transpose() * x);
      x -= basis * (basis.transpose() * x);
    }
    x.normalize();
    for (std::int64_t c = 0; c < n; ++c) out(j, c) = static_cast<float>(x[c]);
  }
  return out;
}

TEST(Try, Table) {
  for (const int q : {6, 8, 10, 12}) {
    for (const int l : {96, 192, 384, 768}) {
      for (int seed = 0; seed < 3; ++seed) {
        const Matrix<double> omega = random_untf(24, 16, seed);
        const Matrix<float> x = planted(omega, l, q, seed + 10);
        const auto c = certify_operator(omega, x);
        std::printf("%d %d ls %.3f best %.3f %s it %ld growth %.2e radius %.1e res %.1e  %.3fs slope %.2g dec %.2g: %s\n", q, l, c.least_squares, c.multiplier,
                    std::string(enum_name(c.verdict)).c_str(), (long)c.report.iterations, c.growth, c.radius,
                    c.residual, c.report.seconds(), c.slope, c.decrease, c.explanation.c_str());
      }
    }
  }
}

}  // namespace
}  // namespace parsimony::cosparse
