#include "parsimony/cluster/sampling.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "parsimony/core/error.hpp"

namespace parsimony::cluster::sampling_test {
namespace {

TEST(SampleWithoutReplacement, IsDistinctAscendingAndNeverAtWeightZero) {
  std::vector<float> weights(100, 1.0f);
  for (int i = 0; i < 100; i += 3) weights[i] = 0;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    const auto sample = sample_without_replacement(weights, 40, seed);
    EXPECT_EQ(std::set<std::int32_t>(sample.begin(), sample.end()).size(), 40u);
    EXPECT_TRUE(std::is_sorted(sample.begin(), sample.end()));
    for (const auto node : sample) EXPECT_GT(weights[node], 0);
  }
  EXPECT_EQ(sample_without_replacement(weights, 66).size(), 66u);
  EXPECT_TRUE(sample_without_replacement(weights, 0).empty());
}

// A single draw hits position i with probability w_i / Σw: chi-square with 3 degrees of freedom over 20,000
// seeds is above 25 with probability 1.5e-5.
TEST(SampleWithoutReplacement, FirstDrawFollowsTheWeights) {
  const std::vector<float> weights{1, 2, 3, 4};
  constexpr int kDraws = 20000;
  std::vector<double> hits(4);
  for (int seed = 0; seed < kDraws; ++seed) ++hits[sample_without_replacement(weights, 1, seed)[0]];
  double chi_square = 0;
  for (int i = 0; i < 4; ++i) {
    const double expected = kDraws * weights[i] / 10;
    chi_square += (hits[i] - expected) * (hits[i] - expected) / expected;
  }
  EXPECT_LT(chi_square, 25);
}

TEST(SampleWithoutReplacement, RefusesBadWeightsAndTooManyDraws) {
  EXPECT_THROW(sample_without_replacement(std::vector<float>{1, -1}, 1), Error);
  EXPECT_THROW(sample_without_replacement(std::vector<float>{1, NAN}, 1), Error);
  EXPECT_THROW(sample_without_replacement(std::vector<float>{1, 0, 1}, 3), Error);
}

}  // namespace
}  // namespace parsimony::cluster::sampling_test
