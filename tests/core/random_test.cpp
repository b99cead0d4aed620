#include "parsimony/core/random.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace parsimony::random_test {
namespace {

constexpr std::int64_t kCount = 1 << 20;

TEST(RandomStream, AnyPieceOfAFillEqualsTheWhole) {
  const RandomStream stream(7, "test");
  std::vector<float> whole(1000), piece(1000);
  stream.fill_normal(whole);
  for (const std::size_t cut : {1, 2, 3, 127, 128, 129, 500, 999}) {
    stream.fill_normal({piece.data(), cut});
    stream.fill_normal({piece.data() + cut, whole.size() - cut}, cut);
    EXPECT_EQ(whole, piece) << "cut at " << cut;
  }
  for (std::size_t i = 0; i < whole.size(); i += 37)
    EXPECT_EQ(static_cast<float>(stream.normal(i)), whole[i]);
}

TEST(RandomStream, FilledHalvesAreThoseOfSingleCalls) {
  const RandomStream stream(7, "test");
  for (const std::uint64_t first : {0, 1, 127}) {
    for (const std::size_t count : {0, 1, 2, 3, 253, 254, 255, 256, 257, 1001}) {
      std::vector<std::uint32_t> filled(count);
      stream.fill_halves(filled, first);
      for (std::size_t i = 0; i < count; ++i)
        ASSERT_EQ(filled[i], static_cast<std::uint32_t>(stream.bits(first + i / 2) >> 32 * (i % 2)))
            << first << ' ' << i;
    }
  }
}

// Mean, variance and fourth moment within five standard errors: a false alarm in less than one of 10^5 seeds.
TEST(RandomStream, NormalsHaveTheMomentsOfTheNormalLaw) {
  std::vector<float> x(kCount);
  RandomStream(1, "normal").fill_normal(x);
  double first = 0, second = 0, fourth = 0;
  for (const double v : x) {
    first += v;
    second += v * v;
    fourth += v * v * v * v;
  }
  const double n = kCount;
  EXPECT_NEAR(first / n, 0, 5 / std::sqrt(n));
  EXPECT_NEAR(second / n, 1, 5 * std::sqrt(2 / n));
  EXPECT_NEAR(fourth / n, 3, 5 * std::sqrt(96 / n));
}

TEST(RandomStream, RademacherIsFairAndUncorrelatedAtLagOne) {
  std::vector<float> x(kCount);
  RandomStream(1, "signs").fill_rademacher(x, 0, 0.5f);
  double sum = 0, lag = 0;
  for (std::int64_t i = 0; i < kCount; ++i) {
    ASSERT_EQ(std::abs(x[i]), 0.5f);
    sum += 2 * x[i];
    if (i > 0) lag += 4 * x[i] * x[i - 1];
  }
  EXPECT_LT(std::abs(sum), 5 * std::sqrt(kCount));
  EXPECT_LT(std::abs(lag), 5 * std::sqrt(kCount));
}

TEST(RandomStream, BelowIsUniform) {
  const RandomStream stream(3, "below");
  constexpr int kBound = 10;
  std::vector<double> hits(kBound);
  for (std::int64_t i = 0; i < kCount; ++i) {
    const auto value = stream.below(kBound, i);
    ASSERT_LT(value, kBound);
    ++hits[value];
  }
  double chi_square = 0;  // nine degrees of freedom: above 40 in less than one of 10^5 seeds
  for (const double h : hits) chi_square += (h - kCount / 10.0) * (h - kCount / 10.0) / (kCount / 10.0);
  EXPECT_LT(chi_square, 40);
}

TEST(RandomStream, SeedsStreamsAndIndicesDiffer) {
  EXPECT_NE(RandomStream(1, "a").bits(0), RandomStream(2, "a").bits(0));
  EXPECT_NE(RandomStream(1, "a").bits(0), RandomStream(1, "b").bits(0));
  EXPECT_NE(RandomStream(1, "a", 0).bits(0), RandomStream(1, "a", 1).bits(0));
  EXPECT_EQ(RandomStream(1, "a", 5).bits(9), RandomStream(1, "a", 5).bits(9));
}

TEST(RandomStream, UniformStaysInside) {
  const RandomStream stream(4, "uniform");
  double sum = 0;
  for (std::int64_t i = 0; i < kCount; ++i) {
    const double u = stream.uniform(i);
    ASSERT_GT(u, 0);
    ASSERT_LT(u, 1);
    sum += u;
  }
  EXPECT_NEAR(sum / kCount, 0.5, 5 / std::sqrt(12.0 * kCount));
}

}  // namespace
}  // namespace parsimony::random_test
