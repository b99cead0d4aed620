#include "parsimony/graph/neighbor_graph.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "expect_error.hpp"
#include "graph/graph_checks.hpp"
#include "parsimony/core/random.hpp"

namespace parsimony::graph::neighbor_graph_test {
namespace {

Matrix<float> normal_points(std::int64_t n, std::int64_t d, std::uint64_t seed) {
  Matrix<float> points(n, d);
  RandomStream(seed, "test.points").fill_normal(points.values());
  return points;
}

bool lists(const Neighbors& neighbors, std::int64_t i, std::int64_t j) {
  const auto row = neighbors.indices.row(i);
  return std::find(row.begin(), row.end(), j) != row.end();
}

double euclidean(const Matrix<float>& points, std::int64_t i, std::int64_t j) {
  double square = 0;
  for (std::int64_t c = 0; c < points.cols(); ++c) {
    square += std::pow(static_cast<double>(points(i, c)) - points(j, c), 2);
  }
  return std::sqrt(square);
}

// Every pair of points, by the definition.
TEST(NeighborGraph, EdgesAreTheUnionOrTheIntersection) {
  const Matrix<float> points = normal_points(250, 4, 1);
  const Neighbors neighbors = nearest_neighbors(points, {.neighbors = 6});
  for (const NeighborWeights weights :
       {NeighborWeights::binary, NeighborWeights::gaussian, NeighborWeights::self_tuning}) {
    const Graph either = neighbor_graph(neighbors, {.weights = weights});
    const Graph both = neighbor_graph(neighbors, {.edges = EdgeRule::mutual, .weights = weights});
    EXPECT_EQ(either.weighted(), weights != NeighborWeights::binary);
    const EdgeMap united = edges_of(either), mutual = edges_of(both);
    for (std::int64_t i = 0; i < 250; ++i) {
      for (std::int64_t j = i + 1; j < 250; ++j) {
        EXPECT_EQ(united.count({i, j}) == 1, lists(neighbors, i, j) || lists(neighbors, j, i));
        EXPECT_EQ(mutual.count({i, j}) == 1, lists(neighbors, i, j) && lists(neighbors, j, i));
      }
    }
    for (const auto& [ends, weight] : mutual) EXPECT_EQ(united.at(ends), weight);
    EXPECT_LT(mutual.size(), united.size());
  }
}

TEST(NeighborGraph, WeightsFollowTheirFormulas) {
  const Matrix<float> points = normal_points(120, 3, 2);
  const Neighbors neighbors = nearest_neighbors(points, {.neighbors = 9});
  double mean = 0;
  for (std::int64_t i = 0; i < 120; ++i) mean += neighbors.distances(i, 8) / 120;
  for (const auto& [ends, weight] :
       edges_of(neighbor_graph(neighbors, {.weights = NeighborWeights::gaussian}))) {
    const double distance = euclidean(points, ends.first, ends.second);
    EXPECT_NEAR(weight, std::exp(-distance * distance / (2 * mean * mean)), 1e-5);
  }
  for (const auto& [ends, weight] :
       edges_of(neighbor_graph(neighbors, {.weights = NeighborWeights::gaussian, .bandwidth = 0.5}))) {
    const double distance = euclidean(points, ends.first, ends.second);
    EXPECT_NEAR(weight, std::exp(-2 * distance * distance), 1e-5);
  }
  for (const auto& [ends, weight] :
       edges_of(neighbor_graph(neighbors, {.weights = NeighborWeights::self_tuning}))) {
    const double distance = euclidean(points, ends.first, ends.second);
    const double scales =
        static_cast<double>(neighbors.distances(ends.first, 6)) * neighbors.distances(ends.second, 6);
    EXPECT_NEAR(weight, std::exp(-distance * distance / scales), 1e-5);
  }
}

// The weights are functions of ratios of distances: a change of unit changes none.
TEST(NeighborGraph, TheUnitOfThePointsDoesNotMatter) {
  Matrix<float> points = normal_points(200, 3, 3);
  const Graph before = neighbor_graph(nearest_neighbors(points));
  for (const float factor : {0x1p40F, 0x1p-60F, 0x1p-80F}) {  // to 2⁻¹⁰⁰, of which float32 has no square
    for (float& value : points.values()) value *= factor;
    const Graph after = neighbor_graph(nearest_neighbors(points));
    EXPECT_EQ(before.adjacency.columns, after.adjacency.columns);
    for (std::size_t e = 0; e < before.adjacency.values.size(); ++e) {
      EXPECT_NEAR(before.adjacency.values[e], after.adjacency.values[e], 1e-5);
    }
  }
}

TEST(NeighborGraph, CosineWeightsAreThoseOfUnitVectors) {
  Matrix<float> points = normal_points(150, 5, 4);
  const Graph cosine = neighbor_graph(nearest_neighbors(points, {.metric = Metric::cosine}));
  for (std::int64_t i = 0; i < 150; ++i) {
    double norm = 0;
    for (const float value : points.row(i)) norm += static_cast<double>(value) * value;
    for (float& value : points.row(i)) value = static_cast<float>(value / std::sqrt(norm));
  }
  const Graph euclidean_graph = neighbor_graph(nearest_neighbors(points));
  EXPECT_EQ(cosine.adjacency.columns, euclidean_graph.adjacency.columns);
  for (std::size_t e = 0; e < cosine.adjacency.values.size(); ++e) {
    EXPECT_NEAR(cosine.adjacency.values[e], euclidean_graph.adjacency.values[e], 1e-4);
  }
}

// Copies, constant points, one point very far away: weights stay in (0, 1], joined copies weigh 1.
TEST(NeighborGraph, DegeneratePoints) {
  Matrix<float> constant(60, 2);
  Matrix<float> mixed = normal_points(60, 2, 5);
  for (std::int64_t i = 0; i < 30; ++i) std::copy_n(mixed.row(0).data(), 2, mixed.row(i).data());
  mixed(59, 0) = 1e12f;
  for (const Matrix<float>& points : {constant, mixed}) {
    for (const NeighborWeights weights : {NeighborWeights::gaussian, NeighborWeights::self_tuning}) {
      const auto edges = edges_of(neighbor_graph(nearest_neighbors(points), {.weights = weights}));
      EXPECT_FALSE(edges.empty());
      for (const auto& [ends, weight] : edges) {
        EXPECT_LE(weight, 1);
        EXPECT_GE(weight, 0.99e-30f);
        if (euclidean(points, ends.first, ends.second) == 0) {
          EXPECT_EQ(weight, 1);
        }
      }
    }
  }
}

TEST(NeighborGraph, SameBytesForAnyNumberOfThreads) {
  const Matrix<float> points = normal_points(9000, 3, 6);
  const Neighbors neighbors = nearest_neighbors(points, {.neighbors = 5});
  const Graph one = neighbor_graph(neighbors, {}, Context(1));
  for (const int threads : {2, 3}) EXPECT_TRUE(same(one, neighbor_graph(neighbors, {}, Context(threads))));
}

TEST(NeighborGraph, RefusesWhatIsNoListOfNeighbours) {
  const Neighbors good = nearest_neighbors(normal_points(30, 2, 7), {.neighbors = 3});
  const auto refuse = [](const std::string& piece, const Neighbors& neighbors,
                         const NeighborGraphOptions& options = {}) {
    expect_error(ErrorCode::invalid_argument, piece, [&] { neighbor_graph(neighbors, options); });
  };
  Neighbors bad = good;
  bad.indices(4, 1) = 4;
  refuse("row 4 names point 4", bad);
  bad.indices(4, 1) = 30;
  refuse("row 4 names point 30", bad);
  bad = good;
  bad.distances(2, 0) = std::numeric_limits<float>::quiet_NaN();
  refuse("distances of row 2", bad);
  bad = good;
  bad.distances = Matrix<float>(30, 2);
  refuse("30 × 3 indices but 30 × 2 distances", bad);
  refuse("bandwidth", good, {.bandwidth = -1});
}

}  // namespace
}  // namespace parsimony::graph::neighbor_graph_test
