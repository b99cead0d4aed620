#include "parsimony/cluster/number_of_clusters.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <vector>

#include "dense.hpp"
#include "expect_cancels.hpp"
#include "expect_error.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/core/random.hpp"
#include "parsimony/graph/generators.hpp"
#include "thread_counts.hpp"

namespace parsimony::cluster::number_of_clusters_test {
namespace {

TEST(NumberOfClusters, IsThePlantedOneOnBlockModels) {
  for (const std::int64_t k : {2, 5, 12}) {
    for (std::uint64_t seed = 0; seed < 3; ++seed) {
      const auto planted = graph::stochastic_block_model({.nodes = 3000, .clusters = k, .seed = seed});
      const auto choice = choose_number_of_clusters(planted.graph, {.max_clusters = 15, .seed = seed});
      EXPECT_EQ(choice.clusters, k) << "seed " << seed;
      ASSERT_EQ(choice.candidates.size(), 14u) << "all of 2..15";
      for (const ClusterCandidate& candidate : choice.candidates) {
        EXPECT_LE(candidate.stability, 1);
        EXPECT_GE(candidate.standard_error, 0);
        EXPECT_GE(candidate.gap, 0);
      }
    }
  }
}

// More numbers than candidates: the range is thinned, searched uphill, and the planted number still found.
TEST(NumberOfClusters, IsFoundInAWideRange) {
  for (const std::int64_t k : {6, 25}) {
    const auto planted =
        graph::stochastic_block_model({.nodes = 5000, .clusters = k, .epsilon_ratio = 0.1, .seed = 3});
    const auto choice = choose_number_of_clusters(planted.graph, {.max_clusters = 60, .splits = 4});
    EXPECT_EQ(choice.clusters, k);
    EXPECT_LE(choice.candidates.size(), 20u);
    std::set<std::int64_t> tried;
    for (const ClusterCandidate& candidate : choice.candidates) tried.insert(candidate.clusters);
    EXPECT_EQ(tried.size(), choice.candidates.size()) << "none twice";
    EXPECT_TRUE(tried.contains(k - 1) && tried.contains(k + 1)) << "the neighbours of the choice were tried";
    EXPECT_EQ(*tried.begin(), 2);
    EXPECT_EQ(*tried.rbegin(), 60);
  }
}

// Cliques without an edge between them: the m lowest eigenvalues are 0 and there are m clusters, which every
// realisation finds again exactly.
TEST(NumberOfClusters, OfCliquesIsTheirNumberAndPerfectlyStable) {
  constexpr int kCliques = 7, kSize = 30;
  testing::Dense w = testing::zeros(kCliques * kSize);
  for (int i = 0; i < kCliques * kSize; ++i) {
    for (int j = 0; j < i; ++j) {
      if (i / kSize == j / kSize) w[i][j] = w[j][i] = 1;
    }
  }
  const auto choice =
      choose_number_of_clusters(testing::to_csr(w, false), {.max_clusters = 12, .regularization = 0});
  EXPECT_EQ(choice.clusters, kCliques);
  for (const ClusterCandidate& candidate : choice.candidates) {
    if (candidate.clusters == kCliques) {
      EXPECT_EQ(candidate.stability, 1);
    } else {
      EXPECT_LT(candidate.stability, 0.97) << candidate.clusters;
    }
  }
}

// Two levels: 3 groups of 4 blocks each. Each level is stable; numbers between them are not, and the range
// says which level is meant.
TEST(NumberOfClusters, IsALevelOfAHierarchyAndNothingBetween) {
  testing::Dense w = testing::zeros(600);
  const RandomStream random(1, "test");
  for (int i = 0; i < 600; ++i) {
    for (int j = 0; j < i; ++j) {
      const double p = i / 50 == j / 50 ? 0.4 : i / 200 == j / 200 ? 0.04 : 0.001;
      if (random.uniform(i * 600 + j) < p) w[i][j] = w[j][i] = 1;
    }
  }
  const Csr csr = testing::to_csr(w, false);
  const auto any = choose_number_of_clusters(csr, {.max_clusters = 16});
  EXPECT_TRUE(any.clusters == 3 || any.clusters == 12) << any.clusters;
  EXPECT_EQ(choose_number_of_clusters(csr, {.max_clusters = 6}).clusters, 3);
  EXPECT_EQ(choose_number_of_clusters(csr, {.min_clusters = 6, .max_clusters = 16}).clusters, 12);
}

TEST(NumberOfClusters, SameCurveForAnyNumberOfThreads) {
  const auto planted = graph::stochastic_block_model({.nodes = 3000, .clusters = 6, .seed = 3});
  const NumberOfClustersOptions options{.max_clusters = 9, .features = 40, .splits = 3, .seed = 5};
  const auto one = choose_number_of_clusters(planted.graph, options, Context(1));
  for (const int threads : parsimony::testing::kThreadCounts) {
    const auto other = choose_number_of_clusters(planted.graph, options, Context(threads));
    EXPECT_EQ(one.clusters, other.clusters);
    ASSERT_EQ(one.candidates.size(), other.candidates.size());
    for (std::size_t i = 0; i < one.candidates.size(); ++i) {
      EXPECT_EQ(one.candidates[i].stability, other.candidates[i].stability);
      EXPECT_EQ(one.candidates[i].gap, other.candidates[i].gap);
    }
  }
}

TEST(NumberOfClusters, RefusesWhatCannotBe) {
  const Csr csr = testing::to_csr(testing::random_adjacency(40, 0.3, false, 1), false);
  const auto refuses = [&](const char* part, const NumberOfClustersOptions& options) {
    expect_error(ErrorCode::invalid_argument, part, [&] { choose_number_of_clusters(csr, options); });
  };
  refuses("min_clusters", {.min_clusters = 1});
  refuses("min_clusters: 5 is more than max_clusters, which is 3", {.min_clusters = 5, .max_clusters = 3});
  refuses("min_clusters: 40", {.min_clusters = 40});
  refuses("samples: 5", {.max_clusters = 6, .samples = 5});
  refuses("regularization", {.regularization = -0.5});
  refuses("splits", {.splits = 1});
}

TEST(NumberOfClusters, CancelsAtAnyProgressCall) {
  const auto planted = graph::stochastic_block_model({.nodes = 500, .clusters = 5, .seed = 1});
  const NumberOfClustersOptions options{.max_clusters = 8, .features = 8, .splits = 2, .order = 10};
  expect_cancels(
      9, [&](const Context& context) { choose_number_of_clusters(planted.graph, options, context); }, 0);
}

}  // namespace
}  // namespace parsimony::cluster::number_of_clusters_test
