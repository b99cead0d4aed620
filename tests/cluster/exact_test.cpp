#include "parsimony/cluster/exact.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>

#include "dense.hpp"
#include "expect_cancels.hpp"
#include "expect_error.hpp"
#include "limited_memory.hpp"
#include "parsimony/core/random.hpp"
#include "parsimony/graph/generators.hpp"
#include "parsimony/graph/scores.hpp"
#include "resident_memory.hpp"

namespace parsimony::cluster::exact_test {
namespace {

void expect_exactly(const ClusterResult& result, std::int64_t nodes, std::int64_t clusters) {
  ASSERT_EQ(static_cast<std::int64_t>(result.labels.size()), nodes);
  const std::set<std::int32_t> used(result.labels.begin(), result.labels.end());
  EXPECT_EQ(static_cast<std::int64_t>(used.size()), clusters);
  EXPECT_EQ(*used.begin(), 0);
  EXPECT_EQ(*used.rbegin(), clusters - 1);
}

TEST(ExactSpectralClustering, RecoversWellSeparatedBlocks) {
  for (std::uint64_t seed = 0; seed < 3; ++seed) {
    const auto planted = graph::stochastic_block_model(
        {.nodes = 3000, .clusters = 10, .degree = 16, .epsilon_ratio = 0.1, .seed = seed});
    const auto result = exact_spectral_clustering(planted.graph, {.clusters = 10, .seed = seed});
    expect_exactly(result, 3000, 10);
    EXPECT_GT(graph::agreement(result.labels, planted.labels).adjusted_rand, 0.99) << "seed " << seed;
    EXPECT_EQ(result.report.status, Status::converged);
  }
}

TEST(ExactSpectralClustering, EveryOtherWayFindsTheBlocksToo) {
  const auto planted =
      graph::stochastic_block_model({.nodes = 3000, .clusters = 6, .epsilon_ratio = 0.1, .seed = 2});
  const ExactOptions ways[] = {{.clusters = 6, .laplacian = graph::LaplacianKind::combinatorial},
                               {.clusters = 6, .regularization = 8},
                               {.clusters = 6, .oversampling = 5},
                               {.clusters = 6, .eigen_tolerance = 1e-2}};
  int way = 0;
  for (const ExactOptions& options : ways) {
    const auto result = exact_spectral_clustering(planted.graph, options);
    EXPECT_GT(graph::agreement(result.labels, planted.labels).adjusted_rand, 0.97) << "way " << way++;
  }
}

// Where degrees follow a power law, the rows of the eigenvectors are as long as the root of their degree.
TEST(ExactSpectralClustering, RowsAreComparedByTheirDirections) {
  const auto planted = graph::stochastic_block_model(
      {.nodes = 4000, .clusters = 8, .degree = 30, .epsilon_ratio = 0.3, .degree_exponent = 2.1, .seed = 1});
  const auto result = exact_spectral_clustering(planted.graph, {.clusters = 8, .regularization = 0});
  EXPECT_GT(graph::agreement(result.labels, planted.labels).adjusted_rand, 0.9);
}

// m components and two nodes without edges: fewer clusters than m are unions of components, m are the
// components, more are pieces of them.
TEST(ExactSpectralClustering, ClustersFollowTheComponents) {
  for (int components = 1; components <= 5; ++components) {
    std::vector<std::int32_t> component;
    for (int c = 0; c < components; ++c) component.insert(component.end(), 12 + 4 * c, c);
    const std::size_t connected = component.size(), nodes = connected + 2;
    testing::Dense w = testing::zeros(static_cast<std::int64_t>(nodes));
    const RandomStream random(7, "test");
    for (std::size_t i = 0; i < connected; ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        if (component[i] == component[j] && random.uniform(i * nodes + j) < 0.8) w[i][j] = w[j][i] = 1;
      }
    }
    for (int clusters = 1; clusters <= components + 2; ++clusters) {
      SCOPED_TRACE(::testing::Message() << components << " components, " << clusters << " clusters");
      const auto result =
          exact_spectral_clustering(testing::to_csr(w, false), {.clusters = clusters, .regularization = 0});
      expect_exactly(result, static_cast<std::int64_t>(nodes), clusters);
      EXPECT_EQ(result.labels[nodes - 1], result.labels[nodes - 2]);
      std::set<std::pair<std::int32_t, std::int32_t>> met;  // a component and a cluster that share a node
      for (std::size_t i = 0; i < connected; ++i) met.emplace(component[i], result.labels[i]);
      EXPECT_EQ(static_cast<int>(met.size()), std::max(components, clusters));
    }
  }
}

TEST(ExactSpectralClustering, ReportsTheEigenvalues) {
  const testing::Dense w = testing::block_adjacency(4, 40, 0.5, 0.02, 3);
  const auto result =
      exact_spectral_clustering(testing::to_csr(w, false), {.clusters = 6, .regularization = 1, .seed = 9});
  const auto exact =
      testing::eigen_decomposition(testing::dense_laplacian(w, graph::LaplacianKind::normalized, 1)).values;
  const auto& values = result.report.figure<std::vector<double>>("eigenvalues");
  ASSERT_EQ(values.size(), 6u);
  for (std::size_t j = 0; j < 6; ++j) EXPECT_NEAR(values[j], exact[j], 1e-5);
  EXPECT_EQ(result.lambda_k, values[5]);
  EXPECT_LE(result.report.figure<double>("largest_residual"), 1e-5);
  EXPECT_EQ(result.report.figure<std::int64_t>("dimension"), 32);
  const std::string json = result.report.to_json();
  for (const char* word : {"\"oversampling\": 26", "\"seed\": 9", "\"components\"", "\"k-means\"",
                           "\"memory_estimate\"", "\"products\"", "\"eigen_passes\""}) {
    EXPECT_NE(json.find(word), std::string::npos) << word << " in " << json;
  }
}

TEST(ExactSpectralClustering, EigenvectorsThatDidNotConvergeAreSaid) {
  const auto planted = graph::stochastic_block_model({.nodes = 2000, .clusters = 5, .seed = 1});
  const auto result =
      exact_spectral_clustering(planted.graph, {.clusters = 5, .eigen_tolerance = 1e-6, .passes = 1});
  EXPECT_EQ(result.report.status, Status::iteration_limit);
  expect_exactly(result, 2000, 5);
}

TEST(ExactSpectralClustering, RefusesWhatCannotBe) {
  const Csr csr = testing::to_csr(testing::random_adjacency(20, 0.3, false, 1), false);
  const auto refuses = [&](ErrorCode code, const char* part, const ExactOptions& options) {
    expect_error(code, part, [&] { exact_spectral_clustering(csr, options); });
  };
  refuses(ErrorCode::invalid_argument, "clusters", {.clusters = 0});
  refuses(ErrorCode::invalid_argument, "clusters: 21 is more than the 20 nodes", {.clusters = 21});
  refuses(ErrorCode::invalid_argument, "passes", {.clusters = 2, .passes = 0});
  refuses(ErrorCode::invalid_argument, "eigen_tolerance", {.clusters = 2, .eigen_tolerance = -1});
  refuses(ErrorCode::invalid_argument, "oversampling", {.clusters = 2, .oversampling = -1});
  refuses(ErrorCode::invalid_argument, "regularization: -0.5", {.clusters = 2, .regularization = -0.5});
  expect_error(ErrorCode::memory_limit, "max_memory",
               [&] { exact_spectral_clustering(csr, {.clusters = 2}, testing::limited_memory(100)); });
}

TEST(ExactSpectralClustering, ProgressRisesToTheTotalOfEveryStageAndCancels) {
  const auto planted = graph::stochastic_block_model({.nodes = 500, .clusters = 5, .seed = 1});
  const ExactOptions options{.clusters = 5, .restarts = 3};
  std::map<std::string, std::pair<std::int64_t, std::int64_t>> stages;
  Context counting(2);
  counting.on_progress = [&](std::string_view stage, std::int64_t done, std::int64_t total) {
    const std::string name = stage == "k-means" && total == 1 ? "last k-means" : std::string(stage);
    const auto [at, fresh] = stages.try_emplace(name, done, total);
    EXPECT_GE(done, at->second.first) << stage;
    EXPECT_EQ(total, at->second.second) << stage;
    at->second.first = done;
  };
  exact_spectral_clustering(planted.graph, options, counting);
  EXPECT_TRUE(stages.count("eigenvectors"));
  for (const auto& [stage, at] : stages) EXPECT_EQ(at.first, at.second) << stage;
  expect_cancels(5,
                 [&](const Context& context) { exact_spectral_clustering(planted.graph, options, context); });
}

TEST(ExactEstimateMemory, IsThePeak) {
  if (!testing::restart_peak()) GTEST_SKIP() << "resident memory is not ours";
  const auto planted = graph::stochastic_block_model({.nodes = 60000, .clusters = 20, .seed = 1});
  const ExactOptions options{.clusters = 40, .eigen_tolerance = 0.5, .passes = 1, .restarts = 1};
  const std::int64_t before = testing::resident("VmRSS");
  testing::restart_peak();
  exact_spectral_clustering(planted.graph, options, Context(2));
  const auto peak = static_cast<double>(testing::resident("VmHWM") - before);
  const auto estimate = static_cast<double>(estimate_memory(planted.graph, options, Context(2)));
  EXPECT_LT(peak, 1.1 * estimate);
  EXPECT_GT(peak, 0.65 * estimate);
}

}  // namespace
}  // namespace parsimony::cluster::exact_test
