#include "core/kmeans/centroid_groups.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "parsimony/core/random.hpp"

namespace parsimony::centroid_groups_test {
namespace {

TEST(CentroidGroups, HoldEveryCentroidOnceInAscendingOrder) {
  for (const std::int64_t k : {1, 63, 64, 130, 300, 1000}) {
    Matrix<float> centroids(k, 3);
    RandomStream(k, "test.centroids").fill_normal(centroids.values());
    for (std::int64_t c = 0; c < k / 3; ++c)
      centroids(c, 0) = centroids(c, 1) = centroids(c, 2) = 1;  // equal ones
    const CentroidGrouping found = group_centroids(centroids, kCentroidGroups, Context(1));
    EXPECT_EQ(found.groups(), std::clamp<std::int64_t>(k / 64, 1, kCentroidGroups));
    EXPECT_EQ(found.begin.front(), 0);
    EXPECT_EQ(found.begin.back(), k);
    EXPECT_EQ(std::set<std::int32_t>(found.index.begin(), found.index.end()).size(),
              static_cast<std::size_t>(k));
    for (std::int32_t g = 0; g < found.groups(); ++g) {
      EXPECT_LT(found.begin[g], found.begin[g + 1]);
      EXPECT_TRUE(
          std::is_sorted(found.index.begin() + found.begin[g], found.index.begin() + found.begin[g + 1]));
      for (std::int32_t i = found.begin[g]; i < found.begin[g + 1]; ++i)
        EXPECT_EQ(found.bit[found.index[i]], 1 << g);
    }
  }
}

TEST(PointsBySet, HoldsEachPointWithItsSetAndLeavesOutTheEmptyOne) {
  for (const std::int32_t groups : {1, 2, 4, 8}) {
    PointsBySet sorted(256, groups);
    for (const std::int64_t count : {0, 1, 3, 4, 63, 64, 65, 255, 256}) {
      std::vector<std::int32_t> sets(count);
      const RandomStream stream(count + 1000 * groups, "test.sets");
      for (std::int64_t t = 0; t < count; ++t)
        sets[t] = static_cast<std::int32_t>(stream.below(1 << groups, t));
      sorted.sort(sets);
      const auto points = sorted.points();
      EXPECT_EQ(std::ssize(points), count - std::count(sets.begin(), sets.end(), 0));
      EXPECT_EQ(std::set<std::int32_t>(points.begin(), points.end()).size(), points.size());
      std::int32_t end = 0;
      std::set<std::int32_t> seen;
      for (const auto& range : sorted.ranges()) {
        EXPECT_EQ(range.begin, end);
        end = range.end;
        EXPECT_TRUE(seen.insert(range.set).second);
        for (std::int32_t p = range.begin; p < range.end; ++p) {
          EXPECT_EQ(sets[points[p]], range.set);
          EXPECT_EQ(sorted.sets()[p], range.set);
        }
      }
      EXPECT_EQ(end, std::ssize(points));
      for (std::int64_t p = end; p % 64 != 0; ++p) EXPECT_EQ(sorted.sets()[p], 0);
    }
  }
}

// Group 0 holds centroids 0 and 2, group 1 holds centroid 1, which stays.
TEST(CentroidMoves, AreTheTwoFarthestOfEachGroup) {
  const CentroidGrouping groups{{0, 2, 1}, {0, 2, 3}, {1, 2, 1}};
  Matrix<float> before(3, 2), after(3, 2);
  after(0, 0) = 3;
  after(0, 1) = 4;
  after(2, 1) = 13;
  CentroidMoves moves;
  moves.measure(groups, before, after);
  const std::vector<float> nearest_other(3, 1.0f);
  const kernels::GroupMoves found = moves.view(groups, nearest_other.data());
  EXPECT_EQ(found.groups, 2);
  EXPECT_EQ(found.fastest[0], 2);
  EXPECT_EQ(found.fastest[1], -1);
  for (const auto& [fall, exact] : {std::pair{found.first_fall[0], 13.0f}, {found.second_fall[0], 5.0f}}) {
    EXPECT_GE(fall, exact);
    EXPECT_LE(fall, exact * (1 + 0x1p-19f));
  }
  EXPECT_EQ(found.first_fall[1], 0);
  EXPECT_EQ(found.second_fall[1], 0);
  EXPECT_EQ(found.nearest_other, nearest_other.data());
}

}  // namespace
}  // namespace parsimony::centroid_groups_test
