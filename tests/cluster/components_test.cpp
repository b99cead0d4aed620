// Tests of the rule for components, around every method.
#include "parsimony/cluster/components.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <string>
#include <vector>

#include "dense.hpp"
#include "expect_error.hpp"
#include "graph/graph_checks.hpp"
#include "parsimony/cluster/cluster.hpp"
#include "parsimony/core/random.hpp"
#include "parsimony/graph/generators.hpp"
#include "partition/known_networks.hpp"

namespace parsimony::cluster::components_test {
namespace {

using Labels = std::vector<std::int32_t>;
using Counts = std::vector<std::int64_t>;

constexpr Method kMethods[] = {Method::automatic, Method::compressive, Method::filtered, Method::exact};

// The large graph, `tiny` components of 2, 3, 2, … nodes in a path, and isolated nodes. Nodes of the large
// graph keep their order but not their numbers: the small ones lie between them.
struct Scattered {
  graph::Graph graph;
  std::vector<std::int64_t> of_large;  // its nodes

  Scattered(CsrView large, std::int64_t tiny, std::int64_t isolated) {
    graph::EdgeMap edges;
    std::int64_t next = 0;
    const auto add_tiny = [&](std::int64_t size) {
      for (std::int64_t i = 1; i < size; ++i) edges[{next + i - 1, next + i}] = 1;
      next += size;
    };
    std::int64_t made = 0;
    for (std::int64_t i = 0; i < large.rows(); ++i) {
      if (made < tiny) add_tiny(2 + made++ % 2);
      of_large.push_back(next++);
    }
    while (made < tiny) add_tiny(2 + made++ % 2);
    for (std::int64_t i = 0; i < large.rows(); ++i) {
      for (std::int64_t e = large.offsets[i]; e < large.offsets[i + 1]; ++e) {
        if (i < large.columns[e]) edges[{of_large[i], of_large[large.columns[e]]}] = 1;
      }
    }
    graph = graph::graph_of(next + isolated, edges, false);
  }

