#include "parsimony/graph/reorder.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <vector>

#include "graph/graph_checks.hpp"
#include "parsimony/cluster/compressive.hpp"
#include "parsimony/cluster/filtered.hpp"
#include "parsimony/core/random.hpp"
#include "parsimony/graph/generators.hpp"
#include "parsimony/graph/scores.hpp"

namespace parsimony::graph::reorder_test {
namespace {

std::vector<std::int32_t> shuffle(std::int64_t count) {
  const RandomStream stream(3, "shuffle");
  std::vector<std::int32_t> order(count);
  std::iota(order.begin(), order.end(), 0);
  for (std::int64_t i = count - 1; i > 0; --i) std::swap(order[i], order[stream.below(i + 1, i)]);
  return order;
}

// `patches` square grids of side × side nodes in a row, each joined to the next by one edge.
Csr grids(std::int64_t patches, std::int64_t side) {
  const std::int64_t size = side * side;
  Csr out;
  for (std::int64_t node = 0; node < patches * size; ++node) {
    const std::int64_t place = node % size, row = place / side, column = place % side;
    const auto add = [&](bool there, std::int64_t other) {
      if (there) out.columns.push_back(static_cast<std::int32_t>(other));
    };
    add(place == 0 && node > 0, node - 1);
    add(row > 0, node - side);
    add(column > 0, node - 1);
    add(column + 1 < side, node + 1);
    add(row + 1 < side, node + side);
    add(place == size - 1 && node + 1 < patches * size, node + 1);
    std::sort(out.columns.begin() + out.offsets.back(), out.columns.end());
    out.offsets.push_back(std::ssize(out.columns));
  }
  return out;
}

TEST(Reorder, EveryNodeOnceAndTheSameGraph) {
  for (const auto& graph : {random_graph(5000, 4000, Weights::real), random_graph(6000, 9000, Weights::none),
                            Graph{grids(2, 60)}, Graph{}}) {
    const std::vector<std::int32_t> order = ball_order(graph);
    std::vector<std::int32_t> sorted = order, all(graph.nodes());
    std::sort(sorted.begin(), sorted.end());
    std::iota(all.begin(), all.end(), 0);
    ASSERT_EQ(sorted, all);
    EdgeMap renamed;
    const Graph moved{reordered(graph, order)};
    for (const auto& [ends, weight] : edges_of(moved)) {
      renamed[std::minmax<std::int64_t>(order[ends.first], order[ends.second])] = weight;
    }
    EXPECT_EQ(renamed, edges_of(graph));
  }
}

// Each leaf is a ball of its own once the hub has been met, and every ball looks for its first node at the
// hub.
TEST(Reorder, AHubIsNotQuadratic) {
  constexpr std::int32_t kLeaves = 400000;
  Csr star;
  for (std::int32_t leaf = 1; leaf <= kLeaves; ++leaf) star.columns.push_back(leaf);
  star.offsets.push_back(kLeaves);
  for (std::int32_t leaf = 1; leaf <= kLeaves; ++leaf) {
    star.columns.push_back(0);
    star.offsets.push_back(star.entries());
  }
  std::vector<std::int32_t> order = ball_order(star);
  EXPECT_EQ(order[0], 0);
  std::sort(order.begin(), order.end());
  for (std::int32_t i = 0; i <= kLeaves; ++i) ASSERT_EQ(order[i], i);
}

TEST(Reorder, NeighboursOfAMeshComeClose) {
  const Csr mesh = grids(4, 100);
  const Csr shuffled = reordered(mesh, shuffle(mesh.rows()));
  const auto nearby = [](const Csr& a) {
    std::int64_t count = 0;
    for (std::int64_t i = 0; i < a.rows(); ++i) {
      for (auto e = a.offsets[i]; e < a.offsets[i + 1]; ++e) count += std::abs(a.columns[e] - i) < kBallSize;
    }
    return static_cast<double>(count) / static_cast<double>(a.entries());
  };
  EXPECT_LT(nearby(shuffled), 0.25);
  EXPECT_GT(nearby(reordered(shuffled, ball_order(shuffled))), 0.9);
}

TEST(Reorder, PaysForMeshesInNoOrderAlone) {
  const Csr mesh = grids(4, 100);
  EXPECT_FALSE(ordering_pays(mesh)) << "it has an order";
  EXPECT_TRUE(ordering_pays(reordered(mesh, shuffle(mesh.rows()))));
  EXPECT_FALSE(ordering_pays(stochastic_block_model({.nodes = 40000}).graph)) << "there is none";
  const Csr small = grids(1, 100);
  EXPECT_FALSE(ordering_pays(reordered(small, shuffle(small.rows())))) << "a cache holds it";
  EXPECT_FALSE(ordering_pays(Csr{})) << "empty";
}

// Clusters with hardly an edge between them: a ball holds one of them and a piece of the next.
TEST(Reorder, ClustersAreThoseOfTheNodesAsTheyCame) {
  const BlockModelOptions model{.nodes = 33000, .clusters = 11, .degree = 10, .epsilon_ratio = 0.004};
  const PlantedGraph planted = stochastic_block_model(model);
  const auto& truth = planted.labels;
  ASSERT_TRUE(ordering_pays(planted.graph));
  const auto share_kept = [&](const cluster::ClusterResult& result) {
    std::int64_t same = 0;
    for (std::size_t i = 0; i < truth.size(); ++i) same += result.labels[i] == truth[i];
    return static_cast<double>(same) / static_cast<double>(truth.size());
  };
  cluster::CompressiveOptions options{.clusters = 11, .restarts = 2};
  const auto ordered = cluster::compressive_spectral_clustering(planted.graph, options, Context(2));
  EXPECT_EQ(ordered.report.stages.front().name, "order");
  EXPECT_GT(agreement(ordered.labels, truth).adjusted_rand, 0.99);
  EXPECT_EQ(cluster::compressive_spectral_clustering(planted.graph, options, Context(3)).labels,
            ordered.labels);

  // The labels of a warm start go through the order and back.
  const auto warm = cluster::filtered_spectral_clustering(
      planted.graph, {.clusters = 11, .lambda_k = ordered.lambda_k}, truth, Context(2));
  EXPECT_EQ(warm.report.stages.front().name, "order");
  EXPECT_GT(share_kept(warm), 0.99);

  Context context(2);
  context.memory.bytes = std::int64_t{1} << 34;
  const auto limited = cluster::compressive_spectral_clustering(planted.graph, options, context);
  EXPECT_NE(limited.report.stages.front().name, "order");
  EXPECT_GT(agreement(limited.labels, truth).adjusted_rand, 0.99);
  context.memory.source = LimitSource::cgroup;  // results must not depend on the machine
  const auto contained = cluster::compressive_spectral_clustering(planted.graph, options, context);
  EXPECT_EQ(contained.labels, ordered.labels);
  EXPECT_EQ(contained.report.stages.front().name, "order");
}

}  // namespace
}  // namespace parsimony::graph::reorder_test
