#include "parsimony/graph/nearest_neighbors.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <stop_token>
#include <vector>

#include "expect_error.hpp"
#include "parsimony/core/random.hpp"

namespace parsimony::graph::nearest_neighbors_test {
namespace {

Matrix<float> normal_points(std::int64_t n, std::int64_t d, std::uint64_t seed) {
  Matrix<float> points(n, d);
  RandomStream(seed, "test.points").fill_normal(points.values());
  return points;
}

// Clusters far apart: most cells are ruled out for most points.
Matrix<float> clustered_points(std::int64_t n, std::int64_t d, std::uint64_t seed) {
  Matrix<float> points = normal_points(n, d, seed);
  const Matrix<float> centres = normal_points(7, d, seed + 1000);
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t j = 0; j < d; ++j) points(i, j) += 30 * centres(i % 7, j);
  }
  return points;
}

double distance_of(MatrixView<const float> a, std::int64_t i, MatrixView<const float> b, std::int64_t j,
                   Metric metric) {
  double product = 0, left = 0, right = 0, square = 0, absolute = 0;
  for (std::int64_t c = 0; c < a.cols; ++c) {
    const double x = a(i, c), y = b(j, c);
    product += x * y;
    left += x * x;
    right += y * y;
    square += (x - y) * (x - y);
    absolute += std::abs(x - y);
  }
  if (metric == Metric::manhattan) return absolute;
  return metric == Metric::cosine ? 1 - product / std::sqrt(left * right) : std::sqrt(square);
}

std::vector<double> sorted_distances(MatrixView<const float> queries, std::int64_t i,
                                     MatrixView<const float> points, bool leave_out_own, Metric metric) {
  std::vector<double> all;
  for (std::int64_t j = 0; j < points.rows; ++j) {
    if (!leave_out_own || i != j) all.push_back(distance_of(queries, i, points, j, metric));
  }
  std::sort(all.begin(), all.end());
  return all;
}

void expect_exact(MatrixView<const float> queries, MatrixView<const float> points, bool leave_out_own,
                  const NeighborOptions& options, const Neighbors& found, double tolerance) {
  ASSERT_EQ(found.indices.rows(), queries.rows);
  ASSERT_EQ(found.indices.cols(), options.neighbors);
  for (std::int64_t i = 0; i < queries.rows; ++i) {
    const auto truth = sorted_distances(queries, i, points, leave_out_own, options.metric);
    std::set<std::int32_t> different;
    for (std::int64_t r = 0; r < options.neighbors; ++r) {
      const std::int32_t j = found.indices(i, r);
      ASSERT_TRUE(j >= 0 && j < points.rows && (!leave_out_own || j != i)) << j;
      EXPECT_TRUE(different.insert(j).second) << "row " << i << " twice has " << j;
      const double distance = found.distances(i, r);
      EXPECT_NEAR(distance, distance_of(queries, i, points, j, options.metric), tolerance * (1 + distance));
      EXPECT_NEAR(distance, truth[r], tolerance * (1 + distance)) << "row " << i << ", neighbour " << r;
      if (r == 0) continue;
      const float before = found.distances(i, r - 1);
      EXPECT_TRUE(before < distance || (before == distance && found.indices(i, r - 1) < j))
          << "equal distances: the smaller index first";
    }
  }
}

TEST(NearestNeighbors, ExactAgreesWithAllPairs) {
  for (const Metric metric : {Metric::euclidean, Metric::cosine, Metric::manhattan}) {
    for (const std::int64_t d : {1, 3, 33}) {
      for (const std::int64_t n : {2, 11, 400}) {
        SCOPED_TRACE(::testing::Message() << n << " × " << d << " " << enum_name(metric));
        const NeighborOptions options{.neighbors = std::min<std::int64_t>(10, n - 1), .metric = metric};
        const Matrix<float> normal = normal_points(n, d, 1), clustered = clustered_points(n, d, 2);
        expect_exact(normal, normal, true, options, nearest_neighbors(normal, options), 2e-6);
        expect_exact(clustered, clustered, true, options, nearest_neighbors(clustered, options), 2e-6);
        const Matrix<float> queries = clustered_points(70, d, 3);
        expect_exact(queries, clustered, false, options, nearest_neighbors_of(queries, clustered, options),
                     2e-6);
      }
    }
  }
}

// Points in two clumps far from each other and from the origin: only differences to a centre near by keep the
// digits that order the neighbours. All coordinates are multiples of 1/64.
TEST(NearestNeighbors, FarFromTheOriginNoDigitsAreLost) {
  Matrix<float> points(600, 3);
  const RandomStream random(4, "test");
  for (std::int64_t i = 0; i < points.size(); ++i) {
    const float clump = i / 3 % 2 ? 20000.0f : -10000.0f;
    points.data()[i] = clump + static_cast<float>(random.below(1000, i)) / 64;
  }
  const NeighborOptions options{.neighbors = 5};
  expect_exact(points, points, true, options, nearest_neighbors(points, options), 1e-6);
}

