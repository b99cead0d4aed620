#include "parsimony/spectral/eigenvectors.hpp"

#include <Spectra/MatOp/SparseSymMatProd.h>
#include <Spectra/SymEigsSolver.h>
#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <Eigen/SparseCore>
#include <cmath>
#include <limits>
#include <numbers>
#include <stop_token>

#include "dense.hpp"
#include "expect_error.hpp"
#include "parsimony/graph/generators.hpp"
#include "parsimony/spectral/density.hpp"
#include "thread_counts.hpp"

namespace parsimony::spectral::eigenvectors_test {
namespace {

using graph::LaplacianKind;

struct Case {
  testing::Dense adjacency;
  bool weighted = false;
  LaplacianKind kind = LaplacianKind::normalized;
  double regularization = 0;
};

// Eigenvalues beside those of the dense matrix on the nodes with edges; vectors by what makes them
// eigenvectors.
void expect_eigenvectors(const Case& problem, std::int64_t count, const EigenOptions& requested = {}) {
  EigenOptions options = requested;
  options.count = count;
  const Csr csr = testing::to_csr(problem.adjacency, problem.weighted);
  const auto laplacian = graph::make_laplacian(csr, problem.kind, problem.regularization);
  const Eigenvectors found = smallest_eigenvectors(laplacian, options);
  EXPECT_EQ(found.report.status, Status::converged);

  std::vector<std::int64_t> nodes;
  for (std::int64_t i = 0; i < csr.rows(); ++i) {
    if (csr.offsets[i] < csr.offsets[i + 1]) nodes.push_back(i);
  }
  const auto n = static_cast<std::int64_t>(nodes.size());
  const testing::Dense l = testing::dense_laplacian(problem.adjacency, problem.kind, problem.regularization);
  Eigen::MatrixXd matrix(n, n), vectors(n, count);
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t j = 0; j < n; ++j) matrix(i, j) = l[nodes[i]][nodes[j]];
    for (std::int64_t j = 0; j < count; ++j) vectors(i, j) = found.vectors()(nodes[i], j);
  }
  const double unit = laplacian.lambda_max / 2;
  const Eigen::VectorXd exact = Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd>(matrix).eigenvalues();
  ASSERT_EQ(static_cast<std::int64_t>(found.values.size()), count);
  double elsewhere = 0;
  for (std::int64_t i = 0; i < csr.rows(); ++i) {
    if (csr.offsets[i] < csr.offsets[i + 1]) continue;
    for (std::int64_t j = 0; j < count; ++j) elsewhere += std::abs(found.vectors()(i, j));
  }
  EXPECT_EQ(elsewhere, 0) << "rows of nodes without edges";
  for (std::int64_t j = 0; j < count; ++j) {
    EXPECT_NEAR(found.values[j], exact[j], 1e-5 * unit) << "eigenvalue " << j;
    const double residual = (matrix * vectors.col(j) - found.values[j] * vectors.col(j)).norm();
    EXPECT_LT(residual, 1.01 * options.tolerance * unit) << "eigenvector " << j;
    // The known vector of eigenvalue 0 is not multiplied to be told so.
    EXPECT_NEAR(residual, found.residuals[j], 2e-6 * unit);
  }
  const double skew = (vectors.transpose() * vectors - Eigen::MatrixXd::Identity(count, count)).norm();
  EXPECT_LT(skew, 1e-5 * std::sqrt(count));
}

TEST(SmallestEigenvectors, AreThoseOfTheDenseMatrix) {
  for (const bool weighted : {false, true}) {
    const testing::Dense sparse = testing::random_adjacency(200, 0.04, weighted, 1);
    const testing::Dense disconnected =
        testing::random_adjacency(300, 0.008, weighted, 2);  // isolated nodes too
    for (const auto& adjacency : {sparse, disconnected}) {
      for (const std::int64_t count : {1, 30}) {
        SCOPED_TRACE(::testing::Message() << "count " << count << ", weighted " << weighted);
        expect_eigenvectors({adjacency, weighted}, count);
        expect_eigenvectors({adjacency, weighted, LaplacianKind::normalized, 2.5}, count);
        expect_eigenvectors({adjacency, weighted, LaplacianKind::combinatorial}, count);
      }
    }
  }
}

