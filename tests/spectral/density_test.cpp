#include "parsimony/spectral/density.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "dense.hpp"
#include "parsimony/core/random.hpp"
#include "parsimony/spectral/chebyshev.hpp"

namespace parsimony::spectral::density_test {
namespace {

using graph::LaplacianKind;

const testing::Dense kBlocks = testing::block_adjacency(5, 24, 0.6, 0.02, 3);

// The signals that spectral_density draws, in the symmetric form.
Matrix<float> signals_of(std::int64_t nodes, std::uint64_t seed) {
  Matrix<float> out(nodes, 16);
  const RandomStream random(seed, "density.signals");
  for (std::int64_t i = 0; i < nodes; ++i) random.fill_rademacher(out.row(i), i * 16);
  return out;
}

TEST(SpectralDensity, MomentsByDoublingEqualThePlainRecurrence) {
  const Csr csr = testing::to_csr(kBlocks, false);
  const auto laplacian = graph::make_laplacian(csr, LaplacianKind::normalized, 2.0);
  constexpr int kOrder = 12;
  const auto density = spectral_density(laplacian, {.order = kOrder, .seed = 4});
  const auto x = signals_of(csr.rows(), 4);
  for (int m = 0; m <= 2 * kOrder; ++m) {
    std::vector<double> unit(m + 1);  // the polynomial T_m alone
    unit[m] = 1;
    Matrix<float> y = x;
    filter(laplacian, unit, y);
    for (std::int64_t s = 0; s < 16; ++s) {
      double moment = 0;
      for (std::int64_t i = 0; i < csr.rows(); ++i) moment += static_cast<double>(x(i, s)) * y(i, s);
      EXPECT_NEAR(density.moments()(s, m), moment, 1e-3) << "moment " << m << " of signal " << s;
    }
  }
}

TEST(SpectralDensity, FilteredEnergyIsWhatAFilterPassMeasures) {
  const Csr csr = testing::to_csr(kBlocks, false);
  const auto laplacian = graph::make_laplacian(csr);
  const auto density = spectral_density(laplacian, {.order = 20, .seed = 4});
  for (const double lambda : {0.05, 0.3, 0.7, 1.1, 1.9}) {
    Matrix<float> y = signals_of(csr.rows(), 4);
    filter(laplacian, low_pass(lambda, 2, 20), y);
    double energy = 0;
    for (const double v : y.values()) energy += v * v / 16;
    EXPECT_NEAR(density.filtered_energy(lambda), energy, 1e-3 * (1 + energy)) << lambda;
  }
}

TEST(SpectralDensity, CountFollowsTheEigenvalues) {
  const Csr csr = testing::to_csr(kBlocks, false);
  const auto eigen =
      testing::eigen_decomposition(testing::dense_laplacian(kBlocks, LaplacianKind::normalized));
  const auto laplacian = graph::make_laplacian(csr);
  const auto density = spectral_density(laplacian, {.order = 60, .signals = 256, .seed = 1});
  double before = 0;
  for (double lambda = 0; lambda <= 2; lambda += 0.02) {
    // The trace of the same polynomial over the true spectrum: only the randomness of the signals is left.
    const auto h = low_pass(lambda, 2, 120);
    double exact = 0;
    for (const double value : eigen.values) exact += evaluate(h, 2, value);
    EXPECT_NEAR(density.count(lambda), exact, 5 * density.standard_error(lambda) + 1e-3) << lambda;
    EXPECT_GE(density.count(lambda), before - 1e-6);
    before = density.count(lambda);
  }
  EXPECT_NEAR(density.count(2), 120, 1e-6);
  // Five blocks: the fifth and the sixth eigenvalue are far apart, and the estimate falls between them.
  ASSERT_GT(eigen.values[5] - eigen.values[4], 0.2);
  EXPECT_GT(density.eigenvalue(5), eigen.values[4] - 0.05);
  EXPECT_LT(density.eigenvalue(5), eigen.values[5]);
}

// For random signs x, xᵀHx has variance 2 Σ_{i≠j} H_ij² [hutchinson1989stochastic]. The standard deviation of
// 256 of them is itself known to 1/√512, one part in 23.
TEST(SpectralDensity, StandardErrorIsThatOfTheTraceEstimator) {
  const Csr csr = testing::to_csr(kBlocks, false);
  const auto eigen =
      testing::eigen_decomposition(testing::dense_laplacian(kBlocks, LaplacianKind::normalized));
  const auto density = spectral_density(graph::make_laplacian(csr), {.order = 30, .signals = 256, .seed = 2});
  for (const double lambda : {0.3, 1.0}) {
    const auto h = low_pass(lambda, 2, 60);
    double variance = 0;
    for (std::size_t i = 0; i < eigen.values.size(); ++i) {
      for (std::size_t j = 0; j < eigen.values.size(); ++j) {
        double entry = 0;
        for (std::size_t k = 0; k < eigen.values.size(); ++k) {
          entry += evaluate(h, 2, eigen.values[k]) * eigen.vectors[k][i] * eigen.vectors[k][j];
        }
        if (i != j) variance += 2 * entry * entry;
      }
    }
    EXPECT_NEAR(density.standard_error(lambda) / std::sqrt(variance / 256), 1, 0.25) << lambda;
  }
}

// Both estimates are random: a count of 5 has standard deviation √(2·5/10) = 1 with the paper's ten signals,
// and its bisection stops within a tenth. Over 20 seeds the mean of the true counts at the estimates stays
// within 1 of k.
TEST(LambdaK, BisectionAndOnePassAgreeOnTheCount) {
  const Csr csr = testing::to_csr(kBlocks, false);
  const auto eigen =
      testing::eigen_decomposition(testing::dense_laplacian(kBlocks, LaplacianKind::normalized));
  const auto laplacian = graph::make_laplacian(csr);
  constexpr int kSeeds = 20;
  double bisected = 0, one_pass = 0;
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    const auto paper = low_pass(lambda_k_by_bisection(laplacian, 5, 50, seed), 2, 50);
    const auto ours = low_pass(spectral_density(laplacian, {.seed = seed}).eigenvalue(5), 2, 100);
    for (const double value : eigen.values) {
      bisected +=
          std::pow(evaluate(paper, 2, value), 2) / kSeeds;  // ‖h(L)R‖² counts h², the one pass counts h
      one_pass += evaluate(ours, 2, value) / kSeeds;
    }
  }
  EXPECT_NEAR(bisected, 5, 1);
  EXPECT_NEAR(one_pass, 5, 1);
}

TEST(SpectralDensity, SameBytesForAnyNumberOfThreads) {
  const Csr csr = testing::to_csr(testing::random_adjacency(3000, 0.003, false, 3), false);
  const auto laplacian = graph::make_laplacian(csr);
  const auto one = spectral_density(laplacian, {.order = 10, .seed = 2}, Context(1));
  for (const int threads : {2, 3}) {
    const auto other = spectral_density(laplacian, {.order = 10, .seed = 2}, Context(threads));
    EXPECT_EQ(one.mean_moments(), other.mean_moments());
  }
}

TEST(SpectralDensity, AGraphWithoutEdgesHasNothingToCount) {
  Csr empty;
  empty.offsets.assign(11, 0);
  const auto density = spectral_density(graph::make_laplacian(empty), {.order = 10});
  EXPECT_EQ(density.count(2), 0);
  EXPECT_EQ(density.eigenvalue(1), density.lambda_max());
}

// 80 nodes without edges beside the five blocks, 80 zeros more in the spectrum: counted, they would push
// every λ_k with k ≤ 85 to 0.
TEST(LambdaK, NodesWithoutEdgesChangeNothing) {
  testing::Dense padded = kBlocks;
  for (auto& row : padded) row.resize(200);
  padded.resize(200, std::vector<double>(200));
  const Csr alone = testing::to_csr(kBlocks, false), beside = testing::to_csr(padded, false);
  for (const auto kind : {LaplacianKind::normalized, LaplacianKind::combinatorial}) {
    const auto plain = graph::make_laplacian(alone, kind), with = graph::make_laplacian(beside, kind);
    // The signals are a function of the node, so that those of the blocks are the same.
    const auto expected = spectral_density(plain), found = spectral_density(with);
    for (const double lambda : {0.1, 0.5, 1.0}) {
      EXPECT_NEAR(found.count(lambda * plain.lambda_max), expected.count(lambda * plain.lambda_max), 1e-3);
    }
    EXPECT_NEAR(found.eigenvalue(5), expected.eigenvalue(5), 1e-4 * plain.lambda_max);
  }
  const auto laplacian = graph::make_laplacian(beside);
  const auto eigen =
      testing::eigen_decomposition(testing::dense_laplacian(kBlocks, LaplacianKind::normalized));
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    EXPECT_GT(lambda_k_by_bisection(laplacian, 5, 50, seed), eigen.values[4] / 2) << seed;
  }
}

