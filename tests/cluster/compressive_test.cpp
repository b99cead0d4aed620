#include "parsimony/cluster/compressive.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>
#include <string>

#include "dense.hpp"
#include "expect_error.hpp"
#include "limited_memory.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/core/random.hpp"
#include "parsimony/graph/generators.hpp"
#include "parsimony/graph/scores.hpp"
#include "thread_counts.hpp"

namespace parsimony::cluster::compressive_test {
namespace {

std::set<std::int32_t> distinct(const std::vector<std::int32_t>& labels) {
  return {labels.begin(), labels.end()};
}

void expect_exactly(const ClusterResult& result, std::int64_t nodes, std::int64_t clusters) {
  ASSERT_EQ(static_cast<std::int64_t>(result.labels.size()), nodes);
  const auto used = distinct(result.labels);
  EXPECT_EQ(static_cast<std::int64_t>(used.size()), clusters);
  EXPECT_EQ(*used.begin(), 0);
  EXPECT_EQ(*used.rbegin(), clusters - 1);
}

class EveryAssignment : public ::testing::TestWithParam<Assignment> {};

// Ten clusters far above the detectability threshold: every way of assigning must find them on every seed.
TEST_P(EveryAssignment, RecoversWellSeparatedBlocks) {
  for (std::uint64_t seed = 0; seed < 3; ++seed) {
    const auto planted = graph::stochastic_block_model(
        {.nodes = 3000, .clusters = 10, .degree = 16, .epsilon_ratio = 0.1, .seed = seed});
    const auto result =
        compressive_spectral_clustering(planted.graph, {.clusters = 10, .assign = GetParam(), .seed = seed});
    expect_exactly(result, 3000, 10);
    EXPECT_GT(graph::agreement(result.labels, planted.labels).adjusted_rand, 0.98) << "seed " << seed;
    EXPECT_EQ(result.report.status, Status::converged);
  }
}

// More clusters than the 64 columns that are filtered at a time.
TEST_P(EveryAssignment, RecoversManyBlocks) {
  const auto planted = graph::stochastic_block_model(
      {.nodes = 3500, .clusters = 70, .degree = 20, .epsilon_ratio = 0.02, .seed = 1});
  const auto result = compressive_spectral_clustering(planted.graph, {.clusters = 70, .assign = GetParam()});
  expect_exactly(result, 3500, 70);
  EXPECT_GT(graph::agreement(result.labels, planted.labels).adjusted_rand, 0.97);
}

TEST_P(EveryAssignment, SameBytesForAnyNumberOfThreads) {
  const auto planted =
      graph::stochastic_block_model({.nodes = 17000, .clusters = 20, .degree = 6, .seed = 3});
  const CompressiveOptions options{.clusters = 20, .order = 8, .assign = GetParam(), .seed = 5};
  const auto one = compressive_spectral_clustering(planted.graph, options, Context(1));
  for (const int threads : parsimony::testing::kThreadCounts) {
    const auto other = compressive_spectral_clustering(planted.graph, options, Context(threads));
    EXPECT_EQ(one.labels, other.labels) << threads << " threads";
    EXPECT_EQ(one.lambda_k, other.lambda_k);
  }
}

// Components of every kind, isolated nodes, and every number of clusters: always exactly k, never a crash.
TEST_P(EveryAssignment, GivesExactlyKClustersOnAnyGraph) {
  const RandomStream random(1, "test");
  for (std::uint64_t trial = 0; trial < 40; ++trial) {
    const auto nodes = static_cast<std::int64_t>(1 + random.below(60, 3 * trial));
    const double probability =
        0.2 * random.uniform(3 * trial + 1) * (trial % 4);  // every fourth has no edge at all
    const bool weighted = trial % 2;
    const Csr csr = testing::to_csr(testing::random_adjacency(nodes, probability, weighted, trial), weighted);
    for (const std::int64_t clusters : {std::int64_t{1}, std::int64_t{2}, nodes / 3, nodes - 1, nodes}) {
      if (clusters < 1 || clusters > nodes) continue;
      SCOPED_TRACE(::testing::Message()
                   << "trial " << trial << ", " << nodes << " nodes, " << clusters << " clusters");
      const CompressiveOptions options{
          .clusters = clusters, .order = 10, .assign = GetParam(), .restarts = 2, .seed = trial};
      expect_exactly(compressive_spectral_clustering(csr, options), nodes, clusters);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Assignments, EveryAssignment,
                         ::testing::Values(Assignment::interpolate, Assignment::filter, Assignment::nearest),
                         [](const auto& parameter) { return std::string(enum_name(parameter.param)); });

// d and p keep the distances, n is that of the sampling theorem: at ε = .5 a part of the nodes is enough.
TEST(CompressiveSpectralClustering, KeepsDistancesWithinTheErrorAskedFor) {
  const auto planted = graph::stochastic_block_model(
      {.nodes = 2000, .clusters = 4, .degree = 30, .epsilon_ratio = 0.05, .seed = 1});
  const auto result =
      compressive_spectral_clustering(planted.graph, {.clusters = 4, .error = 0.5, .seed = 2});
  const Report& report = result.report;
  EXPECT_TRUE(report.figure<bool>("distance_kept"));
  EXPECT_LT(report.figure<double>("distance_error"), 0.5);
  EXPECT_GE(report.figure<double>("coherence"), 2) << "its least value";
  const auto samples = static_cast<double>(report.figure<std::int64_t>("samples_of_theorem"));
  EXPECT_GE(samples, 3 / 0.25 * 4 * std::log(2 * 4 / 0.05));
  EXPECT_LT(samples, 2000);
  EXPECT_GT(graph::agreement(result.labels, planted.labels).adjusted_rand, 0.99);
}

// Renaming the nodes renames the labels: the partition of a permuted graph scores the same against the
// permuted truth, though not the same bytes (the random signals follow the positions).
TEST(CompressiveSpectralClustering, DoesNotDependOnTheNamesOfTheNodes) {
  const auto planted = graph::stochastic_block_model(
      {.nodes = 3000, .clusters = 10, .epsilon_ratio = 0.1, .shuffle = false, .seed = 1});
  const auto shuffled = graph::stochastic_block_model(
      {.nodes = 3000, .clusters = 10, .epsilon_ratio = 0.1, .shuffle = true, .seed = 1});
  for (const auto* input : {&planted, &shuffled}) {
    const auto result = compressive_spectral_clustering(input->graph, {.clusters = 10});
    EXPECT_GT(graph::agreement(result.labels, input->labels).adjusted_rand, 0.98);
  }
}

TEST(CompressiveSpectralClustering, ComponentsAreTheClustersWhenTheyAreAsMany) {
  // Four cliques of different sizes without an edge between them; with tau = 0 they are the four lowest
  // eigenvectors.
  testing::Dense w = testing::zeros(40);
  std::vector<std::int32_t> truth(40);
  const int starts[] = {0, 5, 12, 25, 40};
  for (std::int32_t c = 0; c < 4; ++c) {
    for (int i = starts[c]; i < starts[c + 1]; ++i) {
      truth[i] = c;
      for (int j = starts[c]; j < i; ++j) w[i][j] = w[j][i] = 1;
    }
  }
  const auto result =
      compressive_spectral_clustering(testing::to_csr(w, false), {.clusters = 4, .regularization = 0});
  EXPECT_EQ(graph::agreement(result.labels, truth).adjusted_rand, 1);
}

// m components of 12 to 12 + 4 m nodes and two nodes without edges, tau = 0: fewer clusters than m unite
// components, m are the components, more cut them.
TEST_P(EveryAssignment, ClustersFollowTheComponents) {
  for (int components = 1; components <= 5; ++components) {
    testing::Dense w;
    std::vector<std::int32_t> component;
    for (int c = 0; c < components; ++c) component.insert(component.end(), 12 + 4 * c, c);
    const std::size_t connected = component.size(), nodes = connected + 2;
    w = testing::zeros(static_cast<std::int64_t>(nodes));
    const RandomStream random(7, "test");
    for (std::size_t i = 0; i < connected; ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        if (component[i] == component[j] && random.uniform(i * nodes + j) < 0.8) w[i][j] = w[j][i] = 1;
      }
    }
    for (int clusters = 1; clusters <= components + 2; ++clusters) {
      SCOPED_TRACE(::testing::Message() << components << " components, " << clusters << " clusters");
      const auto result = compressive_spectral_clustering(
          testing::to_csr(w, false), {.clusters = clusters, .regularization = 0, .assign = GetParam()});
      expect_exactly(result, static_cast<std::int64_t>(nodes), clusters);
      EXPECT_EQ(result.labels[nodes - 1], result.labels[nodes - 2]);
      std::set<std::pair<std::int32_t, std::int32_t>> met;  // a component and a cluster that share a node
      for (std::size_t i = 0; i < connected; ++i) met.emplace(component[i], result.labels[i]);
      EXPECT_EQ(static_cast<int>(met.size()), std::max(components, clusters));
    }
  }
}

// Paths, whose next eigenvalues no filter of this order tells from 0.
TEST(CompressiveSpectralClustering, AsManyComponentsAsClustersAreTheClusters) {
  constexpr std::int64_t kPaths = 60, kLength = 30;
  testing::Dense w = testing::zeros(kPaths * kLength + 1);  // and a node without edges
  for (std::int64_t i = 0; i + 1 < kPaths * kLength; ++i) {
    if ((i + 1) % kLength != 0) w[i][i + 1] = w[i + 1][i] = 1;
  }
  const auto result = compressive_spectral_clustering(testing::to_csr(w, false),
                                                      {.clusters = kPaths, .regularization = 0, .order = 20});
  for (std::int64_t i = 0; i < kPaths * kLength; ++i) ASSERT_EQ(result.labels[i], i / kLength);
  EXPECT_EQ(result.lambda_k, 0);
}

// Under one in a hundred nodes without edges leaves tau at 0, and as many zeros in the spectrum as there are
// clusters: the cut-off must not drown in them.
TEST_P(EveryAssignment, NodesWithoutEdgesDoNotMoveTheCutOff) {
  auto planted =
      graph::stochastic_block_model({.nodes = 4000, .clusters = 8, .epsilon_ratio = 0.1, .seed = 1});
  const CompressiveOptions options{.clusters = 8, .order = 30, .assign = GetParam()};
  const auto alone = compressive_spectral_clustering(planted.graph, options);
  Csr padded = planted.graph.adjacency;
  padded.offsets.insert(padded.offsets.end(), 36, padded.offsets.back());
  const auto beside = compressive_spectral_clustering(padded, options);
  EXPECT_NEAR(beside.lambda_k, alone.lambda_k, 0.01);
  const std::vector<std::int32_t> labels(beside.labels.begin(), beside.labels.begin() + 4000);
  EXPECT_GT(graph::agreement(labels, planted.labels).adjusted_rand, 0.98);
}

// Two blocks, sampled, and triangles that the few samples miss: no score reaches those.
TEST(CompressiveSpectralClustering, ComponentsWithoutASampleJoinTheSmallestCluster) {
  testing::Dense w = testing::block_adjacency(2, 300, 0.2, 0.002, 1);
  for (auto& row : w) row.resize(630);
  w.resize(630, std::vector<double>(630));
  for (std::size_t i = 540; i < 600; ++i) {  // blocks of 300 and 240 nodes
    for (std::size_t j = 0; j < 630; ++j) w[i][j] = w[j][i] = 0;
  }
  for (std::size_t i = 600; i < 630; ++i) {
    for (std::size_t j = i / 3 * 3; j < i; ++j) w[i][j] = w[j][i] = 1;
  }
  const Csr csr = testing::to_csr(w, false);
  for (const auto assign : {Assignment::interpolate, Assignment::filter}) {
    for (std::uint64_t seed = 0; seed < 5; ++seed) {
      const CompressiveOptions options{
          .clusters = 2, .regularization = 5, .samples = 40, .order = 20, .assign = assign, .seed = seed};
      const auto result = compressive_spectral_clustering(csr, options);
      std::vector<int> sizes(2), triangles(2);
      for (std::size_t i = 0; i < 540; ++i) ++sizes[result.labels[i]];
      for (std::size_t i = 600; i < 630; ++i) ++triangles[result.labels[i]];
      const int smallest = sizes[1] < sizes[0];
      EXPECT_GE(triangles[smallest], 15) << "seed " << seed;  // 40 of 630 nodes see about 2 of 10 triangles
    }
  }
}

// Where degrees follow a power law, the rows of the features are as long as the root of their degree: only
// their directions tell the clusters.
TEST(CompressiveSpectralClustering, RowsAreComparedByTheirDirections) {
  const auto planted = graph::stochastic_block_model(
      {.nodes = 4000, .clusters = 8, .degree = 30, .epsilon_ratio = 0.3, .degree_exponent = 2.1, .seed = 1});
  const auto result = compressive_spectral_clustering(planted.graph, {.clusters = 8, .regularization = 0});
  EXPECT_GT(graph::agreement(result.labels, planted.labels).adjusted_rand, 0.88);  // 0.78 by lengths too
}

// Four times the weights are the same graph: every intermediate value is scaled by a power of two, so that
// the labels agree to the bit from one end of float32 to the other.
TEST(CompressiveSpectralClustering, TheUnitOfTheWeightsChangesNothing) {
  const testing::Dense w = testing::random_adjacency(200, 0.1, true, 3);
  Csr csr = testing::to_csr(w, true);
  for (const auto laplacian : {graph::LaplacianKind::normalized, graph::LaplacianKind::combinatorial}) {
    const CompressiveOptions options{.clusters = 5, .laplacian = laplacian};
    const auto expected = compressive_spectral_clustering(csr, options);
    for (const int power : {-30, -2, 2, 30, 54}) {
      Csr scaled = csr;
      for (float& v : scaled.values) v = std::ldexp(v, 2 * power);
      const auto found = compressive_spectral_clustering(scaled, options);
      EXPECT_EQ(found.labels, expected.labels) << "4^" << power;
    }
    for (float& v : csr.values) v = std::ldexp(v, 120);
    expect_error(ErrorCode::invalid_argument, "degree of node",
                 [&] { compressive_spectral_clustering(csr, options); });
    for (float& v : csr.values) v = std::ldexp(v, -120);
  }
}

TEST(CompressiveSpectralClustering, EveryOtherWayFindsTheBlocksToo) {
  const auto planted =
      graph::stochastic_block_model({.nodes = 3000, .clusters = 6, .epsilon_ratio = 0.1, .seed = 2});
  const CompressiveOptions ways[] = {{.clusters = 6, .laplacian = graph::LaplacianKind::combinatorial},
                                     {.clusters = 6, .regularization = 8},
                                     {.clusters = 6, .features = 70},
                                     {.clusters = 6, .features = 20},
                                     {.clusters = 6, .samples = 3000},
                                     {.clusters = 6, .samples = 1000000},
                                     {.clusters = 6, .sampling = Sampling::energy},
                                     {.clusters = 6, .lambda_method = LambdaMethod::bisection}};
  int way = 0;
  for (const CompressiveOptions& options : ways) {
    const auto result = compressive_spectral_clustering(planted.graph, options);
    EXPECT_GT(graph::agreement(result.labels, planted.labels).adjusted_rand, 0.97) << "way " << way++;
  }
}

TEST(CompressiveSpectralClustering, IsolatedNodesJoinTheSmallestCluster) {
  testing::Dense w = testing::block_adjacency(2, 20, 0.8, 0.02, 4);
  for (auto& row : w) row.resize(45);
  w.resize(45, std::vector<double>(45));
  for (int j = 0; j < 45; ++j) w[39][j] = w[j][39] = 0;  // one block of 20, one of 19, six isolated nodes
  const auto result =
      compressive_spectral_clustering(testing::to_csr(w, false), {.clusters = 2, .regularization = 0});
  EXPECT_EQ(result.report.figure<std::int64_t>("components"), 7);
  EXPECT_EQ(result.report.figure<std::int64_t>("isolated_nodes"), 6);
  for (int i = 0; i < 45; ++i) EXPECT_EQ(result.labels[i], result.labels[i < 20 ? 0 : 20]) << i;
}

TEST(CompressiveSpectralClustering, RefusesWhatCannotBe) {
  const Csr csr = testing::to_csr(testing::random_adjacency(20, 0.3, false, 1), false);
  const auto code_of = [&](const CompressiveOptions& options) {
    try {
      compressive_spectral_clustering(csr, options);
    } catch (const Error& error) {
      return error.code();
    }
    return ErrorCode::internal;
  };
  EXPECT_EQ(code_of({.clusters = 0}), ErrorCode::invalid_argument);
  EXPECT_EQ(code_of({.clusters = 21}), ErrorCode::invalid_argument);
  EXPECT_EQ(code_of({.clusters = 2, .order = 0}), ErrorCode::invalid_argument);
  EXPECT_EQ(code_of({.clusters = 2, .regularization = -2}), ErrorCode::invalid_argument);
  EXPECT_EQ(code_of({.clusters = 2, .regularization = -0.5}), ErrorCode::invalid_argument);
  EXPECT_EQ(code_of({.clusters = 3, .samples = 2}), ErrorCode::invalid_argument);
  EXPECT_THROW(compressive_spectral_clustering(csr, {.clusters = 2}, testing::limited_memory(100)), Error);
  EXPECT_EQ(code_of({.clusters = 2, .laplacian = graph::LaplacianKind::combinatorial, .regularization = 1}),
            ErrorCode::invalid_argument);
}

TEST(CompressiveSpectralClustering, ReportSaysWhatWasUsed) {
  const auto planted = graph::stochastic_block_model({.nodes = 2000, .clusters = 5, .seed = 1});
  const auto result = compressive_spectral_clustering(planted.graph, {.clusters = 5, .seed = 9});
  const std::string json = result.report.to_json();
  for (const char* word : {"\"lambda_k\"", "\"samples\": 1000", "\"features\": 32", "\"order\": 50",
                           "\"seed\": 9", "\"components\"", "\"assign\": \"nearest\"", "\"k-means\""}) {
    EXPECT_NE(json.find(word), std::string::npos) << word << " in " << json;
  }
}

}  // namespace
}  // namespace parsimony::cluster::compressive_test
