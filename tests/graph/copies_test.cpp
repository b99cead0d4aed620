// Points with equal rows: their neighbours, and a graph that holds copies together and joins them to others.
#include "graph/points/copies.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <set>
#include <vector>

#include "graph/graph_checks.hpp"
#include "parsimony/core/random.hpp"
#include "parsimony/graph/point_graph.hpp"

namespace parsimony::graph::copies_test {
namespace {

// `different` rows of whole coordinates, each many times, in a mixed order.
Matrix<float> copied_points(std::int64_t n, std::int64_t different, std::uint64_t seed) {
  Matrix<float> points(n, 3);
  const RandomStream random(seed, "test.copies");
  for (std::int64_t i = 0; i < n; ++i) {
    const auto value = static_cast<std::int64_t>(random.below(different, i));
    points(i, 0) = static_cast<float>(value);
    points(i, 1) = static_cast<float>(value * value % 7);
    points(i, 2) = static_cast<float>(value % 2);
  }
  return points;
}

float separation_of(MatrixView<const float> a, std::int64_t i, MatrixView<const float> b, std::int64_t j) {
  double square = 0;
  for (std::int64_t c = 0; c < a.cols; ++c) square += std::pow(static_cast<double>(a(i, c)) - b(j, c), 2);
  return static_cast<float>(std::sqrt(square));
}

// The k nearest by the definition: by distance, then by index.
std::vector<std::int32_t> nearest_by_definition(MatrixView<const float> queries, std::int64_t i,
                                                MatrixView<const float> points, bool leave_out_own,
                                                std::int64_t k) {
  std::vector<std::pair<float, std::int32_t>> all;
  for (std::int64_t j = 0; j < points.rows; ++j) {
    if (!leave_out_own || j != i)
      all.emplace_back(separation_of(queries, i, points, j), static_cast<std::int32_t>(j));
  }
  std::sort(all.begin(), all.end());
  std::vector<std::int32_t> ids;
  for (std::int64_t r = 0; r < k; ++r) ids.push_back(all[r].second);
  return ids;
}

TEST(Copies, NearestNeighboursAreThoseOfTheDefinition) {
  for (const std::int64_t different : {1, 2, 5, 40}) {
    const Matrix<float> points = copied_points(240, different, 1), queries = copied_points(30, 9, 2);
    for (const std::int64_t k : {1, 7, 100}) {
      SCOPED_TRACE(::testing::Message() << different << " different points, k = " << k);
      const Neighbors found = nearest_neighbors(points, {.neighbors = k});
      for (std::int64_t i = 0; i < 240; ++i) {
        const auto row = found.indices.row(i);
        ASSERT_EQ(std::vector<std::int32_t>(row.begin(), row.end()),
                  nearest_by_definition(points, i, points, true, k));
        for (std::int64_t r = 0; r < k; ++r) {
          ASSERT_EQ(found.distances(i, r), separation_of(points, i, points, row[r]));
        }
      }
      const Neighbors of_queries = nearest_neighbors_of(queries, points, {.neighbors = k});
      for (std::int64_t i = 0; i < 30; ++i) {
        const auto row = of_queries.indices.row(i);
        ASSERT_EQ(std::vector<std::int32_t>(row.begin(), row.end()),
                  nearest_by_definition(queries, i, points, false, k));
      }
    }
  }
}

TEST(Copies, ListsOfTheGraphReachTheNearestDifferentPoints) {
  const Matrix<float> points = copied_points(600, 12, 3);
  const DistinctRows distinct = distinct_rows<float>(points.view(), Context(1));
  ASSERT_EQ(distinct.count(), 12);
  for (const std::int64_t k : {2, 3, 10, 30}) {
    const std::int64_t few = most_copies(k, CopyRule::spread);
    const Neighbors found = neighbors_for_graph(points, {.neighbors = k}, Context(2));
    for (std::int64_t i = 0; i < 600; ++i) {
      std::set<std::int32_t> names, groups;
      std::int64_t copies = 0;
      for (std::int64_t r = 0; r < k; ++r) {
        const std::int32_t j = found.indices(i, r);
        ASSERT_NE(j, i);
        ASSERT_TRUE(names.insert(j).second) << "named once";
        ASSERT_EQ(found.distances(i, r), separation_of(points, i, points, j));
        ASSERT_TRUE(r == 0 || found.distances(i, r) >= found.distances(i, r - 1));
        copies += distinct.group_of[j] == distinct.group_of[i];
        groups.insert(distinct.group_of[j]);
      }
      ASSERT_EQ(copies, std::max(few, k - 11)) << "eleven other points, one copy of each";
      ASSERT_EQ(static_cast<std::int64_t>(groups.size()), 1 + std::min<std::int64_t>(11, k - few));
    }
  }
}

// Breadth first; the number of nodes reached from node 0.
std::int64_t reached_nodes(const Graph& graph) {
  std::vector<std::int32_t> queue{0};
  std::vector<bool> seen(static_cast<std::size_t>(graph.nodes()));
  seen[0] = true;
  for (std::size_t at = 0; at < queue.size(); ++at) {
    for (std::int64_t e = graph.adjacency.offsets[queue[at]]; e < graph.adjacency.offsets[queue[at] + 1];
         ++e) {
      const std::int32_t other = graph.adjacency.columns[e];
      if (!seen[other]) queue.push_back(other);
      seen[other] = true;
    }
  }
  return static_cast<std::int64_t>(queue.size());
}

TEST(Copies, TheGraphIsConnectedWhereTheDifferentPointsAre) {
  const Matrix<float> points = copied_points(700, 9, 4);  // nine points of a plane, ten neighbours each
  const Graph graph = point_graph(points).graph;
  EXPECT_EQ(reached_nodes(graph), 700);
  EXPECT_LE(graph.adjacency.entries(), 2 * 10 * 700) << "k neighbours each";
  // Weights to other points are those of points, not the least ones that many copies would give.
  for (const auto& [ends, weight] : edges_of(graph)) EXPECT_GT(weight, 1e-3);
  EXPECT_EQ(reached_nodes(point_graph(points, {.neighbors = {.metric = Metric::manhattan}}).graph), 700);
  const Graph mutual = point_graph(points, {.graph = {.edges = EdgeRule::mutual}}).graph;
  std::int64_t alone = 0;
  for (std::int64_t i = 0; i < 700; ++i)
    alone += mutual.adjacency.offsets[i] == mutual.adjacency.offsets[i + 1];
  EXPECT_EQ(alone, 0) << "copies beside each other name each other";
}

// Comparing all pairs of 20,000 copies took minutes. Most of these points are equal, or all of them.
TEST(Copies, ManyTakeNoLongerThanOtherPoints) {
  constexpr std::int64_t kPoints = 20000;
  for (const std::int64_t different : {1, 8, 200}) {
    Matrix<float> points(kPoints, 4);
    RandomStream(5, "test.few").fill_normal({points.data(), static_cast<std::size_t>(4 * different)});
    if (different == 8) {
      for (std::int64_t i = 8; i < kPoints; ++i)
        std::copy_n(points.row(i % 8).data(), 4, points.row(i).data());
    }
    const PointGraph made = point_graph(points);
    EXPECT_EQ(made.report.figure<std::int64_t>("distinct"), different == 200 ? 201 : different == 1 ? 2 : 8);
    EXPECT_EQ(reached_nodes(made.graph), kPoints);
  }
}

TEST(Copies, SameBytesForAnyNumberOfThreads) {
  const Matrix<float> points = copied_points(3000, 50, 6);
  const Graph one = point_graph(points, {}, Context(1)).graph;
  for (const int threads : {2, 3}) EXPECT_TRUE(same(one, point_graph(points, {}, Context(threads)).graph));
}

}  // namespace
}  // namespace parsimony::graph::copies_test
