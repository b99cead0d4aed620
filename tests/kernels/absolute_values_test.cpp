#include "kernels/absolute_values.hpp"

#include <gtest/gtest.h>
#include <hwy/highway.h>

#include <cmath>
#include <limits>
#include <vector>

#include "kernels/every_target.hpp"
#include "parsimony/core/random.hpp"

namespace parsimony::kernels::absolute_values_test {
namespace {

// Normals with zeros of both signs and values on the bound among them, from the second place on, so that
// nothing is aligned.
template <class T>
std::vector<T> values(std::int64_t count) {
  std::vector<T> out(count + 1, T{9});
  for (std::int64_t i = 0; i < count; ++i) {
    const T some[] = {static_cast<T>(RandomStream(1, "test").normal(i)), T{0}, -T{0}, T{0.5}, T{-0.5}};
    out[i + 1] = some[i % 7 < 3 ? 0 : i % 7 - 2];
  }
  return out;
}

template <class T>
void expect_twins(std::int64_t count, double budget) {
  SCOPED_TRACE(count);
  const std::vector<T> r = values<T>(count);
  std::vector<T> expected = r, found = r;
  const double sum = absolute_sum_scalar<T>(r.data() + 1, count, expected.data() + 1);
  EXPECT_NEAR(absolute_sum<T>(r.data() + 1, count, nullptr), sum, budget);
  EXPECT_NEAR(absolute_sum<T>(r.data() + 1, count, found.data() + 1), sum, budget);
  EXPECT_EQ(found, expected);
  found = r;
  EXPECT_NEAR(absolute_sum<T>(found.data() + 1, count, found.data() + 1), sum, budget) << "in place";
  EXPECT_EQ(found, expected);

  std::vector<T> clipped = r, reflected = r, clipped_twin = r, reflected_twin = r;
  clip_and_reflect_scalar<T>(r.data() + 1, count, T{0.5}, clipped_twin.data() + 1, reflected_twin.data() + 1);
  clip_and_reflect<T>(r.data() + 1, count, T{0.5}, clipped.data() + 1, reflected.data() + 1);
  EXPECT_EQ(clipped, clipped_twin);
  EXPECT_EQ(reflected, reflected_twin);
  reflected = r;
  clip_and_reflect<T>(reflected.data() + 1, count, T{0.5}, clipped.data() + 1, reflected.data() + 1);
  EXPECT_EQ(reflected, reflected_twin) << "in place";
}

TEST(AbsoluteValues, EqualTheScalarTwinsOnEveryTarget) {
  for_targets([&] {
    for (std::int64_t count = 0; count <= 67; ++count) {
      expect_twins<float>(count, 1e-13 * static_cast<double>(count));  // the order of the sum alone differs
      expect_twins<double>(count, 1e-15 * static_cast<double>(count));
    }
  });
}

TEST(AbsoluteValues, ANaNIsNotHidden) {
  for (std::size_t at = 0; at < 20; ++at) {
    std::vector<float> r(20, 1.0f);
    r[at] = std::numeric_limits<float>::quiet_NaN();
    EXPECT_TRUE(std::isnan(absolute_sum<float>(r.data(), 20, nullptr))) << at;
  }
}

}  // namespace
}  // namespace parsimony::kernels::absolute_values_test
