#include "parsimony/cluster/filtered.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <string>
#include <string_view>
#include <variant>

#include "dense.hpp"
#include "expect_cancels.hpp"
#include "expect_error.hpp"
#include "limited_memory.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/core/kmeans.hpp"
#include "parsimony/core/random.hpp"
#include "parsimony/graph/generators.hpp"
#include "parsimony/graph/scores.hpp"
#include "parsimony/spectral/chebyshev.hpp"
#include "parsimony/spectral/features.hpp"

namespace parsimony::cluster::filtered_test {
namespace {

void expect_exactly(const ClusterResult& result, std::int64_t nodes, std::int64_t clusters) {
  ASSERT_EQ(static_cast<std::int64_t>(result.labels.size()), nodes);
  const std::set<std::int32_t> used(result.labels.begin(), result.labels.end());
  EXPECT_EQ(static_cast<std::int64_t>(used.size()), clusters);
  EXPECT_EQ(*used.begin(), 0);
  EXPECT_EQ(*used.rbegin(), clusters - 1);
}

TEST(FilteredSpectralClustering, RecoversWellSeparatedBlocks) {
  for (std::uint64_t seed = 0; seed < 3; ++seed) {
    const auto planted = graph::stochastic_block_model(
        {.nodes = 3000, .clusters = 10, .degree = 16, .epsilon_ratio = 0.1, .seed = seed});
    const auto result = filtered_spectral_clustering(planted.graph, {.clusters = 10, .seed = seed});
    expect_exactly(result, 3000, 10);
    EXPECT_GT(graph::agreement(result.labels, planted.labels).adjusted_rand, 0.98) << "seed " << seed;
    EXPECT_EQ(result.report.status, Status::converged);
  }
}

TEST(FilteredSpectralClustering, EveryOtherWayFindsTheBlocksToo) {
  const auto planted =
      graph::stochastic_block_model({.nodes = 3000, .clusters = 6, .epsilon_ratio = 0.1, .seed = 2});
  const FilteredOptions ways[] = {{.clusters = 6, .laplacian = graph::LaplacianKind::combinatorial},
                                  {.clusters = 6, .regularization = 8},
                                  {.clusters = 6, .features = 70},
                                  {.clusters = 6, .lambda_method = LambdaMethod::bisection}};
  int way = 0;
  for (const FilteredOptions& options : ways) {
    const auto result = filtered_spectral_clustering(planted.graph, options);
    EXPECT_GT(graph::agreement(result.labels, planted.labels).adjusted_rand, 0.97) << "way " << way++;
  }
}

// The method by its definition, stage by stage from the public parts: labels are those of a minimum of
// k-means over all rows, so that each node is nearest to the mean of its own cluster.
TEST(FilteredSpectralClustering, EndsInAMinimumOfKMeansOverAllRows) {
  const auto planted = graph::stochastic_block_model({.nodes = 2000, .clusters = 5, .seed = 4});
  const FilteredOptions options{.clusters = 5, .regularization = 0, .features = 32, .seed = 3};
  const auto result = filtered_spectral_clustering(planted.graph, options);
  const auto laplacian = graph::make_laplacian(planted.graph);
  Matrix<float> rows = spectral::random_features(
      laplacian, spectral::low_pass(result.lambda_k, laplacian.lambda_max, options.order), 32, options.seed);
  spectral::normalize_rows(rows);
  Matrix<float> means(5, 32);
  std::vector<double> sizes(5);
  for (std::int64_t i = 0; i < 2000; ++i) {
    ++sizes[result.labels[i]];
    for (std::int64_t j = 0; j < 32; ++j) means(result.labels[i], j) += rows(i, j);
  }
  for (std::int64_t c = 0; c < 5; ++c) {
    for (float& v : means.row(c)) v /= static_cast<float>(sizes[c]);
  }
  const auto nearest = nearest_centroids(rows, means);
  int elsewhere = 0;
  for (std::int64_t i = 0; i < 2000; ++i) elsewhere += nearest[i] != result.labels[i];
  EXPECT_LE(elsewhere, 2);  // k-means ends when the objective stands within a ten-thousandth
}

TEST(FilteredSpectralClustering, IsolatedNodesJoinTheSmallestCluster) {
  testing::Dense w = testing::block_adjacency(2, 20, 0.8, 0.02, 4);
  for (auto& row : w) row.resize(45);
  w.resize(45, std::vector<double>(45));
  for (int j = 0; j < 45; ++j) w[39][j] = w[j][39] = 0;  // blocks of 20 and 19, six isolated nodes
  const auto result =
      filtered_spectral_clustering(testing::to_csr(w, false), {.clusters = 2, .regularization = 0});
  for (int i = 0; i < 45; ++i) EXPECT_EQ(result.labels[i], result.labels[i < 20 ? 0 : 20]) << i;
}

TEST(FilteredSpectralClustering, RefusesWhatCannotBe) {
  const Csr csr = testing::to_csr(testing::random_adjacency(20, 0.3, false, 1), false);
  const auto refuses = [&](ErrorCode code, const char* part, const FilteredOptions& options) {
    expect_error(code, part, [&] { filtered_spectral_clustering(csr, options); });
  };
  refuses(ErrorCode::invalid_argument, "clusters", {.clusters = 0});
  refuses(ErrorCode::invalid_argument, "clusters: 21 is more than the 20 nodes", {.clusters = 21});
  refuses(ErrorCode::invalid_argument, "order", {.clusters = 2, .order = 0});
  refuses(ErrorCode::invalid_argument, "regularization: -0.5", {.clusters = 2, .regularization = -0.5});
  refuses(ErrorCode::invalid_argument, "error: 0.2", {.clusters = 2, .features = 16, .error = 0.2});
  expect_error(ErrorCode::memory_limit, "max_memory",
               [&] { filtered_spectral_clustering(csr, {.clusters = 2}, testing::limited_memory(100)); });
}

TEST(FilteredSpectralClustering, ReportsWhatWasUsed) {
  const auto planted = graph::stochastic_block_model({.nodes = 2000, .clusters = 5, .seed = 1});
  const auto result = filtered_spectral_clustering(planted.graph, {.clusters = 5, .seed = 9});
  const std::string json = result.report.to_json();
  for (const char* word : {"\"lambda_k\"", "\"features\": 32", "\"order\": 50", "\"seed\": 9",
                           "\"components\"", "\"start\"", "\"k-means\"", "\"memory_estimate\""}) {
    EXPECT_NE(json.find(word), std::string::npos) << word << " in " << json;
  }
}

// Pairs of one run share the few dimensions of U_k, so that only the mean over runs is near its value: d
// signals and 2 d of the reference for .8 ε give .8 ε √1.5 / 1.96 at δ = .05.
TEST(FilteredSpectralClustering, KeepsDistancesAsAskedFor) {
  const auto planted = graph::stochastic_block_model(
      {.nodes = 2000, .clusters = 4, .degree = 30, .epsilon_ratio = 0.05, .seed = 1});
  for (const double error : {0.4, 0.2}) {
    int kept = 0;
    double squares = 0;
    for (std::uint64_t seed = 0; seed < 10; ++seed) {
      const auto result =
          filtered_spectral_clustering(planted.graph, {.clusters = 4, .error = error, .seed = seed});
      EXPECT_GT(graph::agreement(result.labels, planted.labels).adjusted_rand, 0.99);
      if (!result.report.figure<bool>("distance_kept")) continue;  // the count of eigenvalues is an estimate
      ++kept;
      squares += std::pow(result.report.figure<double>("distance_error"), 2);
    }
    ASSERT_GE(kept, 6);
    const double measured = std::sqrt(squares / kept);
    const double expected = 0.8 * error * std::sqrt(1.5) / 1.96;
    EXPECT_LT(measured, 1.4 * expected);
    EXPECT_GT(measured, expected / 1.6);
  }
}

TEST(FilteredSpectralClustering, SaysWhenTheGapIsTooNarrow) {
  const Csr csr = testing::to_csr(testing::random_adjacency(300, 0.05, false, 1), false);
  int warnings = 0;
  Context context;
  context.on_log = [&](LogLevel, std::string_view text) {
    warnings += text.find("too narrow") != std::string_view::npos;
  };
  const auto result = filtered_spectral_clustering(csr, {.clusters = 9, .error = 0.1}, context);
  EXPECT_FALSE(result.report.figure<bool>("distance_kept"));
  EXPECT_EQ(warnings, 1);
}

// Paths, whose next eigenvalues no filter of this order tells from 0.
TEST(FilteredSpectralClustering, AsManyComponentsAsClustersAreTheClusters) {
  constexpr std::int64_t kPaths = 60, kLength = 30;
  testing::Dense w = testing::zeros(kPaths * kLength + 1);  // and a node without edges
  for (std::int64_t i = 0; i + 1 < kPaths * kLength; ++i) {
    if ((i + 1) % kLength != 0) w[i][i + 1] = w[i + 1][i] = 1;
  }
  const auto result = filtered_spectral_clustering(testing::to_csr(w, false),
                                                   {.clusters = kPaths, .regularization = 0, .order = 20});
  for (std::int64_t i = 0; i < kPaths * kLength; ++i) ASSERT_EQ(result.labels[i], i / kLength);
  EXPECT_EQ(result.lambda_k, 0);
}

}  // namespace
}  // namespace parsimony::cluster::filtered_test