TEST(SmallestEigenvectors, OfASmallGraphAreAllOfThem) {
  const RandomStream random(1, "test");
  for (std::uint64_t trial = 0; trial < 12; ++trial) {
    const auto nodes = static_cast<std::int64_t>(2 + random.below(30, trial));
    testing::Dense adjacency = testing::random_adjacency(nodes, 0.2, false, trial);
    adjacency[0][1] = adjacency[1][0] = 1;
    std::int64_t connected = 0;
    for (const auto& row : adjacency)
      connected += std::any_of(row.begin(), row.end(), [](double w) { return w > 0; });
    SCOPED_TRACE(::testing::Message() << "trial " << trial << ", " << connected << " nodes with edges");
    expect_eigenvectors({adjacency}, connected);
    expect_eigenvectors({adjacency, false, LaplacianKind::combinatorial}, connected);
    expect_eigenvectors({adjacency, false, LaplacianKind::normalized, 0.7}, (connected + 1) / 2);
  }
}

// 1 − cos(2πj/n), all but two of them double, the lowest some 10⁻⁶ apart.
TEST(SmallestEigenvectors, OfARingAreKnown) {
  constexpr std::int64_t kNodes = 2000, kCount = 21;
  Csr csr;
  for (std::int32_t i = 0; i < kNodes; ++i) {
    const auto [low, high] = std::minmax(
        {static_cast<std::int32_t>((i + 1) % kNodes), static_cast<std::int32_t>((i + kNodes - 1) % kNodes)});
    csr.columns.push_back(low);
    csr.columns.push_back(high);
    csr.offsets.push_back(2 * (i + 1));
  }
  const auto found = smallest_eigenvectors(graph::make_laplacian(csr), {.count = kCount, .tolerance = 1e-5});
  EXPECT_EQ(found.report.status, Status::converged);
  for (std::int64_t j = 0; j < kCount; ++j) {
    const double exact = 1 - std::cos(2 * std::numbers::pi * static_cast<double>((j + 1) / 2) / kNodes);
    EXPECT_NEAR(found.values[j], exact, 3e-7) << j;
  }
}

// K_n: one 0 and n − 1 times n/(n − 1). A star: 0, n − 2 times 1, and 2. Disjoint edges: as many 0 as 2.
TEST(SmallestEigenvectors, OfMultipleEigenvalues) {
  testing::Dense complete = testing::zeros(120), star = testing::zeros(120), edges = testing::zeros(120);
  for (std::size_t i = 0; i < 120; ++i) {
    for (std::size_t j = 0; j < 120; ++j) complete[i][j] = i != j;
    if (i > 0) star[0][i] = star[i][0] = 1;
    edges[i][i ^ 1u] = 1;
  }
  for (const auto& adjacency : {complete, star, edges}) {
    expect_eigenvectors({adjacency}, 10);
    expect_eigenvectors({adjacency}, 59);
  }
}

TEST(SmallestEigenvectors, AgreeWithLanczos) {
  const auto planted =
      graph::stochastic_block_model({.nodes = 3000, .clusters = 12, .epsilon_ratio = 0.3, .seed = 1});
  constexpr int kCount = 16;  // four beyond the gap
  const CsrView csr = planted.graph;
  std::vector<Eigen::Triplet<double>> entries;
  const auto degree = [&](std::int64_t i) {
    return static_cast<double>(csr.offsets[i + 1] - csr.offsets[i]);
  };
  for (std::int64_t i = 0; i < csr.rows(); ++i) {
    for (std::int64_t e = csr.offsets[i]; e < csr.offsets[i + 1]; ++e) {
      entries.emplace_back(i, csr.columns[e], 1 / std::sqrt(degree(i) * degree(csr.columns[e])));
    }
  }
  Eigen::SparseMatrix<double> matrix(csr.rows(), csr.rows());
  matrix.setFromTriplets(entries.begin(), entries.end());
  Spectra::SparseSymMatProd<double> product(matrix);
  Spectra::SymEigsSolver<Spectra::SparseSymMatProd<double>> lanczos(product, kCount, 4 * kCount);
  lanczos.init();
  ASSERT_EQ(lanczos.compute(Spectra::SortRule::LargestAlge, 1000, 1e-9), kCount);

  const auto found = smallest_eigenvectors(graph::make_laplacian(csr), {.count = kCount});
  for (int j = 0; j < kCount; ++j) EXPECT_NEAR(found.values[j], 1 - lanczos.eigenvalues()[j], 1e-6) << j;
}

