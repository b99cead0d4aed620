#include "quant/codes/diagonal_kmeans.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "parsimony/core/kmeans.hpp"
#include "quant/quantized_weights.hpp"

namespace parsimony::quant {
namespace {

// Weights over a range of about a hundredfold, a fifth of them 0.
Matrix<float> random_importance(std::int64_t rows, std::int64_t cols) {
  Matrix<float> out = normals(rows, cols, 9);
  for (float& value : out.values()) value = value < -0.8f ? 0.0f : std::exp(value);
  return out;
}

double weighted_distance(std::span<const float> x, std::span<const float> a, std::span<const float> c) {
  double sum = 0;
  for (std::size_t j = 0; j < x.size(); ++j) sum += a[j] * (double(x[j]) - c[j]) * (double(x[j]) - c[j]);
  return sum;
}

Matrix<float> first_rows(const Matrix<float>& points, std::int64_t k) {
  Matrix<float> out(k, points.cols());
  std::copy_n(points.data(), out.size(), out.data());
  return out;
}

TEST(DiagonalKMeans, AssignsToTheNearestByTheWeightedDistance) {
  for (const std::int64_t d : {1, 3, 8, 9}) {
    const Matrix<float> points = normals(3000, d, 1), importance = random_importance(3000, d);
    const Matrix<float> centroids = normals(37, d, 2);
    const auto labels = diagonal_nearest(points, importance, centroids, Context{});
    for (std::int64_t i = 0; i < 3000; ++i) {
      double least = std::numeric_limits<double>::infinity(), mass = 0;
      for (const float a : importance.row(i)) mass += a;
      for (std::int64_t c = 0; c < 37; ++c) {
        least = std::min(least, weighted_distance(points.row(i), importance.row(i), centroids.row(c)));
      }
      ASSERT_NEAR(weighted_distance(points.row(i), importance.row(i), centroids.row(labels[i])), least,
                  1e-5 * (least + 10 * mass));
    }
  }
}

TEST(DiagonalKMeans, DescendsToAFixedPoint) {
  const std::int64_t n = 2500, d = 5, k = 13;
  const Matrix<float> points = normals(n, d, 1), importance = random_importance(n, d);
  const auto result = diagonal_kmeans(points, importance, first_rows(points, k), 1000, Context{});
  ASSERT_TRUE(result.converged);
  for (std::size_t i = 1; i < result.history.size(); ++i) {
    EXPECT_LE(result.history[i], result.history[i - 1] * (1 + 1e-7));
  }
  double objective = 0;
  Matrix<double> sums(k, d), masses(k, d);
  for (std::int64_t i = 0; i < n; ++i) {
    const auto own = result.labels[i];
    objective += weighted_distance(points.row(i), importance.row(i), result.centroids.row(own));
    for (std::int64_t j = 0; j < d; ++j) {
      sums(own, j) += double(importance(i, j)) * points(i, j);
      masses(own, j) += importance(i, j);
    }
  }
  EXPECT_NEAR(objective, result.history.back(), 1e-9 * objective);
  for (std::int64_t c = 0; c < k; ++c) {
    for (std::int64_t j = 0; j < d; ++j) EXPECT_NEAR(result.centroids(c, j), sums(c, j) / masses(c, j), 1e-6);
  }
}

// With one weight per point it is weighted k-means, and that is k-means of repeated points.
TEST(DiagonalKMeans, WeightsCountAsRepetitions) {
  const std::int64_t n = 600, d = 4, k = 7;
  const Matrix<float> points = normals(n, d, 1);
  Matrix<float> importance(n, d), repeated(2 * n, d);
  std::int64_t rows = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    std::ranges::fill(importance.row(i), static_cast<float>(1 + i % 3));
    for (std::int64_t copy = 0; copy < 1 + i % 3; ++copy)
      std::ranges::copy(points.row(i), repeated.row(rows++).begin());
  }
  ASSERT_EQ(rows, 2 * n);
  const auto once = diagonal_kmeans(points, importance, first_rows(points, k), 1000, Context{});
  const auto often =
      kmeans(repeated, {}, {.clusters = k, .max_iterations = 1000, .tolerance = 0}, first_rows(points, k));
  EXPECT_NEAR(once.history.back(), often.objective, 1e-4 * often.objective);
}

// Values without importance may be anything.
TEST(DiagonalKMeans, CoordinatesWithoutImportanceSayNothing) {
  const std::int64_t n = 1500, d = 6, k = 11;
  Matrix<float> points = normals(n, d, 1);
  const Matrix<float> importance = random_importance(n, d);
  const Matrix<float> seeds = rank_one_kmeans(points, importance, k, 5, 3, Context{});
  const auto before = diagonal_kmeans(points, importance, seeds, 30, Context{});
  for (std::int64_t i = 0; i < points.size(); ++i) {
    if (importance.data()[i] == 0) points.data()[i] = 1e6f;
  }
  const Matrix<float> again = rank_one_kmeans(points, importance, k, 5, 3, Context{});
  EXPECT_TRUE(std::ranges::equal(seeds.values(), again.values()));
  const auto after = diagonal_kmeans(points, importance, again, 30, Context{});
  EXPECT_EQ(before.labels, after.labels);
  EXPECT_TRUE(std::ranges::equal(before.centroids.values(), after.centroids.values()));
}

// Importance of rank one is k-means of scaled points with weights: nothing is left to do after the start.
TEST(DiagonalKMeans, StartsAtTheSolutionOfRankOneImportance) {
  const std::int64_t n = 2000, d = 3, k = 9;
  const Matrix<float> points = normals(n, d, 1);
  Matrix<float> importance(n, d);
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t j = 0; j < d; ++j) importance(i, j) = static_cast<float>((1 + i % 5) * (1 + 3 * j));
  }
  const auto result = diagonal_kmeans(
      points, importance, rank_one_kmeans(points, importance, k, 1000, 1, Context{}), 1000, Context{});
  EXPECT_LE(result.iterations, 3);
  EXPECT_NEAR(result.history.front(), result.history.back(), 1e-4 * result.history.back());
}

TEST(DiagonalKMeans, FillsEmptyClusters) {
  const std::int64_t n = 500, d = 2, k = 20;
  const Matrix<float> points = normals(n, d, 1);
  Matrix<float> importance(n, d), same(k, d);
  std::ranges::fill(importance.values(), 1.0f);
  const auto result = diagonal_kmeans(points, importance, same, 50, Context{});
  std::set<std::int32_t> used(result.labels.begin(), result.labels.end());
  EXPECT_EQ(std::ssize(used), k);
  for (std::size_t i = 1; i < result.history.size(); ++i)
    EXPECT_LE(result.history[i], result.history[i - 1] * (1 + 1e-7));
}

TEST(DiagonalKMeans, SameBytesForAnyNumberOfThreads) {
  const std::int64_t n = 20000, d = 4;
  const Matrix<float> points = normals(n, d, 1), importance = random_importance(n, d);
  const auto one = diagonal_kmeans(points, importance, first_rows(points, 16), 10, Context(1));
  for (const int threads : {2, 3, 8}) {
    const auto many = diagonal_kmeans(points, importance, first_rows(points, 16), 10, Context(threads));
    EXPECT_EQ(one.labels, many.labels);
    EXPECT_EQ(one.history, many.history);
    EXPECT_TRUE(std::ranges::equal(one.centroids.values(), many.centroids.values()));
  }
}

}  // namespace
}  // namespace parsimony::quant
