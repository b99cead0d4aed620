#include "parsimony/core/half.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>

namespace parsimony::half_test {
namespace {

// The value of the bits by the definition of the format.
double meaning(std::uint16_t half) {
  const int exponent = (half >> 10) & 31, significand = half & 1023;
  const double magnitude =
      exponent == 0 ? std::ldexp(significand, -24) : std::ldexp(1024 + significand, exponent - 25);
  return half & 0x8000 ? -magnitude : magnitude;
}

bool finite(std::uint16_t half) {
  return (half & 0x7C00) != 0x7C00;
}

TEST(Half, EveryOneIsItsMeaningAndComesBack) {
  for (int i = 0; i < 65536; ++i) {
    const auto half = static_cast<std::uint16_t>(i);
    const float value = from_half(half);
    if (finite(half)) {
      ASSERT_EQ(value, meaning(half));
      ASSERT_EQ(std::signbit(value), half >> 15 != 0);
      ASSERT_EQ(to_half(value), half);
    } else if ((half & 1023) == 0) {
      ASSERT_TRUE(std::isinf(value));
      ASSERT_EQ(to_half(value), half);
    } else {
      ASSERT_TRUE(std::isnan(value));
      ASSERT_EQ(to_half(value), half | 0x0200);  // quiet
    }
  }
}

// The point in the middle of two neighbours goes to the even one, the floats beside it to their own sides.
TEST(Half, RoundsToTheNearestAndTiesToEven) {
  for (std::uint16_t low = 0; low < 0x7BFF; ++low) {
    const auto high = static_cast<std::uint16_t>(low + 1);
    const auto middle = static_cast<float>((meaning(low) + meaning(high)) / 2);
    ASSERT_EQ(2 * static_cast<double>(middle), meaning(low) + meaning(high));
    for (const float sign : {1.0f, -1.0f}) {
      const std::uint16_t bit = sign < 0 ? 0x8000 : 0;
      ASSERT_EQ(to_half(sign * middle), bit | (low % 2 == 0 ? low : high));
      ASSERT_EQ(to_half(sign * std::nextafter(middle, 0.0f)), bit | low);
      ASSERT_EQ(to_half(sign * std::nextafter(middle, 1e30f)), bit | high);
    }
  }
}

TEST(Half, EndsAtInfinity) {
  EXPECT_EQ(to_half(65504.0f), 0x7BFF);
  EXPECT_EQ(to_half(std::nextafter(65520.0f, 0.0f)), 0x7BFF);
  EXPECT_EQ(to_half(65520.0f), 0x7C00);
  EXPECT_EQ(to_half(std::numeric_limits<float>::max()), 0x7C00);
  EXPECT_EQ(to_half(-std::numeric_limits<float>::infinity()), 0xFC00);
  EXPECT_EQ(to_half(std::numeric_limits<float>::denorm_min()), 0);
  EXPECT_EQ(to_half(-0.0f), 0x8000);
}

// The nearest of all halves, by search, for floats of every exponent.
TEST(Half, IsTheNearestOfRandomFloats) {
  std::mt19937 random(1);
  for (int i = 0; i < 200000; ++i) {
    const auto value = std::bit_cast<float>(static_cast<std::uint32_t>(random()) & 0x47FFFFFFu);
    if (!(value < 65504.0f)) continue;
    const std::uint16_t half = to_half(value);
    const double error = std::abs(meaning(half) - value);
    if (half > 0) {
      ASSERT_LE(error, std::abs(meaning(static_cast<std::uint16_t>(half - 1)) - value));
    }
    if (half < 0x7BFF) {
      ASSERT_LE(error, std::abs(meaning(static_cast<std::uint16_t>(half + 1)) - value));
    }
  }
}

static_assert(to_half(1.0f) == 0x3C00 && from_half(0x3C00) == 1.0f);

}  // namespace
}  // namespace parsimony::half_test
