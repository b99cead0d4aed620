#include "kernels/hamerly_bounds.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "kernels/every_target.hpp"
#include "parsimony/core/random.hpp"

namespace parsimony::kernels::hamerly_bounds_test {
namespace {

constexpr std::int64_t kLongest = 67, kClusters = 5;
constexpr ScoreError kError{0x1p-19f, 3.0f, 0x1p-110f};

std::vector<float> uniform(std::int64_t count, const char* name, float low, float high) {
  const RandomStream stream(7, name);
  std::vector<float> out(count);
  for (std::int64_t i = 0; i < count; ++i)
    out[i] = low + (high - low) * static_cast<float>(stream.uniform(i));
  return out;
}

constexpr std::int32_t kGroups = 3;
constexpr std::int64_t kStride = kLongest + 3;

// Centroids 0 to 4 in the groups 0, 1, 2, 0, 1.
struct Case {
  std::vector<std::int32_t> label{std::vector<std::int32_t>(kLongest)};
  std::vector<float> distance = uniform(kLongest, "test.distance", 0, 4);
  std::vector<float> norm = uniform(kLongest, "test.norm", 0, 9);
  std::vector<float> lower = uniform(kGroups * kStride, "test.lower", 0, 3);
  std::vector<float> nearest_other = uniform(kClusters, "test.other", 0, 5);
  std::vector<float> first{0.25f, 0.5f, 0.75f}, second{0.125f, 0.0f, 0.5f};
  std::vector<std::int32_t> fastest{3, 1, 2}, bit{1, 2, 4, 1, 2};
  GroupMoves moves{kGroups, first.data(), second.data(), fastest.data(), nearest_other.data(), bit.data()};

  Case() {
    for (std::int64_t t = 0; t < kLongest; ++t) label[t] = static_cast<std::int32_t>(t * t % kClusters);
  }
};

TEST(GroupsToCompare, EqualTheScalarTwin) {
  for_targets([] {
    for (std::int64_t count = 0; count <= kLongest; ++count) {
      const Case in;
      auto lower = in.lower, plain_lower = in.lower;
      std::vector<std::int32_t> compare(kLongest, -77), plain_compare(kLongest, -77);
      groups_to_compare(kError, in.moves, in.label.data(), in.distance.data(), in.norm.data(), count,
                        lower.data(), kStride, compare.data());
      scalar::groups_to_compare(kError, in.moves, in.label.data(), in.distance.data(), in.norm.data(), count,
                                plain_lower.data(), kStride, plain_compare.data());
      ASSERT_EQ(compare, plain_compare);  // no margin of these is within rounding of 0
      for (std::int64_t i = 0; i < kGroups * kStride; ++i) ASSERT_NEAR(lower[i], plain_lower[i], 0x1p-22f);
    }
  });
}

// In exact arithmetic: a group is left out only if the distance to each of its other centroids is surely
// larger.
TEST(GroupsToCompare, LeaveOutOnlyGroupsInWhichNoCentroidCanBeNearer) {
  for_targets([] {
    const Case in;
    std::vector<std::int32_t> compare(kLongest);
    auto lower = in.lower;
    groups_to_compare(kError, in.moves, in.label.data(), in.distance.data(), in.norm.data(), kLongest,
                      lower.data(), kStride, compare.data());
    int settled = 0, left_out = 0;
    for (std::int64_t t = 0; t < kLongest; ++t) {
      const double own = std::sqrt(static_cast<double>(in.distance[t]));
      const double error = kError.relative * (in.norm[t] + 3.0 * kError.highest_half_norm);
      std::int32_t needed = 0;
      for (std::int32_t g = 0; g < kGroups; ++g) {
        const double fall = in.label[t] == in.fastest[g] ? in.second[g] : in.first[g];
        const double fallen = std::max(0.0, in.lower[g * kStride + t] - fall);
        ASSERT_LE(lower[g * kStride + t], fallen);
        ASSERT_GE(lower[g * kStride + t], fallen * (1 - 0x1p-18));
        // The other centroids of the group are at least as far as either bound.
        const double other = std::max(fallen, static_cast<double>(in.nearest_other[in.label[t]]) - own);
        if (!(other * other - own * own > 4 * error + 50 * 0x1p-18)) needed |= 1 << g;
        if ((compare[t] >> g & 1) == 0) {
          ++left_out;
          ASSERT_GT(other * other - own * own, 4 * error * (1 - 0x1p-18));
        }
      }
      settled += compare[t] == 0;
      ASSERT_EQ(compare[t], needed == 0 ? 0 : needed | in.bit[in.label[t]]);
    }
    EXPECT_GT(settled, 5);
    EXPECT_GT(left_out, kGroups * settled);  // some groups of points that are not settled, too
    EXPECT_LT(settled, kLongest - 5);
  });
}

TEST(GroupsToCompare, SettleEveryPointOfASingleCentroid) {
  for_targets([] {
    Case in;
    const float infinity = std::numeric_limits<float>::infinity();
    std::fill(in.label.begin(), in.label.end(), 0);
    in.nearest_other[0] = infinity;
    in.moves.groups = 1;
    std::vector<std::int32_t> compare(kLongest, -77);
    std::vector<float> lower(kStride, infinity);
    groups_to_compare(kError, in.moves, in.label.data(), in.distance.data(), in.norm.data(), kLongest,
                      lower.data(), kStride, compare.data());
    for (const std::int32_t bits : compare) ASSERT_EQ(bits, 0);
  });
}

TEST(RunnerUpDistances, AreAtMostTheDistance) {
  for_targets([] {
    for (std::int64_t count = 0; count <= kLongest; ++count) {
      const auto norm = uniform(kLongest, "test.norm", 0, 9), exact = uniform(kLongest, "test.exact", 0, 3);
      std::vector<std::int32_t> rows(kLongest);
      std::iota(rows.rbegin(), rows.rend(), 0);
      std::vector<float> second(kLongest);
      // ‖x − c‖² = ‖x‖² + 2 score
      for (std::int64_t p = 0; p < kLongest; ++p)
        second[p] = static_cast<float>((double(exact[p]) * exact[p] - norm[rows[p]]) / 2);
      second[kLongest / 2] = -norm[rows[kLongest / 2]];  // rounding can make a squared distance negative
      auto lower = second;
      runner_up_distances(kError, rows.data(), norm.data(), second.data(), count, lower.data());
      for (std::int64_t p = 0; p < kLongest; ++p) {
        if (p >= count) {
          ASSERT_EQ(lower[p], second[p]);
        } else if (p == kLongest / 2) {
          ASSERT_EQ(lower[p], 0);
        } else {
          const double error = kError.relative * (norm[rows[p]] + 3.0 * kError.highest_half_norm);
          ASSERT_LE(lower[p], exact[p]);
          ASSERT_GE(double(lower[p]) * lower[p], double(exact[p]) * exact[p] - 5 * error);
        }
      }
    }
  });
}

}  // namespace
}  // namespace parsimony::kernels::hamerly_bounds_test