// Whole coordinates: ties and copies by the dozen, distances without rounding.
TEST(NearestNeighbors, TiesAndCopies) {
  Matrix<float> points(300, 3);
  const RandomStream random(5, "test");
  for (std::int64_t i = 0; i < points.size(); ++i) points.data()[i] = static_cast<float>(random.below(3, i));
  const NeighborOptions options{.neighbors = 12};
  const Neighbors found = nearest_neighbors(points, options);
  expect_exact(points, points, true, options, found, 1e-7);
}

TEST(NearestNeighbors, ConstantPointsHaveTheFirstOnesAsNeighbours) {
  Matrix<float> points(500, 4);
  std::fill_n(points.data(), points.size(), 2.5f);
  for (const Search search : {Search::exact, Search::approximate}) {
    const Neighbors found = nearest_neighbors(points, {.neighbors = 6, .search = search});
    for (std::int64_t i = 0; i < 500; ++i) {
      for (std::int64_t r = 0; r < 6; ++r) EXPECT_EQ(found.distances(i, r), 0);
    }
    EXPECT_EQ(found.indices(499, 0), 0);
    EXPECT_EQ(found.indices(0, 0), 1);
  }
}

TEST(NearestNeighbors, CosineIgnoresLength) {
  Matrix<float> points = normal_points(300, 6, 7);
  const NeighborOptions options{.neighbors = 8, .metric = Metric::cosine};
  const Neighbors before = nearest_neighbors(points, options);
  for (std::int64_t i = 0; i < 300; ++i) {
    for (float& value : points.row(i)) value *= static_cast<float>(1 << (i % 9));  // exact in float32
  }
  const Neighbors after = nearest_neighbors(points, options);
  for (std::int64_t e = 0; e < before.indices.size(); ++e) {
    EXPECT_EQ(before.indices.data()[e], after.indices.data()[e]);
  }
}

// Uniform in a cube of 8 dimensions, where cells help least. The cells searched are chosen on a sample of
// 1000 points and the recall is measured on another: both differ from the whole by sampling alone, and four
// standard errors of either happen to be exceeded once in ten thousand draws.
TEST(NearestNeighbors, RecallIsWhatWasAskedForAndWhatIsReported) {
  constexpr std::int64_t kPoints = 4000, kNeighbors = 10;
  Matrix<float> points(kPoints, 8);
  const RandomStream random(11, "test.uniform");
  for (std::int64_t i = 0; i < points.size(); ++i) points.data()[i] = static_cast<float>(random.uniform(i));
  const Neighbors truth = nearest_neighbors(points, {.neighbors = kNeighbors, .search = Search::exact});
  std::int64_t last_probes = 0;
  for (const double recall : {0.7, 0.9, 0.97}) {
    const Neighbors found =
        nearest_neighbors(points, {.neighbors = kNeighbors, .search = Search::approximate, .recall = recall});
    std::int64_t hits = 0;
    for (std::int64_t i = 0; i < kPoints; ++i) {
      for (std::int64_t r = 0; r < kNeighbors; ++r) {
        hits += found.distances(i, r) <= truth.distances(i, kNeighbors - 1);
      }
    }
    const double actual = static_cast<double>(hits) / (kPoints * kNeighbors);
    const auto reported = found.report.figure<double>("recall");
    const auto error = found.report.figure<double>("recall_standard_error");
    const auto probes = found.report.figure<std::int64_t>("probes");
    const auto cells = found.report.figure<std::int64_t>("cells");
    EXPECT_GT(error, 0);
    EXPECT_LT(error, 0.02);
    EXPECT_GE(actual, recall - 4 * error);
    EXPECT_NEAR(actual, reported, 4 * error);
    EXPECT_GT(probes, last_probes) << "a higher recall takes more cells";
    EXPECT_LT(probes, cells);
    last_probes = probes;
  }
}

// A point that is near by one measure need not be by the other.
TEST(NearestNeighbors, ApproximateManhattanReachesItsRecall) {
  constexpr std::int64_t kPoints = 2000, kNeighbors = 8;
  Matrix<float> points = normal_points(kPoints, 6, 31);
  const NeighborOptions options{
      .neighbors = kNeighbors, .metric = Metric::manhattan, .search = Search::approximate, .recall = 0.9};
  const Neighbors found = nearest_neighbors(points, options);
  std::int64_t hits = 0;
  for (std::int64_t i = 0; i < kPoints; i += 20) {
    const auto truth = sorted_distances(points, i, points, true, Metric::manhattan);
    for (std::int64_t r = 0; r < kNeighbors; ++r) {
      EXPECT_NEAR(found.distances(i, r),
                  distance_of(points, i, points, found.indices(i, r), Metric::manhattan), 1e-5);
      hits += found.distances(i, r) <= truth[kNeighbors - 1] + 1e-6;
    }
  }
  const double error = found.report.figure<double>("recall_standard_error");
  EXPECT_GE(static_cast<double>(hits) / (kPoints / 20 * kNeighbors), 0.9 - 0.05);
  EXPECT_NEAR(found.report.figure<double>("recall"), 0.9, 0.08 + 4 * error);
  EXPECT_LT(found.report.figure<std::int64_t>("probes"), found.report.figure<std::int64_t>("cells"));
}

