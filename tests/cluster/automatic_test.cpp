#include "parsimony/cluster/automatic.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <set>
#include <stop_token>
#include <string>

#include "cluster/methods/closure.hpp"
#include "dense.hpp"
#include "expect_error.hpp"
#include "limited_memory.hpp"
#include "parsimony/core/random.hpp"
#include "parsimony/graph/generators.hpp"
#include "parsimony/graph/scores.hpp"
#include "parsimony/partition/leiden.hpp"
#include "partition/small_networks.hpp"
#include "thread_counts.hpp"

namespace parsimony::cluster::automatic_test {
namespace {

void expect_exactly(const ClusterResult& result, std::int64_t nodes, std::int64_t clusters) {
  ASSERT_EQ(std::ssize(result.labels), nodes);
  const std::set<std::int32_t> used(result.labels.begin(), result.labels.end());
  EXPECT_EQ(std::ssize(used), clusters);
  EXPECT_EQ(*used.begin(), 0);
  EXPECT_EQ(*used.rbegin(), clusters - 1);
}

// A grid with its diagonals: the neighbours of a node know each other, however finely it is cut.
Csr triangulated_grid(std::int64_t side) {
  testing::Dense w = testing::zeros(side * side);
  for (std::int64_t x = 0; x < side; ++x) {
    for (std::int64_t y = 0; y < side; ++y) {
      const auto join = [&](std::int64_t a, std::int64_t b) {
        if (a < side && b < side) w[x * side + y][a * side + b] = w[a * side + b][x * side + y] = 1;
      };
      join(x + 1, y);
      join(x, y + 1);
      join(x + 1, y + 1);
    }
  }
  return testing::to_csr(w, false);
}

// Components, isolated nodes, weights over ten orders of magnitude, every number of clusters.
TEST(AutomaticClustering, GivesExactlyKClustersOnAnyGraph) {
  const Effort efforts[] = {Effort::fast, Effort::normal};
  const Aim aims[] = {Aim::automatic, Aim::likelihood, Aim::modularity, Aim::ncut};
  for (std::uint64_t trial = 0; trial < 1000; ++trial) {
    const partition::testing::SmallNetwork small(trial);
    const CsrView graph = partition::NetworkView(small).adjacency;
    const auto k = 1 + static_cast<std::int64_t>(RandomStream(trial, "k").below(graph.rows(), 0));
    SCOPED_TRACE(::testing::Message()
                 << "trial " << trial << ", " << graph.rows() << " nodes, " << k << " clusters");
    const auto result = automatic_clustering(
        graph,
        {.clusters = k, .objective = aims[trial / 10 % 4], .effort = efforts[trial % 10 == 0], .seed = trial},
        Context(1));
    expect_exactly(result, graph.rows(), k);
    // Nodes without edges are all in one cluster, and no cluster is made of them alone.
    std::vector<std::int64_t> connected(k), isolated(k);
    for (std::int64_t i = 0; i < graph.rows(); ++i) {
      ++(graph.offsets[i] < graph.offsets[i + 1] ? connected : isolated)[result.labels[i]];
    }
    if (k > std::accumulate(connected.begin(), connected.end(), std::int64_t{0})) continue;
    EXPECT_GT(*std::min_element(connected.begin(), connected.end()), 0);
    EXPECT_LE(std::count_if(isolated.begin(), isolated.end(), [](std::int64_t n) { return n > 0; }), 1);
  }
}

TEST(AutomaticClustering, FindsPlantedClusters) {
  for (const Effort effort : {Effort::fast, Effort::normal}) {
    const auto planted = graph::stochastic_block_model(
        {.nodes = 4000, .clusters = 20, .degree = 16, .epsilon_ratio = 0.2, .seed = 3});
    const auto result = automatic_clustering(planted.graph, {.clusters = 20, .effort = effort});
    expect_exactly(result, 4000, 20);
    EXPECT_GT(graph::agreement(result.labels, planted.labels).adjusted_rand, 0.97) << enum_name(effort);
    EXPECT_EQ(result.report.figure<std::string>("objective_used"), "likelihood");
  }
}

// Where communities, found from single nodes up, have nothing in common with the planted clusters and
// features have.
TEST(AutomaticClustering, TurnsToFeaturesNearTheDetectabilityThreshold) {
  const auto planted = graph::stochastic_block_model(
      {.nodes = 5000, .clusters = 8, .degree = 16, .epsilon_ratio = 0.65, .seed = 2});
  const auto fast = automatic_clustering(planted.graph, {.clusters = 8, .effort = Effort::fast});
  const auto normal = automatic_clustering(planted.graph, {.clusters = 8});
  const double by_communities = graph::agreement(fast.labels, planted.labels).adjusted_rand;
  const double by_features = graph::agreement(normal.labels, planted.labels).adjusted_rand;
  EXPECT_GT(by_features, by_communities + 0.2);
  EXPECT_NE(normal.report.figure<std::string>("candidates").find("features"), std::string::npos);
  EXPECT_GT(normal.lambda_k, 0);
  EXPECT_EQ(fast.lambda_k, 0);
}

TEST(AutomaticClustering, SameBytesForAnyNumberOfThreads) {
  const auto planted = graph::stochastic_block_model(
      {.nodes = 2000, .clusters = 10, .degree = 8, .epsilon_ratio = 0.4, .seed = 3});
  for (const Aim aim : {Aim::likelihood, Aim::modularity}) {
    const AutomaticOptions options{.clusters = 10, .objective = aim, .seed = 5};
    const auto one = automatic_clustering(planted.graph, options, Context(1));
    for (const int threads : parsimony::testing::kThreadCounts) {
      EXPECT_EQ(one.labels, automatic_clustering(planted.graph, options, Context(threads)).labels)
          << threads << " threads";
    }
  }
}

TEST(AutomaticClustering, ReportsEveryCandidateAndTheOneTaken) {
  const auto planted =
      graph::stochastic_block_model({.nodes = 2000, .clusters = 10, .epsilon_ratio = 0.4, .seed = 1});
  const auto result = automatic_clustering(planted.graph, {.clusters = 10, .objective = Aim::likelihood});
  const std::string names = result.report.figure<std::string>("candidates");
  const auto count = static_cast<std::size_t>(1 + std::count(names.begin(), names.end(), ';'));
  for (const char* name : {"candidate_likelihood", "candidate_modularity", "candidate_normalized_cut",
                           "candidate_largest_volume", "candidate_seconds"}) {
    ASSERT_NE(result.report.find_figure<std::vector<double>>(name), nullptr) << name;
    EXPECT_EQ(result.report.figure<std::vector<double>>(name).size(), count) << name;
  }
  const std::string taken = result.report.figure<std::string>("taken");
  ASSERT_NE(names.find(taken), std::string::npos);
  EXPECT_FALSE(result.report.figure<std::string>("taken_because").empty());
  // The scores listed for the one taken are those of the labels.
  const auto place = static_cast<std::size_t>(
      std::count(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(names.find(taken)), ';'));
  const auto scores = graph::score_partition(planted.graph, result.labels);
  EXPECT_NEAR(result.report.figure<std::vector<double>>("candidate_modularity")[place], scores.modularity,
              1e-12);
  EXPECT_NEAR(result.report.figure<std::vector<double>>("candidate_normalized_cut")[place],
              scores.normalized_cut, 1e-9);
}

// Triangles of block models are those of their rates; a triangulated grid has many more than any cut
// explains.
TEST(AutomaticClustering, TakesModularityWhereNoBlockModelExplainsTheTriangles) {
  for (std::uint64_t seed = 0; seed < 3; ++seed) {
    const auto planted = graph::stochastic_block_model({.nodes = 5000,
                                                        .clusters = 25,
                                                        .degree = 20,
                                                        .epsilon_ratio = 0.1,
                                                        .degree_exponent = 3,
                                                        .seed = seed});
    const auto network = partition::make_network(planted.graph);
    const auto truth = partition::make_partition(network, planted.labels);
    EXPECT_NEAR(excess_closure(planted.graph, truth, 25, seed, Context()), 1, 0.15);
  }
  const Csr grid = triangulated_grid(40);
  const auto network = partition::make_network(grid);
  EXPECT_GT(excess_closure(grid, partition::leiden(network).partition, 8, 1, Context()), 4);

  const auto chosen = automatic_clustering(grid, {.clusters = 8});
  EXPECT_EQ(chosen.report.figure<std::string>("objective_used"), "modularity");
  const auto likely = automatic_clustering(grid, {.clusters = 8, .objective = Aim::likelihood});
  EXPECT_GE(graph::score_partition(grid, chosen.labels).modularity,
            graph::score_partition(grid, likely.labels).modularity - 0.01);
}

TEST(AutomaticClustering, RefusesWhatCannotBe) {
  const auto planted = graph::stochastic_block_model({.nodes = 300, .clusters = 3, .seed = 1});
  const auto with = [&](const AutomaticOptions& options) { automatic_clustering(planted.graph, options); };
  expect_error(ErrorCode::invalid_argument, "clusters: 301", [&] { with({.clusters = 301}); });
  expect_error(ErrorCode::invalid_argument, "clusters", [&] { with({.clusters = 0}); });
  expect_error(ErrorCode::memory_limit, "max_memory",
               [&] { automatic_clustering(planted.graph, {.clusters = 3}, testing::limited_memory(1000)); });
  std::stop_source source;
  source.request_stop();
  Context context(1);
  context.stop = source.get_token();
  expect_error(ErrorCode::cancelled, "cancelled",
               [&] { automatic_clustering(planted.graph, {.clusters = 3}, context); });
}

}  // namespace
}  // namespace parsimony::cluster::automatic_test
