// Tests of the one call, parsimony/cluster/cluster.hpp.
#include "parsimony/cluster/cluster.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "expect_error.hpp"
#include "limited_memory.hpp"
#include "parsimony/cluster/points.hpp"
#include "parsimony/core/random.hpp"
#include "parsimony/graph/generators.hpp"
#include "temporary_directory.hpp"

namespace parsimony::cluster::cluster_test {
namespace {

graph::PlantedGraph planted_blocks(std::int64_t nodes, std::int64_t clusters) {
  return graph::stochastic_block_model(
      {.nodes = nodes, .clusters = clusters, .degree = 16, .epsilon_ratio = 0.1, .seed = 2});
}

// Two concentric rings; the truth is the parity of the row.
Matrix<float> rings(std::int64_t n) {
  Matrix<float> points(n, 3);
  const RandomStream random(1, "rings");
  for (std::int64_t i = 0; i < n; ++i) {
    const double turn = 6.283185307 * random.uniform(i);
    points(i, 0) = static_cast<float>((1 + 2 * (i % 2)) * std::cos(turn));
    points(i, 1) = static_cast<float>((1 + 2 * (i % 2)) * std::sin(turn));
    points(i, 2) = static_cast<float>(0.05 * random.normal(4 * n + i));
  }
  return points;
}

TEST(Cluster, IsTheMethodWithItsDefaultsAndItsScores) {
  const auto planted = planted_blocks(2000, 8);
  EXPECT_EQ(cluster(planted.graph, {.clusters = 8, .seed = 4}).labels,
            automatic_clustering(planted.graph, {.clusters = 8, .seed = 4}).labels);
  EXPECT_EQ(cluster(planted.graph, {.method = Method::compressive, .clusters = 8}).labels,
            compressive_spectral_clustering(planted.graph, {.clusters = 8}).labels);
  EXPECT_EQ(cluster(planted.graph, {.method = Method::exact, .clusters = 8}).labels,
            exact_spectral_clustering(planted.graph, {.clusters = 8}).labels);
  const Clustering filtered =
      cluster(planted.graph, {.method = Method::filtered, .clusters = 8, .order = 40});
  EXPECT_EQ(filtered.labels,
            filtered_spectral_clustering(planted.graph, {.clusters = 8, .order = 40}).labels);
  const auto scores = graph::score_partition(planted.graph, filtered.labels);
  EXPECT_EQ(filtered.scores.modularity, scores.modularity);
  EXPECT_EQ(filtered.scores.cut, scores.cut);
  EXPECT_EQ(filtered.report.stages.back().name, "score");
  EXPECT_FALSE(filtered.choice.has_value());
}

TEST(Cluster, ChoosesTheNumberOfClusters) {
  const auto planted = planted_blocks(2000, 5);
  const Clustering found = cluster(
      planted.graph, {.method = Method::compressive, .min_clusters = 3, .max_clusters = 9, .seed = 1});
  EXPECT_EQ(found.clusters, 5);
  ASSERT_TRUE(found.choice.has_value());
  const ClusterChoice choice =
      choose_number_of_clusters(planted.graph, {.min_clusters = 3, .max_clusters = 9, .seed = 1});
  ASSERT_EQ(found.choice->candidates.size(), choice.candidates.size());
  const auto& stability = found.report.figure<std::vector<double>>("choice_stability");
  for (std::size_t i = 0; i < choice.candidates.size(); ++i)
    EXPECT_EQ(stability[i], choice.candidates[i].stability);
  // The method takes the cut-off that the choice read off, and its density is that of the choice.
  EXPECT_EQ(found.lambda_k, choice.lambda_k);
  ASSERT_TRUE(found.density.has_value());
  EXPECT_EQ(found.density->moments().rows(), choice.density->moments().rows());
  EXPECT_GT(graph::agreement(found.labels, planted.labels).adjusted_rand, 0.97);
}

TEST(Cluster, AnOptionThatTheMethodDoesNotHaveIsRefused) {
  const auto planted = planted_blocks(300, 3);
  const auto refused = [&](const ClusterOptions& options, const std::string& piece) {
    expect_error(ErrorCode::invalid_argument, piece, [&] { cluster(planted.graph, options); });
  };
  refused({.clusters = 3, .order = 9},
          "order: has no effect with option method auto; it belongs to compressive, filtered");
  refused({.method = Method::filtered, .clusters = 3, .samples = 100},
          "samples: has no effect with option method "
          "filtered; it belongs to compressive");
  refused({.method = Method::compressive, .clusters = 3, .effort = Effort::fast}, "it belongs to auto");
  refused({.clusters = 3, .max_clusters = 9}, "max_clusters: has an effect only with option clusters auto");
  refused({.min_clusters = 9, .max_clusters = 4},
          "min_clusters: 9 is more than option max_clusters, which is 4");
  refused({.method = Method::exact, .clusters = 3, .warm_start = planted.labels},
          "warm_start: has no effect with option method exact; it belongs to auto, compressive, filtered");
  refused({.warm_start = planted.labels}, "warm_start: the number of clusters must be");
  refused({.method = Method::compressive, .clusters = 3, .restarts = -1}, "restarts");
}

TEST(Cluster, MemoryIsThatOfTheProcessAndTheRun) {
  const auto planted = planted_blocks(2000, 5);
  const ClusterOptions options{.method = Method::filtered, .clusters = 5};
  const Context context = testing::limited_memory(std::int64_t{1} << 30);
  const std::int64_t run = estimate_memory(planted.graph, FilteredOptions{.clusters = 5}, context);
  const Report report = cluster(planted.graph, options, context).report;
  EXPECT_EQ(report.memory.limit, context.memory.bytes);
  EXPECT_GT(report.memory.estimate, run);  // the graph and the program are in use, too
  EXPECT_LT(report.memory.estimate, context.memory.bytes);
  EXPECT_GT(report.memory.peak, 0);
  expect_error(ErrorCode::memory_limit, "clustering needs about " + std::to_string(run),
               [&] { cluster(planted.graph, options, testing::limited_memory(run / 2)); });
}

TEST(Cluster, MemoryOfSmallComponentsIsNotAskedForWhereTheMethodDoesNotSeeThem) {
#ifdef PARSIMONY_SANITIZED
  GTEST_SKIP() << "a sanitizer's memory counts too";
#endif
  const auto planted = planted_blocks(2000, 5);
  const CsrView large = planted.graph;
  const std::int64_t pairs = 100'000, nodes = large.rows() + 2 * pairs;
  std::vector<std::int64_t> offsets(large.offsets.begin(), large.offsets.end());
  std::vector<std::int32_t> columns(large.columns.begin(), large.columns.end());
  for (std::int64_t i = large.rows(); i < nodes; ++i) {
    columns.push_back(static_cast<std::int32_t>(i % 2 == 0 ? i + 1 : i - 1));
    offsets.push_back(std::ssize(columns));
  }
  const Csr graph{std::move(offsets), std::move(columns), {}};
  for (const ClusterOptions& options :
       {ClusterOptions{.method = Method::filtered, .clusters = 5}, ClusterOptions{.max_clusters = 8}}) {
    const std::int64_t whole = options.clusters > 0
                                   ? estimate_memory(graph, FilteredOptions{.clusters = 5})
                                   : estimate_memory(graph, NumberOfClustersOptions{.max_clusters = 8});
    const Clustering found = cluster(graph, options, testing::limited_memory(whole / 2));
    EXPECT_EQ(std::ssize(found.labels), nodes);
    expect_error(ErrorCode::memory_limit, "needs about", [&] {
      ClusterOptions all = options;
      all.components = ComponentRule::whole;
      cluster(graph, all, testing::limited_memory(whole / 2));
    });
  }
}

TEST(Cluster, AWarmStartByIdsKeepsTheNumbers) {
  const auto planted = planted_blocks(1500, 6);
  const TemporaryDirectory directory;
  const graph::NodeIds ids = graph::NodeIds::consecutive(1500, 100);
  std::string lines;
  for (std::int64_t i = 1499; i > 0; --i) {  // node 100 is new
    lines += ids.name(i) + "\t" + std::to_string((planted.labels[i] + 2) % 6) + "\n";
  }
  const auto path = directory.file("earlier.txt", lines);
  ClusterOptions options{.clusters = 6};
  const std::vector<std::int32_t> initial = read_warm_start(path, ids, options);
  ASSERT_EQ(initial.size(), 1500u);
  EXPECT_EQ(initial[0], -1);
  for (std::size_t i = 1; i < initial.size(); ++i) ASSERT_EQ(initial[i], (planted.labels[i] + 2) % 6);
  options.warm_start = initial;
  for (const Method method : {Method::automatic, Method::compressive, Method::filtered}) {
    options.method = method;
    const Clustering found = cluster(planted.graph, options);
    std::int64_t same = 0;
    for (std::size_t i = 0; i < initial.size(); ++i) same += found.labels[i] == (planted.labels[i] + 2) % 6;
    EXPECT_GT(same, 1470) << enum_name(method);
  }
  const auto refused = [&](const std::string& text, const std::string& piece) {
    const auto file = directory.file("bad.txt", text);
    expect_error(ErrorCode::invalid_argument, piece,
                 [&] { read_warm_start(file, graph::NodeIds::consecutive(4, 1), {.clusters = 2}); });
  };
  refused("1 0\n2 0\n3 1\n4 2\n", "has 3 clusters; option clusters must be as many, not 2");
  refused("1 0\n2 0\n8 1\n9 1\n", "no node of its cluster 1 is in the graph");
  refused("0\n1\n0\n", "has 3 entries without ids for 4 nodes");
}

TEST(ClusterPoints, FollowsClustersOfAnyShapeWithTheDefaultsForPoints) {
  const Matrix<float> points = rings(1500);
  PointClusterOptions options;
  options.cluster.clusters = 2;
  const PointClustering found = cluster_points(points, options);
  std::vector<std::int32_t> truth(1500);
  for (std::size_t i = 0; i < truth.size(); ++i) truth[i] = static_cast<std::int32_t>(i % 2);
  EXPECT_GT(graph::agreement(found.labels, truth).adjusted_rand, 0.99);
  // By hand: the graph of the neighbours, and the compressive method with the options for points.
  const graph::Graph graph = graph::neighbor_graph(graph::nearest_neighbors(points));
  EXPECT_EQ(found.graph.adjacency.columns, graph.adjacency.columns);
  EXPECT_EQ(found.labels, compressive_spectral_clustering(graph, options_for_points(2)).labels);
  const std::string json = found.report.to_json();
  for (const char* text :
       {"\"order\": 200", "\"features\": 96", "\"neighbors\": 10", "\"weights\": \"self_tuning\""})
    EXPECT_NE(json.find(text), std::string::npos) << text << " in " << json;

  Matrix<float> given = points;
  EXPECT_EQ(cluster_points(std::move(given), options).labels, found.labels);
  EXPECT_EQ(given.rows(), 0) << "the points are freed";
  const PointModel model = make_model(points, found, options);
  EXPECT_EQ(assign(model, points).labels, found.labels);
}

TEST(ClusterPoints, ValuesThatAreGivenStand) {
  const Matrix<float> points = rings(600);
  PointClusterOptions options;
  options.cluster.clusters = 2;
  options.cluster.order = 50;
  options.cluster.samples = 300;
  const std::string json = cluster_points(points, options).report.to_json();
  for (const char* text : {"\"order\": 50", "\"samples\": 300", "\"features\": 96"})
    EXPECT_NE(json.find(text), std::string::npos) << text;
  // An error bound chooses features and samples itself.
  PointClusterOptions bounded;
  bounded.cluster.clusters = 2;
  bounded.cluster.error = 0.5;
  EXPECT_EQ(cluster_points(points, bounded).clusters, 2);
  PointClusterOptions automatic;
  automatic.cluster.method = Method::automatic;
  automatic.cluster.clusters = 3;  // two would be the rings, which are components
  EXPECT_EQ(cluster_points(points, automatic).report.algorithm, "automatic clustering");
}

// Two groups of values on a grid, each value many times: copies stay together, and the groups are found,
// which components of copies alone would not show.
TEST(ClusterPoints, CopiesStayTogetherAndReachOtherPoints) {
  Matrix<float> points(640, 2);
  const RandomStream random(7, "grid");
  std::vector<std::int32_t> truth(640);
  for (std::int64_t i = 0; i < 640; ++i) {
    truth[i] = static_cast<std::int32_t>(i % 2);
    points(i, 0) = static_cast<float>(random.below(3, 2 * i) + 12 * (i % 2));
    points(i, 1) = static_cast<float>(random.below(3, 2 * i + 1));
  }
  PointClusterOptions options;
  options.cluster.clusters = 2;
  EXPECT_EQ(graph::agreement(cluster_points(points, options).labels, truth).adjusted_rand, 1);
  // As many clusters as values: one for each.
  options.cluster.clusters = 18;
  const std::vector<std::int32_t> labels = cluster_points(points, options).labels;
  std::set<std::pair<std::int32_t, std::pair<float, float>>> parts;
  for (std::int64_t i = 0; i < 640; ++i) parts.insert({labels[i], {points(i, 0), points(i, 1)}});
  EXPECT_EQ(parts.size(), 18u);
  std::vector<std::string> warnings;
  Context context;
  context.on_log = [&](LogLevel level, std::string_view text) {
    if (level == LogLevel::warning) warnings.emplace_back(text);
  };
  options.cluster.clusters = 40;
  cluster_points(points, options, context);
  EXPECT_TRUE(std::any_of(warnings.begin(), warnings.end(), [](const std::string& text) {
    return text.find("40 is more than the 18 different points") != text.npos;
  }));
}

TEST(ClusterPoints, TheSearchIsRefusedAboveTheLimit) {
  const Matrix<float> points = rings(500);
  PointClusterOptions options;
  options.cluster.clusters = 2;
  expect_error(ErrorCode::memory_limit, "the search for the nearest neighbours needs about",
               [&] { cluster_points(points, options, testing::limited_memory(10000)); });
}

// Saving packs the points several times, more than the search for neighbours copies them.
// While the graph is made, other parts of the process may take the memory that the model would need.
TEST(ClusterPoints, AModelThatCouldNotBeSavedIsRefusedBeforeTheClustering) {
  const std::int64_t n = 200, d = 7500;
  Matrix<float> points(n, d);
  RandomStream(1, "points").fill_normal(points.values());
  PointClusterOptions options;
  options.cluster.clusters = 2;
  Context context(1);
  context.on_progress = [&](std::string_view, std::int64_t, std::int64_t) {
    context.memory.bytes = memory_in_use() + estimate_saving_memory(n, d) / 2;
  };
  EXPECT_EQ(cluster_points(points, options, context).clusters, 2);
  options.saves_model = true;
  context.memory.bytes = 0;
  expect_error(ErrorCode::memory_limit, "writing the model needs about",
               [&] { cluster_points(points, options, context); });
}

}  // namespace
}  // namespace parsimony::cluster::cluster_test
