#include "kernels/lorentzian.hpp"

#include <gtest/gtest.h>
#include <hwy/highway.h>

#include <cmath>
#include <vector>

#include "kernels/every_target.hpp"
#include "parsimony/core/random.hpp"

namespace parsimony::kernels::lorentzian_test {
namespace {

constexpr LorentzianWeights kWeights{0.3f, -0.2f, 0.1f};

std::vector<float> normals(std::int64_t count, std::uint64_t seed) {
  std::vector<float> out(count + 1);
  RandomStream(seed, "test").fill_normal(out, 0, 3);
  return out;
}

TEST(Lorentzian, EqualsTheScalarTwinsOnEveryTarget) {
  constexpr double kBudget = 5e-6;  // a few roundings of values below 1, times up to 12 of the tangents
  for_targets([&] {
    for (std::int64_t count = 0; count <= 67; ++count) {
      std::vector<float> r = normals(count, 1), expected = r, backward = r, twin = r;
      lorentzian_influence(r.data() + 1, count, kWeights);
      lorentzian_influence_scalar(expected.data() + 1, count, kWeights);
      std::vector<float> tangent = normals(count, 2), tangent_twin = tangent;
      const auto sums = lorentzian_backward(backward.data() + 1, tangent.data() + 1, count, kWeights);
      const auto sums_twin =
          lorentzian_backward_scalar(twin.data() + 1, tangent_twin.data() + 1, count, kWeights);
      for (std::size_t i = 0; i < r.size(); ++i) {
        ASSERT_NEAR(r[i], expected[i], kBudget);
        ASSERT_NEAR(backward[i], twin[i], kBudget);
        ASSERT_NEAR(tangent[i], tangent_twin[i], kBudget);
      }
      for (std::size_t k = 0; k < sums.size(); ++k) EXPECT_NEAR(sums[k], sums_twin[k], 1e-4);
    }
  });
}

// By central differences of the penalty, and of its influence.
TEST(Lorentzian, IsTheDerivativeOfItsPenalty) {
  const double step = 1e-4;
  const auto penalty = [](double r) {
    double sum = 0;
    for (std::size_t k = 0; k < kWeights.size(); ++k) {
      const double width = static_cast<double>(kLorentzianWidths[k]);
      sum += static_cast<double>(kWeights[k]) * width * std::log(width * width + r * r);
    }
    return sum;
  };
  const auto slope = [&](double r) { return (penalty(r + step) - penalty(r - step)) / (2 * step); };
  for (const float r : {-40.0f, -1.0f, -0.2f, 0.0f, 0.5f, 3.0f}) {
    float value = r, tangent = 1;
    const auto sums = lorentzian_backward(&value, &tangent, 1, kWeights);
    EXPECT_NEAR(value, slope(r), 1e-5);
    EXPECT_NEAR(tangent, (slope(r + step) - slope(r - step)) / (2 * step), 1e-5);
    double sum = 0;
    for (std::size_t k = 0; k < sums.size(); ++k) sum += sums[k] * static_cast<double>(kWeights[k]);
    EXPECT_NEAR(sum, value, 1e-6);  // linear in the weights
  }
}

TEST(Lorentzian, IsBoundedWhereSquaresOverflow) {
  for (const float r : {1e7f, -1e15f, 3e38f}) {
    float value = r, tangent = 1, other = r;
    lorentzian_backward(&value, &tangent, 1, kWeights);
    lorentzian_influence(&other, 1, kWeights);
    EXPECT_TRUE(std::isfinite(value) && std::isfinite(tangent) && std::isfinite(other)) << r;
  }
}

}  // namespace
}  // namespace parsimony::kernels::lorentzian_test