TEST(SmallestEigenvectors, SameBytesForAnyNumberOfThreads) {
  const auto planted = graph::stochastic_block_model({.nodes = 6000, .clusters = 20, .seed = 3});
  const auto laplacian = graph::make_laplacian(planted.graph);
  const EigenOptions options{.count = 20, .tolerance = 1e-3, .seed = 5};
  const auto one = smallest_eigenvectors(laplacian, options, Context(1));
  for (const int threads : parsimony::testing::kThreadCounts) {
    const auto other = smallest_eigenvectors(laplacian, options, Context(threads));
    EXPECT_EQ(one.values, other.values);
    EXPECT_EQ(one.residuals, other.residuals);
    EXPECT_TRUE(
        std::equal(one.basis.values().begin(), one.basis.values().end(), other.basis.values().begin()));
  }
}

// Whatever the seed, the degree, the columns: the same eigenvalues, of which each is known to its error only.
TEST(SmallestEigenvectors, DoNotDependOnHowTheyAreFound) {
  const Case problem{testing::block_adjacency(6, 40, 0.4, 0.015, 1)};
  for (const EigenOptions& options :
       {EigenOptions{.seed = 1}, EigenOptions{.oversampling = 1}, EigenOptions{.oversampling = 200},
        EigenOptions{.oversampling = 1000}, EigenOptions{.degree = 3}, EigenOptions{.tolerance = 1e-5}}) {
    expect_eigenvectors(problem, 9, options);
  }
}

TEST(SmallestEigenvectors, TakeADensityThatIsThere) {
  const auto planted = graph::stochastic_block_model({.nodes = 2000, .clusters = 10, .seed = 1});
  const graph::Laplacian laplacian = graph::make_laplacian(planted.graph, LaplacianKind::normalized, 0);
  const SpectralDensity density = spectral_density(laplacian, {.order = 50, .signals = 32, .seed = 3});
  const EigenOptions options{.count = 10, .tolerance = 1e-5};
  const Eigenvectors counted = smallest_eigenvectors(laplacian, options);
  const Eigenvectors given = smallest_eigenvectors(laplacian, options, &density);
  const auto products = [](const Report& report) { return report.figure<std::int64_t>("products"); };
  EXPECT_LT(products(given.report), products(counted.report));
  for (int j = 0; j < 10; ++j) EXPECT_NEAR(given.values[j], counted.values[j], 1e-6) << j;
}

TEST(SmallestEigenvectors, SayWhenTheyAreNotThereYet) {
  const Csr csr = testing::to_csr(testing::random_adjacency(400, 0.02, false, 1), false);
  const auto laplacian = graph::make_laplacian(csr);
  const auto found = smallest_eigenvectors(laplacian, {.count = 10, .tolerance = 1e-5, .max_iterations = 1});
  EXPECT_EQ(found.report.status, Status::iteration_limit);
  EXPECT_EQ(found.report.iterations, 1);
  const auto enough = smallest_eigenvectors(laplacian, {.count = 10, .tolerance = 1e-5});
  EXPECT_EQ(enough.report.status, Status::converged);
  for (int j = 0; j < 10; ++j) EXPECT_GE(found.values[j], enough.values[j] - 1e-6);  // by Courant and Fischer
}

TEST(SmallestEigenvectors, RefuseWhatCannotBe) {
  const Csr csr = testing::to_csr(testing::block_adjacency(2, 5, 1, 0, 1), false);
  const auto laplacian = graph::make_laplacian(csr);
  const auto refuse = [&](const EigenOptions& options, const std::string& piece) {
    expect_error(ErrorCode::invalid_argument, piece, [&] { smallest_eigenvectors(laplacian, options); });
  };
  refuse({.count = 0}, "count");
  refuse({.count = 11}, "count: 11 eigenvectors are more than the 10 nodes with edges");
  refuse({.count = 2, .tolerance = std::numeric_limits<double>::quiet_NaN()}, "tolerance");
  refuse({.count = 2, .max_iterations = 0}, "max_iterations");
  std::stop_source source;
  source.request_stop();
  Context context;
  context.stop = source.get_token();
  expect_error(ErrorCode::cancelled, "cancelled",
               [&] { smallest_eigenvectors(laplacian, {.count = 2}, context); });
}

}  // namespace
}  // namespace parsimony::spectral::eigenvectors_test