TEST(NearestNeighbors, RecallOneSearchesEveryCell) {
  const Matrix<float> points = normal_points(800, 5, 13);
  const NeighborOptions options{.neighbors = 7, .search = Search::approximate, .recall = 1};
  expect_exact(points, points, true, options, nearest_neighbors(points, options), 2e-6);
}

// Hardly a cell holds as many points as neighbours are asked for.
TEST(NearestNeighbors, MoreNeighboursThanACellHolds) {
  const Matrix<float> points = clustered_points(150, 4, 17);
  for (const std::int64_t k : {20, 149}) {
    const NeighborOptions options{.neighbors = k, .search = Search::approximate, .recall = 0.1};
    const Neighbors found = nearest_neighbors(points, options);
    for (std::int64_t i = 0; i < 150; ++i) {
      std::set<std::int32_t> row(found.indices.row(i).begin(), found.indices.row(i).end());
      EXPECT_EQ(static_cast<std::int64_t>(row.size()), k);
      EXPECT_EQ(row.count(static_cast<std::int32_t>(i)), 0u);
      EXPECT_TRUE(*row.begin() >= 0 && *row.rbegin() < 150);
    }
  }
}

TEST(NearestNeighbors, SameBytesForAnyNumberOfThreads) {
  const Matrix<float> points = normal_points(5000, 6, 19);
  for (const Search search : {Search::exact, Search::approximate}) {
    const NeighborOptions options{.neighbors = 6, .search = search, .recall = 0.9, .seed = 3};
    const Neighbors one = nearest_neighbors(points, options, Context(1));
    for (const int threads : {2, 3}) {
      const Neighbors other = nearest_neighbors(points, options, Context(threads));
      EXPECT_TRUE(std::equal(one.indices.values().begin(), one.indices.values().end(),
                             other.indices.values().begin()));
      EXPECT_TRUE(std::equal(one.distances.values().begin(), one.distances.values().end(),
                             other.distances.values().begin()));
    }
  }
}

TEST(NearestNeighbors, RefusesWhatCannotBe) {
  Matrix<float> points = normal_points(20, 3, 23);
  const auto refuse = [&](const std::string& piece, const NeighborOptions& options = {}) {
    expect_error(ErrorCode::invalid_argument, piece, [&] { nearest_neighbors(points, options); });
  };
  refuse("neighbors: 20 is more than the 19 other points", {.neighbors = 20});
  refuse("neighbors", {.neighbors = 0});
  refuse("recall", {.recall = 1.5});
  expect_error(ErrorCode::invalid_argument, "neighbors: 21 is more than the 20 points",
               [&] { nearest_neighbors_of(points, points, {.neighbors = 21}); });
  expect_error(ErrorCode::invalid_argument, "queries: rows of 4 values, but those of the points have 3",
               [&] { nearest_neighbors_of(normal_points(5, 4, 1), points); });
  expect_error(ErrorCode::invalid_argument, "no points", [&] { nearest_neighbors(Matrix<float>(4, 0)); });
  points(13, 2) = std::numeric_limits<float>::quiet_NaN();
  refuse("row 13 of the points has the value nan in column 2");
  points(13, 2) = -std::numeric_limits<float>::infinity();
  refuse("row 13 of the points has the value -inf in column 2");
  points(13, 2) = 1e30f;
  refuse("row 13 of the points is too long");
  for (float& value : points.row(13)) value = 0;
  refuse("row 13 of the points is zero", {.metric = Metric::cosine});
  nearest_neighbors(points);
}

TEST(NearestNeighbors, CanBeCancelled) {
  const Matrix<float> points = normal_points(3000, 4, 29);
  for (const char* stage : {"cells", "probes", "neighbors", "recall"}) {
    std::stop_source source;
    Context context(2);
    context.stop = source.get_token();
    context.on_progress = [&](std::string_view name, std::int64_t, std::int64_t) {
      if (name == stage) source.request_stop();
    };
    expect_error(ErrorCode::cancelled, "cancelled",
                 [&] { nearest_neighbors(points, {.search = Search::approximate}, context); });
  }
}

}  // namespace
}  // namespace parsimony::graph::nearest_neighbors_test
