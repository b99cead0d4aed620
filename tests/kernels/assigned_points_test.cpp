#include "kernels/assigned_points.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <vector>

#include "kernels/every_target.hpp"
#include "kernels/random_points.hpp"

namespace parsimony::kernels::assigned_points_test {
namespace {

TEST(AssignedDistances, EqualTheScalarTwin) {
  for_targets([] {
    for (std::int64_t d = 1; d <= kLongest; ++d) {
      const std::int64_t count = d, k = 5;
      const Points points(count, d, d % 2);
      const auto storage = normals(k * d + 1, "test.centroids");
      std::vector<std::int32_t> labels(count);
      for (std::int64_t t = 0; t < count; ++t) labels[t] = static_cast<std::int32_t>(t * 7 % k);
      std::vector<float> distance(count), norm(count), expected_distance(count), expected_norm(count);
      assigned_distances(points.view, count, storage.data() + 1, labels.data(), distance.data(), norm.data());
      scalar::assigned_distances(points.view, count, storage.data() + 1, labels.data(),
                                 expected_distance.data(), expected_norm.data());
      for (std::int64_t t = 0; t < count; ++t) {
        ASSERT_NEAR(distance[t], expected_distance[t], budget(d, expected_distance[t]));
        ASSERT_NEAR(norm[t], expected_norm[t], budget(d, expected_norm[t]));
      }
      std::vector<float> without_norms(count);
      assigned_distances(points.view, count, storage.data() + 1, labels.data(), without_norms.data(),
                         nullptr);
      ASSERT_EQ(without_norms, distance);
    }
  });
}

// float64 sums of float32 products differ by fused rounding only: 2⁻⁵² of the sum of the absolute values per
// addition.
TEST(Accumulate, EqualsTheScalarTwin) {
  for_targets([] {
    for (std::int64_t d = 1; d <= kLongest; ++d) {
      const std::int64_t count = kLongest - d % 5, k = 3;
      const Points points(count, d, d % 2);
      std::vector<std::int32_t> labels(count);
      for (std::int64_t t = 0; t < count; ++t) labels[t] = static_cast<std::int32_t>(t * t % k);
      const auto weights = normals(count, "test.weights");
      for (const float* weight : {static_cast<const float*>(nullptr), weights.data()}) {
        std::vector<double> fast(k * d, 1.0), plain(k * d, 1.0);
        accumulate(points.view, count, labels.data(), weight, fast.data());
        scalar::accumulate(points.view, count, labels.data(), weight, plain.data());
        for (std::int64_t i = 0; i < k * d; ++i)
          ASSERT_NEAR(fast[i], plain[i], double(count) * 0x1p-52 * 20 * count);
      }
    }
  });
}

TEST(WeightedSum, EqualsTheScalarTwin) {
  for_targets([] {
    for (std::int64_t tiles = 0; tiles < 4; ++tiles) {
      const std::int64_t count = tiles * kTile;
      const auto weights = normals(count + 1, "test.weights"), values = normals(count + 1, "test.values");
      double magnitude = 0;
      for (std::int64_t i = 1; i <= count; ++i) magnitude += std::abs(double(weights[i]) * values[i]);
      EXPECT_NEAR(weighted_sum(weights.data() + 1, values.data() + 1, count),
                  scalar::weighted_sum(weights.data() + 1, values.data() + 1, count),
                  double(count) * 0x1p-52 * magnitude);
    }
  });
}

}  // namespace
}  // namespace parsimony::kernels::assigned_points_test
