#include "kernels/hamerly_bounds.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "kernels/every_target.hpp"
#include "parsimony/core/random.hpp"

namespace parsimony::kernels {
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

struct Case {
  std::vector<std::int32_t> label{std::vector<std::int32_t>(kLongest)};
  std::vector<float> distance = uniform(kLongest, "test.distance", 0, 4);
  std::vector<float> norm = uniform(kLongest, "test.norm", 0, 9);
  std::vector<float> lower = uniform(kLongest, "test.lower", 0, 3);
  std::vector<float> nearest_other = uniform(kClusters, "test.other", 0, 5);
  CentroidMoves moves{0.25f, 0.125f, 3, nearest_other.data()};

  Case() {
    for (std::int64_t t = 0; t < kLongest; ++t) label[t] = static_cast<std::int32_t>(t * t % kClusters);
  }
};

TEST(HamerlyMargins, EqualTheScalarTwin) {
  for_targets([] {
    for (std::int64_t count = 0; count <= kLongest; ++count) {
      const Case in;
      auto lower = in.lower, plain_lower = in.lower;
      std::vector<float> margin(kLongest, -77.0f), plain_margin(kLongest, -77.0f);
      hamerly_margins(kError, in.moves, in.label.data(), in.distance.data(), in.norm.data(), count,
                      lower.data(), margin.data());
      scalar::hamerly_margins(kError, in.moves, in.label.data(), in.distance.data(), in.norm.data(), count,
                              plain_lower.data(), plain_margin.data());
      for (std::int64_t t = 0; t < kLongest; ++t) {
        ASSERT_NEAR(lower[t], plain_lower[t], 0x1p-22f);
        ASSERT_NEAR(margin[t], plain_margin[t], 25 * 0x1p-21f);  // squares of at most 5, a few roundings
      }
    }
  });
}

// In exact arithmetic: a label is settled only if the distance to every other centroid is surely larger.
TEST(HamerlyMargins, ArePositiveOnlyWhereNoOtherCentroidCanBeNearer) {
  for_targets([] {
    Case in;
    std::vector<float> margin(kLongest);
    auto lower = in.lower;
    hamerly_margins(kError, in.moves, in.label.data(), in.distance.data(), in.norm.data(), kLongest,
                    lower.data(), margin.data());
    int settled = 0;
    for (std::int64_t t = 0; t < kLongest; ++t) {
      const double own = std::sqrt(static_cast<double>(in.distance[t]));
      const double fall = in.label[t] == in.moves.fastest ? in.moves.second_fall : in.moves.first_fall;
      const double fallen = std::max(0.0, in.lower[t] - fall);
      ASSERT_LE(lower[t], fallen);
      ASSERT_GE(lower[t], fallen * (1 - 0x1p-18));
      // No other centroid is nearer than either bound.
      const double other = std::max(fallen, static_cast<double>(in.nearest_other[in.label[t]]) - own);
      const double error = kError.relative * (in.norm[t] + 3.0 * kError.highest_half_norm);
      if (margin[t] > 0) {
        ++settled;
        ASSERT_GT(other * other - own * own, 4 * error * (1 - 0x1p-18));
      } else {
        ASSERT_LT(other * other - own * own, 4 * error + 50 * 0x1p-18);
      }
    }
    EXPECT_GT(settled, 5);
    EXPECT_LT(settled, kLongest - 5);
  });
}

TEST(HamerlyMargins, SettleEveryPointOfASingleCentroid) {
  for_targets([] {
    Case in;
    const float infinity = std::numeric_limits<float>::infinity();
    std::fill(in.label.begin(), in.label.end(), 0);
    in.nearest_other[0] = infinity;
    std::vector<float> margin(kLongest), lower(kLongest, infinity);
    hamerly_margins(kError, in.moves, in.label.data(), in.distance.data(), in.norm.data(), kLongest,
                    lower.data(), margin.data());
    for (const float value : margin) ASSERT_GT(value, 0);
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
}  // namespace parsimony::kernels