// xᵀ T_m x is the m-th moment, of the terms as they are shown on the way; 80 signals are two panels.
TEST(SpectralDensity, MomentsAreThoseOfTheTermsObserved) {
  const Csr csr = testing::to_csr(testing::random_adjacency(60, 0.2, false, 3), false);
  const graph::Laplacian laplacian = graph::make_laplacian(csr, graph::LaplacianKind::normalized, 0.5);
  Matrix<double> products(80, 7);
  Matrix<float> start(60, 80);
  const auto observe = [&](std::int64_t first, int term, MatrixView<const float> panel) {
    for (std::int64_t i = 0; i < panel.rows; ++i) {
      for (std::int64_t c = 0; c < panel.cols; ++c) {
        const double x = static_cast<double>(laplacian.scale[i]) * panel(i, c);
        if (term == 0) start(i, first + c) = static_cast<float>(x);
        products(first + c, term) += x * start(i, first + c);
      }
    }
  };
  const auto density = spectral_density(laplacian, {.order = 6, .signals = 80}, observe, Context(2));
  ASSERT_EQ(density.moments().rows(), 80);
  for (std::int64_t signal = 0; signal < 80; ++signal) {
    for (int m = 0; m <= 6; ++m) {
      EXPECT_NEAR(density.moments()(signal, m), products(signal, m), 1e-3) << signal << ", " << m;
    }
  }
}

}  // namespace
}  // namespace parsimony::spectral::density_test
