#include "parsimony/cluster/interpolation.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "dense.hpp"
#include "expect_error.hpp"
#include "parsimony/core/random.hpp"
#include "parsimony/spectral/chebyshev.hpp"

namespace parsimony::cluster::interpolation_test {
namespace {

using graph::LaplacianKind;

// x with A x = b by Gaussian elimination with row pivoting.
std::vector<double> solve(testing::Dense a, std::vector<double> b) {
  const std::size_t n = b.size();
  for (std::size_t p = 0; p < n; ++p) {
    std::size_t pivot = p;
    for (std::size_t r = p + 1; r < n; ++r) {
      if (std::abs(a[r][p]) > std::abs(a[pivot][p])) pivot = r;
    }
    std::swap(a[p], a[pivot]);
    std::swap(b[p], b[pivot]);
    for (std::size_t r = p + 1; r < n; ++r) {
      const double factor = a[r][p] / a[p][p];
      for (std::size_t c = p; c < n; ++c) a[r][c] -= factor * a[p][c];
      b[r] -= factor * b[p];
    }
  }
  for (std::size_t p = n; p-- > 0;) {
    for (std::size_t c = p + 1; c < n; ++c) b[p] -= a[p][c] * b[c];
    b[p] /= a[p][p];
  }
  return b;
}

TEST(Interpolate, SolvesTheNormalEquationsOfADenseOracle) {
  constexpr std::int64_t kNodes = 60, kWidth = 16;
  const testing::Dense w = testing::block_adjacency(3, 20, 0.5, 0.03, 6);
  const Csr csr = testing::to_csr(w, false);
  std::vector<std::int32_t> sample;
  for (std::int32_t i = 0; i < kNodes; i += 4) sample.push_back(i);
  Matrix<float> values(static_cast<std::int64_t>(sample.size()), kWidth);
  RandomStream(2, "test").fill_normal(values.values());

  for (const double tau : {0.0, 4.0}) {
    const auto laplacian = graph::make_laplacian(csr, LaplacianKind::normalized, tau);
    const auto high_pass = spectral::complement(spectral::low_pass(0.6, 2, 30));
    Matrix<float> found(kNodes, kWidth);
    const InterpolationOptions options{.gamma = 0.1};
    const auto result = interpolate(laplacian, high_pass, sample, values, found, options);
    EXPECT_TRUE(result.converged);

    // g(L) from the eigenvectors of the Laplacian's definition.
    const auto eigen =
        testing::eigen_decomposition(testing::dense_laplacian(w, LaplacianKind::normalized, tau));
    testing::Dense matrix = testing::zeros(kNodes);
    for (std::int64_t k = 0; k < kNodes; ++k) {
      const double g = options.gamma * spectral::evaluate(high_pass, 2, eigen.values[k]);
      for (std::int64_t i = 0; i < kNodes; ++i) {
        for (std::int64_t j = 0; j < kNodes; ++j)
          matrix[i][j] += g * eigen.vectors[k][i] * eigen.vectors[k][j];
      }
    }
    for (const auto node : sample) matrix[node][node] += 1;
    for (const std::int64_t c : {0, 7, 15}) {
      std::vector<double> right(kNodes);
      for (std::size_t s = 0; s < sample.size(); ++s)
        right[sample[s]] = values(static_cast<std::int64_t>(s), c);
      const auto expected = solve(matrix, right);
      for (std::int64_t i = 0; i < kNodes; ++i) EXPECT_NEAR(found(i, c), expected[i], 2e-3) << i << ", " << c;
    }
  }
}

TEST(Interpolate, SaysWhenItDidNotConverge) {
  const Csr csr = testing::to_csr(testing::block_adjacency(3, 20, 0.5, 0.03, 6), false);
  const auto laplacian = graph::make_laplacian(csr);
  Matrix<float> values(2, 16), out(60, 16);
  RandomStream(2, "test").fill_normal(values.values());
  const auto result = interpolate(laplacian, spectral::complement(spectral::low_pass(0.6, 2, 30)),
                                  std::vector<std::int32_t>{3, 40}, values, out, {.max_iterations = 1});
  EXPECT_FALSE(result.converged);
  EXPECT_EQ(result.iterations, 1);
  EXPECT_GT(result.worst_residual, 1e-6);
}

TEST(Interpolate, RefusesWhatDoesNotFit) {
  const Csr csr = testing::to_csr(testing::block_adjacency(3, 20, 0.5, 0.03, 6), false);
  const auto laplacian = graph::make_laplacian(csr);
  const auto high_pass = spectral::complement(spectral::low_pass(0.6, 2, 30));
  Matrix<float> values(2, 16), out(60, 16), narrow(60, 32), shorter(59, 16);
  const auto refuses = [&](const std::vector<std::int32_t>& sample, MatrixView<float> to) {
    expect_error(ErrorCode::invalid_argument, "",
                 [&] { interpolate(laplacian, high_pass, sample, values, to); });
  };
  refuses({1, 2, 3}, out);
  refuses({1, 60}, out);
  refuses({-1, 2}, out);
  refuses({1, 2}, narrow);
  refuses({1, 2}, shorter);
}

}  // namespace
}  // namespace parsimony::cluster::interpolation_test
