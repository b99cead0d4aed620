#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <vector>

#include "cluster/methods/earlier_labels.hpp"
#include "expect_error.hpp"
#include "graph/graph_checks.hpp"
#include "parsimony/cluster/automatic.hpp"
#include "parsimony/cluster/compressive.hpp"
#include "parsimony/cluster/filtered.hpp"
#include "parsimony/core/random.hpp"
#include "parsimony/graph/generators.hpp"
#include "parsimony/graph/scores.hpp"
#include "thread_counts.hpp"

namespace parsimony::cluster::warm_start_test {
namespace {

// A share of the edges, each replaced by one from its smaller end to a node drawn at random.
graph::Graph rewired(const graph::Graph& graph, double share, std::uint64_t seed) {
  const RandomStream stream(seed, "rewire");
  graph::EdgeMap edges;
  std::uint64_t at = 0;
  for (const auto& [ends, weight] : graph::edges_of(graph)) {
    const bool moves = stream.uniform(at++) < share;
    const auto other = moves ? static_cast<std::int64_t>(stream.below(graph.nodes(), at++)) : ends.second;
    if (other != ends.first) edges[std::minmax(ends.first, other)] = 1;
  }
  return graph::graph_of(graph.nodes(), edges, false);
}

double agreement(const std::vector<std::int32_t>& a, const std::vector<std::int32_t>& b) {
  return graph::agreement(a, b).adjusted_rand;
}

// Share of the nodes that have the same number in both.
double same_number(const std::vector<std::int32_t>& a, const std::vector<std::int32_t>& b) {
  std::int64_t same = 0;
  for (std::size_t i = 0; i < a.size(); ++i) same += a[i] == b[i];
  return static_cast<double>(same) / static_cast<double>(a.size());
}

TEST(WarmStart, OnARewiredGraphIsNoWorseThanFromScratchAndKeepsTheNumbers) {
  double cold = 0, warm = 0, cold_filtered = 0, warm_filtered = 0;
  for (const std::uint64_t seed : {1, 2, 3}) {
    const auto planted = graph::stochastic_block_model({.nodes = 4000, .clusters = 20, .seed = seed});
    const graph::Graph later = rewired(planted.graph, 0.05, seed);
    const auto earlier = compressive_spectral_clustering(planted.graph, {.clusters = 20, .seed = seed});
    CompressiveOptions options{.clusters = 20, .seed = seed + 100};
    cold += agreement(compressive_spectral_clustering(later, options).labels, planted.labels) / 3;
    FilteredOptions filtered{.clusters = 20, .seed = seed + 100};
    cold_filtered += agreement(filtered_spectral_clustering(later, filtered).labels, planted.labels) / 3;

    options.lambda_k = filtered.lambda_k = earlier.lambda_k;
    const auto again = compressive_spectral_clustering(later, options, earlier.labels);
    EXPECT_EQ(again.lambda_k, earlier.lambda_k);
    EXPECT_FALSE(again.density.has_value());
    EXPECT_GT(same_number(again.labels, earlier.labels), 0.8);
    warm += agreement(again.labels, planted.labels) / 3;
    const auto filtered_again = filtered_spectral_clustering(later, filtered, earlier.labels);
    EXPECT_GT(same_number(filtered_again.labels, earlier.labels), 0.8);
    warm_filtered += agreement(filtered_again.labels, planted.labels) / 3;
  }
  EXPECT_GE(warm, cold - 0.01);
  EXPECT_GE(warm_filtered, cold_filtered - 0.01);
}

// Numbers are those of the start even where these are others than the clusters would get.
// New nodes (−1) too; every objective keeps the numbers.
TEST(WarmStart, OfTheAutomaticMethodKeepsTheNumbersAndPlacesNewNodes) {
  const auto planted = graph::stochastic_block_model({.nodes = 3000, .clusters = 10, .seed = 5});
  const auto earlier = automatic_clustering(planted.graph, {.clusters = 10});
  ASSERT_GT(agreement(earlier.labels, planted.labels), 0.95);
  // As an earlier run might have numbered them.
  std::vector<std::int32_t> initial = earlier.labels;
  for (std::int32_t& label : initial) label = (3 * label + 1) % 10;
  const std::vector<std::int32_t> numbered = initial;
  for (std::size_t i = 0; i < initial.size(); i += 7) initial[i] = -1;
  const graph::Graph later = rewired(planted.graph, 0.05, 5);
  for (const Aim objective : {Aim::automatic, Aim::likelihood, Aim::modularity}) {
    const auto cold = automatic_clustering(later, {.clusters = 10, .objective = objective});
    const auto warm = automatic_clustering(later, {.clusters = 10, .objective = objective}, initial);
    EXPECT_GE(agreement(warm.labels, planted.labels), agreement(cold.labels, planted.labels) - 0.01);
    EXPECT_GT(same_number(warm.labels, numbered), 0.95);
  }
  initial.pop_back();
  expect_error(ErrorCode::invalid_argument, "initial",
               [&] { automatic_clustering(later, {.clusters = 10}, initial); });
}

TEST(WarmStart, LabelsSpreadAlongTheHeaviestEdges) {
  // 0 – 1 – 2 – 3, and 4 – 5 that no label reaches; 1 – 2 is the weak edge.
  const graph::Graph path =
      graph::graph_of(6, {{{0, 1}, 5.0f}, {{1, 2}, 1.0f}, {{2, 3}, 5.0f}, {{4, 5}, 1.0f}}, true);
  EXPECT_EQ(spread_labels(path, {1, -1, -1, 0, -1, -1}, 2), (std::vector<std::int32_t>{1, 1, 0, 0, 0, 0}));
  // A round for each node: were every node looked at in each, there would be 4·10¹⁰ looks.
  constexpr std::int32_t kLong = 200000;
  Csr long_path;
  for (std::int32_t i = 0; i < kLong; ++i) {
    if (i > 0) long_path.columns.push_back(i - 1);
    if (i + 1 < kLong) long_path.columns.push_back(i + 1);
    long_path.offsets.push_back(long_path.entries());
  }
  std::vector<std::int32_t> ends(kLong, -1);
  ends.front() = 0;
  ends.back() = 1;
  const auto spread = spread_labels(long_path, ends, 2);
  for (std::int32_t i = 0; i < kLong; ++i) ASSERT_EQ(spread[i], i < kLong / 2 ? 0 : 1);
  std::vector<std::int32_t> labels{2, 2, 0, 0, 1, 1};
  keep_numbers(labels, std::vector<std::int32_t>{0, 0, -1, 1, -1, -1}, 3);
  EXPECT_EQ(labels, (std::vector<std::int32_t>{0, 0, 1, 1, 2, 2}));
}

TEST(WarmStart, ClustersKeepWhateverNumbersTheyHad) {
  const auto planted = graph::stochastic_block_model({.nodes = 2000, .clusters = 8, .epsilon_ratio = 0.1});
  std::vector<std::int32_t> renamed = planted.labels;
  for (auto& label : renamed) label = (3 * label + 5) % 8;
  for (const auto& initial : {planted.labels, renamed}) {
    const auto result = compressive_spectral_clustering(planted.graph, {.clusters = 8}, initial);
    EXPECT_GT(same_number(result.labels, initial), 0.97);
  }
}

TEST(WarmStart, NodesWithoutALabelFindTheirCluster) {
  const auto planted = graph::stochastic_block_model({.nodes = 2000, .clusters = 8, .epsilon_ratio = 0.1});
  std::vector<std::int32_t> initial = planted.labels;
  for (std::size_t i = 0; i < initial.size(); i += 2) initial[i] = -1;
  const auto result = filtered_spectral_clustering(planted.graph, {.clusters = 8}, initial);
  EXPECT_GT(same_number(result.labels, planted.labels), 0.97);
}

TEST(WarmStart, TheSameForAnyThreads) {
  const auto planted = graph::stochastic_block_model({.nodes = 3000, .clusters = 6});
  const CompressiveOptions options{.clusters = 6, .lambda_k = 0.4};
  const auto one = compressive_spectral_clustering(planted.graph, options, planted.labels, Context(1));
  for (const int threads : parsimony::testing::kThreadCounts) {
    EXPECT_EQ(
        compressive_spectral_clustering(planted.graph, options, planted.labels, Context(threads)).labels,
        one.labels);
  }
}

TEST(WarmStart, AKnownCutOffIsUsedAsItIs) {
  const auto planted = graph::stochastic_block_model({.nodes = 2000, .clusters = 5});
  const auto found = compressive_spectral_clustering(planted.graph, {.clusters = 5});
  ASSERT_TRUE(found.density.has_value());
  EXPECT_EQ(found.density->eigenvalue(5), found.lambda_k);
  const auto given =
      compressive_spectral_clustering(planted.graph, {.clusters = 5, .lambda_k = found.lambda_k});
  EXPECT_EQ(given.labels, found.labels);
}

TEST(WarmStart, RefusesWhatDoesNotFit) {
  const auto planted = graph::stochastic_block_model({.nodes = 400, .clusters = 4});
  const auto refused = [&](const std::vector<std::int32_t>& initial, const CompressiveOptions& options,
                           const std::string& message) {
    expect_error(ErrorCode::invalid_argument, message,
                 [&] { compressive_spectral_clustering(planted.graph, options, initial); });
  };
  refused(std::vector<std::int32_t>(399), {.clusters = 4}, "initial labels: 399 for a graph of 400 nodes");
  refused(planted.labels, {.clusters = 3}, "must be from 0 to 2");
  refused(planted.labels, {.clusters = 5}, "cluster 4 of 5 has no node with edges");
  refused(std::vector<std::int32_t>(400, -1), {.clusters = 4}, "cluster 0 of 4");
  refused(std::vector<std::int32_t>(400, -2), {.clusters = 4}, "node 0 has -2");
  refused({}, {.clusters = 4, .lambda_k = 2.5}, "lambda_k: 2.5 is above the spectrum, which ends at 2");
  refused({}, {.clusters = 4, .lambda_k = std::numeric_limits<double>::quiet_NaN()}, "lambda_k");
}

}  // namespace
}  // namespace parsimony::cluster::warm_start_test
