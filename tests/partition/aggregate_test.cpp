#include "parsimony/partition/aggregate.hpp"

#include <gtest/gtest.h>

#include "expect_error.hpp"
#include "parsimony/graph/generators.hpp"
#include "parsimony/partition/objectives.hpp"
#include "partition/small_networks.hpp"
#include "thread_counts.hpp"

namespace parsimony::partition::aggregate_test {
namespace {

using testing::random_surjection;
using testing::SmallNetwork;

std::int64_t some_clusters(const NetworkView& network, std::uint64_t trial) {
  return static_cast<std::int64_t>(1 + RandomStream(trial, "test.k").below(network.nodes(), 0));
}

TEST(Aggregate, HoldsTheSumsOfTheWeightsBetweenClusters) {
  for (std::uint64_t trial = 0; trial < 300; ++trial) {
    const SmallNetwork small(trial);
    const NetworkView network = small;
    const std::int64_t k = some_clusters(network, trial);
    const auto labels = random_surjection(network.nodes(), k, trial);
    std::vector<std::vector<double>> weight(k, std::vector<double>(k));
    std::vector<double> degree(k), loop(k);
    for (std::int64_t i = 0; i < network.nodes(); ++i) {
      degree[labels[i]] += network.degree[i];
      loop[labels[i]] += network.loop_of(i);
      const CsrView& a = network.adjacency;
      for (std::int64_t e = a.offsets[i]; e < a.offsets[i + 1]; ++e) {
        weight[labels[i]][labels[a.columns[e]]] += a.weighted() ? a.values[e] : 1.0;
      }
    }
    const Network coarse = aggregate(network, labels, k);
    const Csr& a = coarse.adjacency;
    ASSERT_EQ(coarse.nodes(), k);
    EXPECT_EQ(coarse.total, network.total);
    EXPECT_EQ(coarse.degree, degree) << "trial " << trial;  // to the bit: volumes are carried over
    for (std::int64_t r = 0; r < k; ++r) {
      EXPECT_NEAR(coarse.loop[r], loop[r] + weight[r][r], 1e-12 * (1 + coarse.degree[r]));
      std::vector<float> row(k);
      for (std::int64_t e = a.offsets[r]; e < a.offsets[r + 1]; ++e) {
        EXPECT_TRUE(e == a.offsets[r] || a.columns[e - 1] < a.columns[e]) << "trial " << trial;
        row[a.columns[e]] = a.values[e];
      }
      weight[r][r] = 0;
      for (std::int64_t s = 0; s < k; ++s) EXPECT_FLOAT_EQ(row[s], static_cast<float>(weight[r][s]));
      for (std::int64_t e = a.offsets[r]; e < a.offsets[r + 1]; ++e) {  // symmetric to the bit
        const auto first = a.columns.begin() + a.offsets[a.columns[e]];
        const auto last = a.columns.begin() + a.offsets[a.columns[e] + 1];
        const auto mirror = std::lower_bound(first, last, r);
        ASSERT_TRUE(mirror != last && *mirror == r);
        EXPECT_EQ(a.values[mirror - a.columns.begin()], a.values[e]);
      }
    }
  }
}

// Every level of Leiden relies on this: a partition of the aggregate has the objective that the partition of
// the nodes is that it stands for.
TEST(Aggregate, KeepsTheModularityOfEveryPartition) {
  for (std::uint64_t trial = 0; trial < 300; ++trial) {
    const SmallNetwork small(trial);
    const NetworkView network = small;
    const std::int64_t parts = some_clusters(network, trial);
    const auto of_part = random_surjection(network.nodes(), parts, trial);
    const Network coarse = aggregate(network, of_part, parts);
    const std::int64_t k = some_clusters(coarse, trial + 1);
    const Partition of_coarse = make_partition(coarse, random_surjection(parts, k, trial + 1), k);
    const Partition of_nodes = make_partition(network, project(of_part, of_coarse.labels), k);
    EXPECT_NEAR(modularity(of_coarse, coarse.total, 1.5), modularity(of_nodes, network.total, 1.5), 1e-6);
  }
}

TEST(Aggregate, IsTheSameForAnyNumberOfThreads) {
  const auto planted = graph::stochastic_block_model({.nodes = 3000, .clusters = 10, .seed = 1});
  const GraphNetwork network = make_network(planted.graph);
  const auto labels = random_surjection(3000, 1500, 1);
  const Network one = aggregate(network, labels, 1500, Context(1));
  for (const int threads : parsimony::testing::kThreadCounts) {
    const Network other = aggregate(network, labels, 1500, Context(threads));
    EXPECT_EQ(one.adjacency.offsets, other.adjacency.offsets);
    EXPECT_EQ(one.adjacency.columns, other.adjacency.columns);
    EXPECT_EQ(one.adjacency.values, other.adjacency.values);
    EXPECT_EQ(one.degree, other.degree);
    EXPECT_EQ(one.loop, other.loop);
  }
}

TEST(WithinClusters, LeavesOutWhatCrosses) {
  for (std::uint64_t trial = 0; trial < 100; ++trial) {
    const SmallNetwork small(trial);
    const NetworkView network = small;
    const std::int64_t k = some_clusters(network, trial);
    const auto labels = random_surjection(network.nodes(), k, trial);
    const Network inside = within_clusters(network, labels);
    EXPECT_EQ(inside.total, network.total);
    const Partition all = make_partition(network, labels, k), within = make_partition(inside, labels, k);
    EXPECT_EQ(within.internal, all.internal);
    EXPECT_EQ(within.volume, all.volume);
    double left = 0;  // every edge that is left is inside
    for (std::int64_t i = 0; i < inside.nodes(); ++i) {
      left += network.loop_of(i);
      for (std::int64_t e = inside.adjacency.offsets[i]; e < inside.adjacency.offsets[i + 1]; ++e) {
        EXPECT_EQ(labels[inside.adjacency.columns[e]], labels[i]);
        left += inside.adjacency.values.empty() ? 1.0 : inside.adjacency.values[e];
      }
    }
    EXPECT_NEAR(left, std::accumulate(all.internal.begin(), all.internal.end(), 0.0), 1e-9 * network.total);
  }
}

TEST(Aggregate, RefusesLabelsThatDoNotFit) {
  const SmallNetwork small(4);
  const NetworkView network = small;
  std::vector<std::int32_t> labels(network.nodes(), 0);
  labels.back() = 2;
  expect_error(ErrorCode::invalid_argument, "is out of range", [&] { aggregate(network, labels, 2); });
  labels.pop_back();
  expect_error(ErrorCode::invalid_argument, "one per node", [&] { aggregate(network, labels, 3); });
}

}  // namespace
}  // namespace parsimony::partition::aggregate_test
