#include "kernels/nearest_centroid.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>

#include "kernels/every_target.hpp"
#include "kernels/random_points.hpp"
#include "parsimony/core/matrix.hpp"
#include "parsimony/core/random.hpp"

namespace parsimony::kernels::nearest_centroid_test {
namespace {

std::vector<float> half_norms(const std::vector<float>& centroids, std::int64_t k, std::int64_t d) {
  std::vector<float> out(k);
  for (std::int64_t c = 0; c < k; ++c) {
    double sum = 0;
    for (std::int64_t j = 0; j < d; ++j) sum += double(centroids[c * d + j]) * centroids[c * d + j];
    out[c] = static_cast<float>(sum / 2);
  }
  return out;
}

TEST(PackTiles, EqualsTheScalarTwin) {
  for_targets([] {
    for (std::int64_t count = 0; count <= kLongest; ++count) {
      for (const std::int64_t d : {1, 2, 3, 4, 5, 7, 8, 11, 16, 27}) {
        for (const bool gathered : {false, true}) {
          const Points points(count, d, gathered);
          Matrix<float> fast(2 * kTile, d), plain(2 * kTile, d);
          std::fill_n(fast.data(), fast.size(), -1.0f);
          std::fill_n(plain.data(), plain.size(), -1.0f);
          pack_tiles(points.view, count, fast.data());
          scalar::pack_tiles(points.view, count, plain.data());
          for (std::int64_t i = 0; i < fast.size(); ++i)
            ASSERT_EQ(fast.data()[i], plain.data()[i]) << count << " " << d;
        }
      }
    }
  });
}

TEST(NearestCentroid, EqualsTheScalarTwin) {
  for_targets([] {
    for (std::int64_t d = 1; d <= kLongest; ++d) {
      for (const std::int64_t k : {1, 2, 3, 4, 5, 6, 7, 9, 13, 64, 67}) {
        const std::int64_t tiles = 1 + d % 2, points = tiles * kTile;
        Matrix<float> packed(points, d);
        RandomStream(d, "test.tiles").fill_normal(packed.values());
        const auto storage = normals(k * d + 1, "test.centroids");
        const std::vector<float> centroids(storage.begin() + 1, storage.end());
        const float* odd = storage.data() + 1;
        const auto half = half_norms(centroids, k, d);
        std::vector<std::int32_t> label(points + 1), expected_label(points);
        std::vector<float> best(points + 1), second(points + 1), expected_best(points),
            expected_second(points);
        nearest_centroid(packed.data(), tiles, d, odd, half.data(), k, label.data() + 1, best.data() + 1,
                         second.data() + 1);
        scalar::nearest_centroid(packed.data(), tiles, d, odd, half.data(), k, expected_label.data(),
                                 expected_best.data(), expected_second.data());
        for (std::int64_t t = 0; t < points; ++t) {
          double norm = 0, largest = 0;
          for (std::int64_t j = 0; j < d; ++j)
            norm += std::pow(packed.data()[(t / kTile * d + j) * kTile + t % kTile], 2);
          for (const float h : half) largest = std::max(largest, 2.0 * h);
          const double error = budget(d, std::sqrt(norm * largest) + largest / 2);
          ASSERT_NEAR(best[t + 1], expected_best[t], error);
          if (k == 1) {
            ASSERT_EQ(second[t + 1], std::numeric_limits<float>::infinity());
          } else {
            ASSERT_NEAR(second[t + 1], expected_second[t], error);
          }
          if (expected_second[t] - expected_best[t] > 2 * error) {
            ASSERT_EQ(label[t + 1], expected_label[t]);
          }
        }
      }
    }
  });
}

// Small integers are exact in float32: labels, scores and ties must agree bit for bit.
TEST(NearestCentroid, TiesGoToTheFirst) {
  for_targets([] {
    for (const std::int64_t d : {1, 2, 8, 33}) {
      for (const std::int64_t k : {2, 5, 8, 21, 40}) {
        Matrix<float> packed(kTile, d);
        std::vector<float> centroids(k * d);
        const RandomStream stream(d * 100 + k, "test.integers");
        for (std::int64_t i = 0; i < packed.size(); ++i) packed.data()[i] = float(stream.below(5, i)) - 2;
        for (std::int64_t i = 0; i < k * d; ++i) centroids[i] = float(stream.below(3, 100000 + i)) - 1;
        for (std::int64_t c = 1; c < k; c += 2) std::copy_n(&centroids[(c / 2) * d], d, &centroids[c * d]);
        const auto half = half_norms(centroids, k, d);
        std::vector<std::int32_t> label(kTile), expected_label(kTile);
        std::vector<float> best(kTile), second(kTile), expected_best(kTile), expected_second(kTile);
        nearest_centroid(packed.data(), 1, d, centroids.data(), half.data(), k, label.data(), best.data(),
                         second.data());
        scalar::nearest_centroid(packed.data(), 1, d, centroids.data(), half.data(), k, expected_label.data(),
                                 expected_best.data(), expected_second.data());
        ASSERT_EQ(label, expected_label);
        ASSERT_EQ(best, expected_best);
        ASSERT_EQ(second, expected_second);
      }
    }
  });
}

// Small integers as above, in groups of unequal sizes that share equal centroids: the nearest is that of the
// groups compared, whatever the neighbours of a point in its vector are compared with.
TEST(NearestInGroups, EqualsTheScalarTwin) {
  for_targets([] {
    for (const std::int64_t d : {1, 2, 8, 9, 33}) {
      for (const std::int64_t k : {4, 11, 40, 67}) {
        const std::int64_t points = 2 * kTile, stride = points + 3;
        Matrix<float> packed(points, d);
        std::vector<float> centroids(k * d);
        const RandomStream stream(d * 100 + k, "test.integers");
        for (std::int64_t i = 0; i < packed.size(); ++i) packed.data()[i] = float(stream.below(5, i)) - 2;
        for (std::int64_t i = 0; i < k * d; ++i) centroids[i] = float(stream.below(3, 100000 + i)) - 1;
        for (std::int64_t c = 0; c < k / 2; ++c)
          std::copy_n(&centroids[c * d], d, &centroids[(k - 1 - c) * d]);
        const auto half = half_norms(centroids, k, d);
        // Numbers of centroids: descending from group to group, ascending within one; the second group has
        // one.
        const auto first = static_cast<std::int32_t>(k / 3), size = static_cast<std::int32_t>(k);
        const std::vector<std::int32_t> begin{0, first, first + 1, size};
        std::vector<std::int32_t> index(k);
        for (std::int32_t g = 0; g < 3; ++g)
          std::iota(index.begin() + begin[g], index.begin() + begin[g + 1], size - begin[g + 1]);
        const CentroidGroups groups{centroids.data(), half.data(), index.data(), begin.data(), 3};
        std::vector<std::int32_t> compare(points), label(points, -7), expected_label(points, -7);
        for (std::int64_t t = 0; t < points; ++t)
          compare[t] = static_cast<std::int32_t>(stream.below(8, 200000 + t));
        std::fill_n(compare.begin() + kTile, kTile / 2, 0);  // whole vectors of points left out
        std::vector<float> others(3 * stride, -7.0f), expected(3 * stride, -7.0f);
        nearest_in_groups(packed.data(), 2, d, groups, compare.data(), label.data(), others.data(), stride);
        scalar::nearest_in_groups(packed.data(), 2, d, groups, compare.data(), expected_label.data(),
                                  expected.data(), stride);
        for (std::int64_t t = 0; t < points; ++t) {
          std::int32_t together = 0;  // at least those of the point; at most those of its tile
          for (std::int64_t s = t / kTile * kTile; s < (t / kTile + 1) * kTile; ++s) together |= compare[s];
          if (compare[t] != together) continue;
          ASSERT_EQ(label[t], expected_label[t]) << d << " " << k << " " << t;
          for (std::int32_t g = 0; g < 3; ++g) ASSERT_EQ(others[g * stride + t], expected[g * stride + t]);
        }
        for (std::int64_t t = kTile; t < kTile + kTile / 2; ++t) ASSERT_EQ(label[t], -7);
        for (std::int32_t g = 0; g < 3; ++g) ASSERT_EQ(others[g * stride + points], -7.0f);
      }
    }
  });
}

// Points of the same groups side by side, as k-means lays them: every value is defined.
TEST(NearestInGroups, ComparesOnlyTheGroupsAskedFor) {
  for_targets([] {
    for (const std::int64_t d : {3, 8}) {
      const std::int64_t k = 30;
      Matrix<float> packed(kTile, d);
      RandomStream(d, "test.tiles").fill_normal(packed.values());
      const auto centroids = normals(k * d, "test.centroids");
      const auto half = half_norms(centroids, k, d);
      std::vector<std::int32_t> index(k);
      std::iota(index.begin(), index.end(), 0);
      const std::vector<std::int32_t> begin{0, 10, 20, 30};
      for (std::int32_t set = 1; set < 8; ++set) {
        const std::vector<std::int32_t> compare(kTile, set);
        std::vector<std::int32_t> label(kTile);
        std::vector<float> others(3 * kTile, -7.0f);
        nearest_in_groups(packed.data(), 1, d, {centroids.data(), half.data(), index.data(), begin.data(), 3},
                          compare.data(), label.data(), others.data(), kTile);
        for (std::int64_t t = 0; t < kTile; ++t) {
          std::vector<double> score(k);
          double best = std::numeric_limits<double>::infinity();
          for (std::int64_t c = 0; c < k; ++c) {
            score[c] = half[c];
            for (std::int64_t j = 0; j < d; ++j)
              score[c] -= double(packed.data()[j * kTile + t]) * centroids[c * d + j];
            if (set >> (c / 10) & 1) best = std::min(best, score[c]);
          }
          ASSERT_NEAR(score[label[t]], best, 1e-5);
          ASSERT_TRUE(set >> (label[t] / 10) & 1);
          for (std::int32_t g = 0; g < 3; ++g) {
            double least = std::numeric_limits<double>::infinity();
            for (std::int64_t c = 10 * g; c < 10 * (g + 1); ++c)
              if (c != label[t]) least = std::min(least, score[c]);
            ASSERT_NEAR(others[g * kTile + t], set >> g & 1 ? least : -7.0, 1e-5);
          }
        }
      }
    }
  });
}

TEST(CandidateDistances, EqualTheScalarTwin) {
  for_targets([] {
    for (std::int64_t d = 1; d <= kLongest; ++d) {
      const std::int64_t k = 1 + d % 11, stride = kTile + 5;
      Matrix<float> packed(kTile, d);
      RandomStream(d, "test.tiles").fill_normal(packed.values());
      const auto centroids = normals(k * d, "test.centroids");
      const auto half = half_norms(centroids, k, d);
      std::vector<float> norms(kTile + 1), current(kTile + 1), fast(k * stride + 1), plain(k * stride);
      double largest = 0;
      for (std::int64_t t = 0; t < kTile; ++t) {
        for (std::int64_t j = 0; j < d; ++j)
          norms[t + 1] += packed.data()[j * kTile + t] * packed.data()[j * kTile + t];
        current[t + 1] = t % 3 == 0 ? norms[t + 1] : std::numeric_limits<float>::max();
        largest = std::max<double>(largest, norms[t + 1]);
      }
      for (const float h : half) largest = std::max(largest, 2.0 * h);
      candidate_distances(packed.data(), 1, d, norms.data() + 1, centroids.data(), half.data(), k,
                          current.data() + 1, fast.data() + 1, stride);
      scalar::candidate_distances(packed.data(), 1, d, norms.data() + 1, centroids.data(), half.data(), k,
                                  current.data() + 1, plain.data(), stride);
      for (std::int64_t i = 0; i < k * stride; ++i)
        ASSERT_NEAR(fast[i + 1], plain[i], 4 * budget(d, largest));
    }
  });
}

// The tests above say nothing unless the targets are really switched.
TEST(Targets, AreThereToTest) {
  EXPECT_GT(hwy::SupportedAndGeneratedTargets().size(), 0u);
  for (const auto target : hwy::SupportedAndGeneratedTargets()) {
    hwy::SetSupportedTargetsForTest(target);
    EXPECT_EQ(hwy::SupportedTargets(), target);
  }
  hwy::SetSupportedTargetsForTest(0);
}

}  // namespace
}  // namespace parsimony::kernels::nearest_centroid_test
