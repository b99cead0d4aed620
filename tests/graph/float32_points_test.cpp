// Points in float64 with a large common part, beside distances summed in float64.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "expect_error.hpp"
#include "graph/points/distinct_rows.hpp"
#include "parsimony/core/random.hpp"
#include "parsimony/graph/point_graph.hpp"
#include "parsimony/graph/points.hpp"

namespace parsimony::graph::float32_points_test {
namespace {

Matrix<double> offset_points(std::int64_t n, std::int64_t d, double offset) {
  Matrix<double> points(n, d);
  const RandomStream random(3, "test.offset");
  for (std::int64_t i = 0; i < points.size(); ++i) points.data()[i] = offset + random.normal(i);
  return points;
}

double float64_distance(const Matrix<double>& points, std::int64_t i, std::int64_t j) {
  double square = 0;
  for (std::int64_t c = 0; c < points.cols(); ++c) square += std::pow(points(i, c) - points(j, c), 2);
  return std::sqrt(square);
}

std::vector<std::string> warnings_of(const Matrix<double>& points) {
  std::vector<std::string> warnings;
  Context context(1);
  context.on_log = [&](LogLevel level, std::string_view text) {
    if (level == LogLevel::warning) warnings.emplace_back(text);
  };
  float32_points(points.view(), Metric::euclidean, context);
  return warnings;
}

TEST(Float32Points, NeighboursAreThoseOfFloat64) {
  for (const double offset : {1e6, 1e9, 1.7e12}) {
    const Matrix<double> points = offset_points(150, 3, offset);
    EXPECT_TRUE(warnings_of(points).empty());
    const Points rounded = float32_points(points.view());
    const Neighbors found = nearest_neighbors(rounded.rows, {.neighbors = 6});
    for (std::int64_t i = 0; i < 150; ++i) {
      std::vector<double> truth;
      for (std::int64_t j = 0; j < 150; ++j) {
        if (j != i) truth.push_back(float64_distance(points, i, j));
      }
      std::sort(truth.begin(), truth.end());
      for (std::int64_t r = 0; r < 6; ++r) {
        EXPECT_NEAR(found.distances(i, r), truth[r], 1e-6) << offset;
        EXPECT_NEAR(float64_distance(points, i, found.indices(i, r)), truth[r], 1e-6) << offset;
      }
    }
  }
}

// One value of 0 among times, as files have it where a time is missing: the median stays with the others.
TEST(Float32Points, FarRowsDoNotMoveTheShift) {
  Matrix<double> points(81, 1);
  for (std::int64_t i = 0; i < 80; ++i) points(i, 0) = 1.7e9 + 0.125 * static_cast<double>(i);
  const Points rounded = float32_points(points.view());
  for (std::int64_t i = 1; i < 80; ++i) EXPECT_EQ(rounded.rows(i, 0) - rounded.rows(i - 1, 0), 0.125f);
}

TEST(Float32Points, NothingMovesWhereFloat32IsEnough) {
  EXPECT_TRUE(float32_points(offset_points(200, 2, 1).view()).shift.empty());
  EXPECT_TRUE(float32_points(offset_points(200, 2, 1e9).view(), Metric::cosine).shift.empty());
  Matrix<double> whole(50, 2);  // float32 holds each value
  for (std::int64_t i = 0; i < 100; ++i) whole.data()[i] = 1e6 + static_cast<double>(i % 7);
  EXPECT_TRUE(float32_points(whole.view()).shift.empty());
  whole(3, 1) = std::nan("");
  EXPECT_TRUE(std::isnan(float32_points(whole.view()).rows(3, 1))) << "the search refuses it";
}

TEST(Float32Points, RowsThatFallTogetherAreSaid) {
  Matrix<double> points = offset_points(60, 1, 1e15);  // multiples of 1/8 in float64: some are equal
  for (std::int64_t i = 0; i < 30; ++i) points(i, 0) = 0.001 * static_cast<double>(i);
  const auto warnings = warnings_of(points);
  ASSERT_EQ(warnings.size(), 1u);
  EXPECT_NE(warnings[0].find("different rows"), std::string::npos);
  EXPECT_TRUE(warnings_of(Matrix<double>(20, 2)).empty()) << "copies do not differ";
  points(5, 0) = 1e300;
  expect_error(ErrorCode::invalid_argument, "row 5 of the points has the value 1e+300 in column 0",
               [&] { float32_points(points.view()); });
}

TEST(Float32Points, TheGraphIsThatOfThePointsMovedByHand) {
  const Matrix<double> points = offset_points(120, 2, 0), far = [] {
    Matrix<double> moved = offset_points(120, 2, 0);
    for (double& value : moved.values()) value = std::round(value * 1024) / 1024 + 4e9;
    return moved;
  }();
  Matrix<float> near(120, 2);
  for (std::int64_t i = 0; i < near.size(); ++i) {
    near.data()[i] = static_cast<float>(std::round(points.data()[i] * 1024) / 1024);
  }
  EXPECT_EQ(point_graph(far.view()).graph.adjacency.columns,
            point_graph(near.view()).graph.adjacency.columns);
}

TEST(DistinctRows, AreThoseThatCompareEqual) {
  Matrix<float> rows(400, 3);
  const RandomStream random(9, "test.distinct");
  for (std::int64_t i = 0; i < rows.size(); ++i) {
    const auto value = static_cast<float>(random.below(4, i));
    rows.data()[i] = value == 3 ? -0.0f : value;
  }
  const DistinctRows distinct = distinct_rows<float>(rows.view(), Context(2));
  std::int64_t members = 0;
  for (std::int64_t g = 0; g < distinct.count(); ++g) {
    members += static_cast<std::int64_t>(distinct.group(g).size());
    EXPECT_TRUE(std::is_sorted(distinct.group(g).begin(), distinct.group(g).end()));
    EXPECT_TRUE(g == 0 || distinct.group(g - 1)[0] < distinct.group(g)[0]);
  }
  EXPECT_EQ(members, 400);
  for (std::int64_t i = 0; i < 400; ++i) {
    for (std::int64_t j = 0; j < 400; ++j) {
      const bool equal = std::equal(rows.row(i).begin(), rows.row(i).end(), rows.row(j).begin());
      ASSERT_EQ(distinct.group_of[i] == distinct.group_of[j], equal);
    }
  }
  EXPECT_LE(distinct.count(), 27);
}

}  // namespace
}  // namespace parsimony::graph::float32_points_test
