// Points, weights and what holds for every result of k-means.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <set>
#include <span>
#include <vector>

#include "parsimony/core/kmeans.hpp"
#include "parsimony/core/random.hpp"

namespace parsimony::testing {

// n points around `centers` centres of which the coordinates have standard deviation `apart`.
inline Matrix<float> blobs(std::int64_t n, std::int64_t d, std::int64_t centers, float apart,
                           std::uint64_t seed = 1) {
  Matrix<float> points(n, d), center(centers, d);
  RandomStream(seed, "test.centers").fill_normal(center.values(), 0, apart);
  RandomStream(seed, "test.points").fill_normal(points.values());
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t j = 0; j < d; ++j) points(i, j) += center(i % centers, j);
  }
  return points;
}

inline std::vector<float> random_weights(std::int64_t n) {
  std::vector<float> weights(n);
  const RandomStream stream(5, "test.weights");
  for (std::int64_t i = 0; i < n; ++i) weights[i] = stream.uniform(i) < 0.2 ? 0.0f : float(stream.uniform(i));
  return weights;
}

inline double squared_distance(std::span<const float> a, std::span<const float> b) {
  double sum = 0;
  for (std::size_t j = 0; j < a.size(); ++j) sum += (double(a[j]) - b[j]) * (double(a[j]) - b[j]);
  return sum;
}

inline double objective_of(const Matrix<float>& points, std::span<const float> weights,
                           const KMeansResult& result) {
  double sum = 0;
  for (std::int64_t i = 0; i < points.rows(); ++i) {
    sum += (weights.empty() ? 1 : weights[i]) *
           squared_distance(points.row(i), result.centroids.row(result.labels[i]));
  }
  return sum;
}

inline void expect_partition(const KMeansResult& result, std::int64_t n, std::int64_t k) {
  ASSERT_EQ(std::ssize(result.labels), n);
  std::set<std::int32_t> seen(result.labels.begin(), result.labels.end());
  EXPECT_EQ(std::ssize(seen), k);
  EXPECT_EQ(*seen.begin(), 0);
  EXPECT_EQ(*seen.rbegin(), k - 1);
}

}  // namespace parsimony::testing
