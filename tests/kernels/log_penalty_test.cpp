#include "kernels/log_penalty.hpp"

#include <gtest/gtest.h>
#include <hwy/highway.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "kernels/every_target.hpp"
#include "parsimony/core/random.hpp"

namespace parsimony::kernels::log_penalty_test {
namespace {

// Per term, of the sum: two roundings of values below 2, one of 1 + nu r² and one of the product.
template <class T>
constexpr double kBudget = 2 * static_cast<double>(std::numeric_limits<T>::epsilon());

template <class T>
std::vector<T> normals(std::int64_t count, double scale) {
  std::vector<T> out(count);
  const RandomStream stream(1, "test");
  for (std::int64_t i = 0; i < count; ++i) out[i] = static_cast<T>(scale * stream.normal(i));
  return out;
}

template <class T>
void expect_twin(const std::vector<T>& r, std::int64_t offset, std::int64_t count, T nu) {
  SCOPED_TRACE(::testing::Message() << count << " values from " << offset << ", nu " << nu);
  std::vector<T> expected(r.size() + 1, 7), found(r.size() + 1, 7);
  const double sum = log_penalty_scalar<T>(r.data() + offset, count, nu, expected.data() + offset);
  const double budget =
      kBudget<T> * static_cast<double>(count) + 2e-16 * std::sqrt(count) * sum;  // and the twin's own sum
  EXPECT_NEAR(log_penalty<T>(r.data() + offset, count, nu, nullptr), sum, budget);
  EXPECT_NEAR(log_penalty<T>(r.data() + offset, count, nu, found.data() + offset), sum, budget);
  for (std::size_t i = 0; i < found.size(); ++i) {
    ASSERT_NEAR(found[i], expected[i], 2 * kBudget<T> * std::abs(expected[i])) << i;
  }
  std::vector<T> in_place = r;
  log_penalty<T>(in_place.data() + offset, count, nu, in_place.data() + offset);
  for (std::int64_t i = offset; i < offset + count; ++i) ASSERT_EQ(in_place[i], found[i]) << i;
  for (std::int64_t i = 0; i < offset; ++i) ASSERT_EQ(in_place[i], r[i]) << i;
}

template <class T>
void expect_twins() {
  const std::vector<T> r = normals<T>(75, 1);
  for (std::int64_t count = 0; count <= 67; ++count) {
    for (const std::int64_t offset : {0, 1, 3, 7}) {
      for (const double nu : {0.0, 0.5, 5000.0}) expect_twin<T>(r, offset, count, static_cast<T>(nu));
    }
  }
  // Many products, and terms near 0 as well as near the largest that a square can be.
  expect_twin<T>(normals<T>(70001, 1), 1, 70000, T(500));
  expect_twin<T>(normals<T>(5000, 1e-3), 0, 5000, T(10));
  expect_twin<T>(normals<T>(5000, std::sqrt(static_cast<double>(std::numeric_limits<T>::max())) / 100), 1,
                 4999, T(20));
}

TEST(LogPenalty, EqualsTheScalarTwinOnEveryTarget) {
  for_targets([] {
    expect_twins<float>();
    expect_twins<double>();
  });
}

TEST(LogPenalty, IsNaNForWhatIsNotFinite) {
  for_targets([] {
    for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
                            std::numeric_limits<float>::max()}) {
      for (const std::int64_t at : {0, 40, 66}) {
        std::vector<float> r = normals<float>(67, 1);
        r[at] = bad;
        EXPECT_TRUE(std::isnan(log_penalty<float>(r.data(), 67, 10, nullptr))) << bad << " at " << at;
      }
    }
  });
}

TEST(LogPenalty, HasTheDerivativeOfItsDifferences) {
  constexpr double kStep = 1e-6;
  for (const double r : {-3.0, -0.01, 0.0, 0.2, 40.0}) {
    const double above = r + kStep, below = r - kStep;
    double derivative = 0;
    log_penalty<double>(&r, 1, 50, &derivative);
    const double difference =
        log_penalty<double>(&above, 1, 50, nullptr) - log_penalty<double>(&below, 1, 50, nullptr);
    EXPECT_NEAR(derivative, difference / (2 * kStep), 1e-6 * (1 + std::abs(derivative))) << r;
  }
}

}  // namespace
}  // namespace parsimony::kernels::log_penalty_test