  Labels labels_of_large(const Labels& labels) const {
    Labels out;
    for (const std::int64_t i : of_large) out.push_back(labels[i]);
    return out;
  }
};

struct Messages {
  std::vector<std::string> texts;
  Context context;
  Messages() {
    context.on_log = [this](LogLevel, std::string_view text) { texts.emplace_back(text); };
  }
};

ComponentSizes sizes_of(std::vector<double> volume, Counts nodes, std::int64_t isolated = 0) {
  ComponentSizes out{.volume = std::move(volume), .nodes = std::move(nodes)};
  out.volume.resize(out.volume.size() + isolated);
  out.nodes.resize(out.volume.size(), 1);
  out.components.count = std::ssize(out.nodes);
  out.components.isolated = isolated;
  for (std::size_t c = 0; c < out.nodes.size(); ++c) {
    out.components.label.insert(out.components.label.end(), out.nodes[c], static_cast<std::int32_t>(c));
  }
  return out;
}

TEST(Components, ClustersGoToTheLargeOnes) {
  const auto shares = [](const ComponentSizes& sizes, std::int64_t k) {
    return apportion_clusters(sizes, k).clusters;
  };
  const ComponentSizes one_large = sizes_of({1000, 20, 20, 20}, {500, 10, 10, 10});
  EXPECT_EQ(shares(one_large, 1), (Counts{1, 0, 0, 0}));
  EXPECT_EQ(shares(one_large, 9), (Counts{9, 0, 0, 0}));
  EXPECT_EQ(shares(one_large, 13), (Counts{10, 1, 1, 1})) << "a fifth of the mean volume of 10 clusters";
  // Two large ones share them, and a tenth of the volume makes a second cluster.
  EXPECT_EQ(shares(sizes_of({600, 400, 1, 1}, {300, 200, 2, 2}), 10), (Counts{6, 4, 0, 0}));
  EXPECT_EQ(shares(sizes_of({1000, 101}, {500, 50}), 2), (Counts{1, 1}));
  EXPECT_EQ(shares(sizes_of({1000, 99}, {500, 50}), 2), (Counts{2, 0}));
  // Components of equal size are not divided while there are enough of them.
  EXPECT_EQ(shares(sizes_of(std::vector<double>(8, 6), Counts(8, 3)), 5), (Counts{1, 1, 1, 1, 1, 0, 0, 0}));
}

TEST(Components, SmallOnesAndIsolatedNodesGetClustersWhereKNeedsThem) {
  // Two cliques of 6 nodes: pairs, then isolated nodes are clusters before a clique is divided.
  const ComponentSizes sizes = sizes_of({30, 30, 2, 2}, {6, 6, 2, 2}, 5);
  EXPECT_EQ(apportion_clusters(sizes, 3).clusters, (Counts{1, 1, 1, 0, 0, 0, 0, 0, 0}));
  Apportionment shares = apportion_clusters(sizes, 7);
  EXPECT_EQ(shares.clusters, (Counts{1, 1, 1, 1, 0, 0, 0, 0, 0}));
  EXPECT_EQ(shares.clusters_of_isolated, 3);
  shares = apportion_clusters(sizes, 11);
  EXPECT_EQ(shares.clusters, (Counts{2, 2, 1, 1, 0, 0, 0, 0, 0}));
  EXPECT_EQ(shares.clusters_of_isolated, 5);
  shares = apportion_clusters(sizes, 21);
  EXPECT_EQ(shares.clusters, (Counts{6, 6, 2, 2, 0, 0, 0, 0, 0}));
  expect_error(ErrorCode::invalid_argument, "clusters: 22 is more than the 21 nodes",
               [&] { apportion_clusters(sizes, 22); });
  expect_error(ErrorCode::invalid_argument, "clusters", [&] { apportion_clusters(sizes, 0); });
}

// The rule of D'Hondt: no component would pay more for one more cluster than another has paid for its last.
TEST(Components, NoClusterWouldBeWorthMoreElsewhere) {
  const RandomStream random(3, "test.components");
  for (std::uint64_t trial = 0; trial < 200; ++trial) {
    std::uint64_t at = 1000 * trial;
    std::vector<double> volume(1 + random.below(12, at++));
    for (double& v : volume) v = std::exp(8 * random.uniform(at++));
    const Counts nodes(volume.size(), 1000);
    const auto k = static_cast<std::int64_t>(1 + random.below(100, at++));
    const Counts got = apportion_clusters(sizes_of(volume, nodes), k).clusters;
    EXPECT_EQ(std::accumulate(got.begin(), got.end(), std::int64_t{0}), k);
    double most_wanted = 0, least_paid = INFINITY;
    for (std::size_t c = 0; c < got.size(); ++c) {
      const auto price = [&](std::int64_t n) {
        return volume[c] / static_cast<double>(n) * (n == 1 ? 5 : 1);
      };
      most_wanted = std::max(most_wanted, price(got[c] + 1));
      if (got[c] > 0) least_paid = std::min(least_paid, price(got[c]));
    }
    EXPECT_LE(most_wanted, least_paid) << "trial " << trial;
  }
}

// The best partition of the club into four has modularity .4198 [brandes2008modularity]. With twenty separate
// edges, each in the smallest of the four, it is .527.
TEST(Components, OfTheKarateClubAndTwentyPairsTheClubIsDivided) {
  Csr club = partition::testing::karate_club();
  for (std::int32_t i = 34; i < 74; ++i) {
    club.columns.push_back(i ^ 1);
    club.offsets.push_back(club.entries());
  }
  for (const Method method : kMethods) {
    Messages messages;
    const Clustering found = cluster(club, {.method = method, .clusters = 4}, messages.context);
    EXPECT_NEAR(found.scores.modularity, 0.527, 0.001) << enum_name(method);
    EXPECT_EQ(found.report.figure<std::int64_t>("components"), 21);
    EXPECT_EQ(found.report.figure<std::int64_t>("components_joined"), 20);
    ASSERT_EQ(messages.texts.size(), 1u);
    EXPECT_NE(messages.texts[0].find("21 connected components: 1 divided into 4 clusters, 20 small ones (40 "
                                     "nodes) put into the clusters of least volume"),
              std::string::npos)
        << messages.texts[0];
    EXPECT_LT(cluster(club, {.method = method, .clusters = 4, .components = ComponentRule::whole})
                  .scores.modularity,
              0.4);
  }
}

// The large component is divided as if it were alone, and the others level the volumes.
TEST(Components, TinyOnesDoNotChangeTheLargeOne) {
  const auto planted = graph::stochastic_block_model(
      {.nodes = 300, .clusters = 6, .degree = 12, .epsilon_ratio = 0.1, .seed = 4});
  ASSERT_EQ(graph::connected_components(planted.graph).count, 1);
  const Scattered few(planted.graph, 10, 50), many(planted.graph, 3000, 50);
  for (const std::int64_t k : {2, 6, 40}) {
    for (const Method method : kMethods) {
      ClusterOptions options{.method = method, .clusters = k, .seed = 7};
      if (method == Method::automatic) options.effort = Effort::fast;
      const Clustering alone = cluster(planted.graph, options);
      for (const bool are_many : {false, true}) {
        const Scattered& all = are_many ? many : few;
        const Clustering found = cluster(all.graph, options);
        EXPECT_EQ(all.labels_of_large(found.labels), alone.labels)
            << enum_name(method) << ", k = " << k << ", many " << are_many;
        EXPECT_EQ(std::ssize(found.scores.sizes), k);
        EXPECT_EQ(std::accumulate(found.scores.cut.begin(), found.scores.cut.end(), 0.0),
                  std::accumulate(alone.scores.cut.begin(), alone.scores.cut.end(), 0.0))
            << "no tiny component is cut";
        if (!are_many) continue;
        const auto [least, most] = std::ranges::minmax(found.scores.volume);
        const double largest_alone = std::ranges::max(alone.scores.volume);
        EXPECT_LE(most, std::max(largest_alone, least + 4)) << "smaller clusters get more";
      }
    }
  }
}

TEST(Components, TheNumberOfClustersIsThatOfTheLargeOne) {
  const auto planted = graph::stochastic_block_model(
      {.nodes = 500, .clusters = 5, .degree = 16, .epsilon_ratio = 0.1, .seed = 2});
  const Scattered all(planted.graph, 200, 20);
  const ClusterOptions options{.method = Method::compressive, .max_clusters = 9, .seed = 1};
  const Clustering alone = cluster(planted.graph, options), found = cluster(all.graph, options);
  EXPECT_EQ(alone.clusters, 5);
  EXPECT_EQ(found.clusters, 5);
  EXPECT_EQ(found.lambda_k, alone.lambda_k);
  EXPECT_EQ(all.labels_of_large(found.labels), alone.labels);
}

TEST(Components, AWarmStartKeepsTheNumbers) {
  const auto planted = graph::stochastic_block_model(
      {.nodes = 600, .clusters = 6, .degree = 16, .epsilon_ratio = 0.1, .seed = 4});
  const Scattered all(planted.graph, 100, 5);
  for (const Method method : {Method::automatic, Method::compressive, Method::filtered}) {
    ClusterOptions options{.method = method, .clusters = 6};
    Labels earlier = cluster(all.graph, options).labels;
    for (std::int32_t& label : earlier) label = (5 * label + 2) % 6;
    options.warm_start = earlier;
    const Labels again = cluster(all.graph, options).labels;
    const Labels before = all.labels_of_large(earlier), after = all.labels_of_large(again);
    std::int64_t same = 0;
    for (std::size_t i = 0; i < before.size(); ++i) same += before[i] == after[i];
    EXPECT_GE(same, 590) << enum_name(method);
  }
  // Earlier clusters of the tiny components, as from a run on the whole graph: the large one begins anew.
  Labels earlier(all.graph.nodes(), 0);
  for (std::int32_t c = 1; c < 6; ++c) earlier[2 * c] = c;
  for (const std::int64_t i : all.of_large) earlier[i] = 0;
  Messages messages;
  const Clustering found = cluster(all.graph, {.clusters = 6, .warm_start = earlier}, messages.context);
  EXPECT_GT(graph::agreement(all.labels_of_large(found.labels), planted.labels).adjusted_rand, 0.95);
  ASSERT_EQ(messages.texts.size(), 2u);
  EXPECT_NE(messages.texts[1].find("warm start"), std::string::npos) << messages.texts[1];
  earlier[3] = 6;
  expect_error(ErrorCode::invalid_argument, "node 3 has 6; must be from 0 to 5",
               [&] { cluster(all.graph, {.clusters = 6, .warm_start = earlier}); });
}

// Components suffice: no edge is cut. Nodes without edges come last and in equal shares.
TEST(Components, NothingIsCutWhereComponentsSuffice) {
  testing::Dense w = testing::zeros(112);
  for (int i = 0; i < 12; ++i) {
    for (int j = i / 6 * 6; j < i; ++j) w[i][j] = w[j][i] = 1;
  }
  const Csr cliques = testing::to_csr(w, false);
  const Csr pair{.offsets = {0, 1, 2, 2, 2}, .columns = {1, 0}};
  const Csr isolated{.offsets = Counts(1001)};
  for (const Method method : kMethods) {
    SCOPED_TRACE(enum_name(method));
    const auto found = [&](const Csr& graph, std::int64_t k, std::vector<std::string> expected) {
      Messages messages;
      Clustering out = cluster(graph, {.method = method, .clusters = k}, messages.context);
      EXPECT_EQ(messages.texts.size(), expected.size());
      for (std::size_t m = 0; m < std::min(expected.size(), messages.texts.size()); ++m) {
        EXPECT_NE(messages.texts[m].find(expected[m]), std::string::npos) << messages.texts[m];
      }
      return out;
    };
    EXPECT_EQ(found(pair, 2,
                    {"3 connected components: 1 kept as a cluster, 2 nodes without edges put into 1 "
                     "cluster of their own"})
                  .labels,
              (Labels{0, 0, 1, 1}));
    EXPECT_EQ(found(pair, 1, {"put into the cluster of fewest nodes"}).labels, (Labels{0, 0, 0, 0}));
    EXPECT_EQ(found(pair, 3, {}).labels, (Labels{0, 0, 1, 2})) << "each component is a cluster";
    const Clustering twenty = found(cliques, 20, {"100 nodes without edges put into 18 clusters"});
    EXPECT_EQ(twenty.scores.modularity, 0.5);
    EXPECT_EQ(*std::ranges::max_element(twenty.scores.sizes), 6);
    EXPECT_EQ(found(isolated, 1000, {}).labels[999], 999);
    const Clustering seven = found(isolated, 7, {"1000 nodes without edges put into 7 clusters"});
    const auto [least, most] = std::ranges::minmax(seven.scores.sizes);
    EXPECT_EQ(least, 142);
    EXPECT_EQ(most, 143);
  }
}

TEST(Components, TwoComponentsAreTwoClustersWithoutAWord) {
  const Csr two = testing::to_csr(testing::block_adjacency(2, 30, 0.4, 0, 5), false);
  ASSERT_EQ(graph::connected_components(two).count, 2);
  for (const Method method : kMethods) {
    for (const ComponentRule rule : {ComponentRule::automatic, ComponentRule::whole}) {
      Messages messages;
      const Clustering found =
          cluster(two, {.method = method, .clusters = 2, .components = rule}, messages.context);
      EXPECT_TRUE(messages.texts.empty());
      EXPECT_EQ(found.scores.normalized_cut, 0) << enum_name(method);
    }
  }
}

// The same for points: groups far away, each smaller than a tenth of either ring.
TEST(Components, SmallGroupsOfPointsJoinTheOthers) {
  constexpr std::int64_t kRing = 300, kGroups = 5, kGroup = 12;
  Matrix<float> points(2 * kRing + kGroups * kGroup, 2);
  const RandomStream random(1, "test.points");
  Labels truth;
  for (std::int64_t i = 0; i < 2 * kRing; ++i) {
    const double turn = 6.283185307 * random.uniform(i), radius = i < kRing ? 1 : 3;
    points(i, 0) = static_cast<float>(radius * std::cos(turn));
    points(i, 1) = static_cast<float>(radius * std::sin(turn));
    truth.push_back(i < kRing ? 0 : 1);
  }
  for (std::int64_t i = 2 * kRing; i < points.rows(); ++i) {
    points(i, 0) = static_cast<float>(100 * (1 + (i - 2 * kRing) / kGroup) + random.uniform(i));
    points(i, 1) = static_cast<float>(random.normal(i));
  }
  PointClusterOptions options;
  options.cluster.clusters = 2;
  const PointClustering found = cluster_points(points, options);
  EXPECT_EQ(
      graph::agreement(Labels(found.labels.begin(), found.labels.begin() + 2 * kRing), truth).adjusted_rand,
      1);
  EXPECT_EQ(found.report.figure<std::int64_t>("components_joined"), kGroups);
}

}  // namespace
}  // namespace parsimony::cluster::components_test
