#include "parsimony/quant/integer_quantizer.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "expect_error.hpp"
#include "gaussian_weight.hpp"
#include "parsimony/quant/decode.hpp"

namespace parsimony::quant {
namespace {

double integer_error(const TestWeight& weight, const IntegerOptions& options) {
  return relative_mse(weight.view(), decode(integer_quantize(weight.view(), options)));
}

// φ(w) = (clamp(round(w/s + z), 0, 2^N − 1) − z) · s with s = (max − min)/(2^N − 1), z = −round(min/s), step
// by step.
TEST(IntegerQuantizer, IsTheFormula) {
  const TestWeight weight({7, 4, 3, 3});
  for (int bits = 2; bits <= 8; ++bits) {
    for (const auto granularity : {Granularity::per_tensor, Granularity::per_channel}) {
      const auto tensor = integer_quantize(weight.view(), {.bits = bits, .granularity = granularity});
      const auto codes = unpack_codes(tensor.packed, bits, std::ssize(weight.values));
      const auto decoded = decode(tensor);
      const std::int64_t groups = granularity == Granularity::per_tensor ? 1 : 7;
      ASSERT_EQ(std::ssize(tensor.scale), groups);
      ASSERT_EQ(std::ssize(tensor.zero_point), groups);
      const std::int64_t n = std::ssize(weight.values) / groups;
      for (std::int64_t g = 0; g < groups; ++g) {
        const auto own = weight.values.begin() + g * n;
        const double least = *std::min_element(own, own + n), largest = *std::max_element(own, own + n);
        const double top = std::pow(2.0, bits) - 1;
        const auto s = static_cast<float>((largest - least) / top);
        const double z = -std::nearbyint(least / s);
        EXPECT_EQ(tensor.scale[g], s);
        EXPECT_EQ(tensor.zero_point[g], z);
        for (std::int64_t i = g * n; i < (g + 1) * n; ++i) {
          const double level = std::clamp(std::nearbyint(weight.values[i] / double(s) + z), 0.0, top);
          ASSERT_EQ(codes[i], level);
          ASSERT_EQ(decoded[i], static_cast<float>(level - z) * s);
          ASSERT_LE(std::abs(decoded[i] - weight.values[i]), s * (0.5 + 0.5 + 1e-6));
        }
      }
    }
  }
}

// Values inside the range of the codes are off by half a step at most.
TEST(IntegerQuantizer, RoundsToTheNearestLevel) {
  const TestWeight weight({3, 500});
  for (const auto range : {RangeRule::min_max, RangeRule::histogram, RangeRule::mse}) {
    const auto tensor = integer_quantize(weight.view(), {.bits = 4, .range = range});
    const auto decoded = decode(tensor);
    for (std::int64_t i = 0; i < 1500; ++i) {
      const float s = tensor.scale[i / 500], low = (0 - tensor.zero_point[i / 500]) * s, high = low + 15 * s;
      const float inside = std::clamp(weight.values[i], low, high);
      ASSERT_LE(std::abs(decoded[i] - inside), s * (0.5f + 1e-5f));
    }
  }
}

TEST(IntegerQuantizer, ErrorOnGaussianWeightsIsThePublishedOne) {
  const TestWeight large({4000, 256});  // rows of 256: the largest of a row is near 2.8 deviations
  EXPECT_NEAR(integer_error(large, {.bits = 4, .granularity = Granularity::per_tensor}), 0.033, 0.004);
  EXPECT_NEAR(integer_error(large, {.bits = 4}), 0.012, 0.0015);
  EXPECT_NEAR(integer_error(large, {.bits = 4, .range = RangeRule::mse}), 0.010, 0.001);
}

// [max1960quantizing], table II: the least mean square error of uniform levels for a Gaussian. Those have no
// level at 0, as ours must, and so lie below; by how much falls with the number of levels.
TEST(IntegerQuantizer, ClippingReachesTheOptimumOfUniformLevels) {
  const TestWeight weight({20, 10000});
  const std::vector<std::pair<int, double>> published{{3, 0.03744}, {4, 0.01154}, {5, 0.003495}};
  for (const auto& [bits, optimum] : published) {
    const double mse = integer_error(
        weight, {.bits = bits, .granularity = Granularity::per_tensor, .range = RangeRule::mse});
    EXPECT_GT(mse, optimum * 0.99) << bits;
    EXPECT_LT(mse, optimum * (1 + 1.2 * std::pow(2.0, 1 - bits))) << bits;
    const double predicted = integer_error(
        weight, {.bits = bits, .granularity = Granularity::per_tensor, .range = RangeRule::histogram});
    EXPECT_LT(predicted, mse * 1.05) << bits;
  }
}

// No rule may lose to a simpler one, whatever the weights: outliers, two values, one side of zero.
TEST(IntegerQuantizer, EachRangeRuleIsNoWorseThanTheOneBefore) {
  for (int kind = 0; kind < 5; ++kind) {
    TestWeight weight({16, 300}, 3);
    for (std::int64_t i = 0; i < std::ssize(weight.values); ++i) {
      float& w = weight.values[i];
      if (kind == 1 && i % 300 == 7) w *= 1000;
      if (kind == 2) w = w > 0 ? 0.5f : -0.25f;
      if (kind == 3) w = 3 + w * w;
      if (kind == 4) w = w * w * w;
    }
    for (const int bits : {2, 4, 8}) {
      for (const auto granularity : {Granularity::per_tensor, Granularity::per_channel}) {
        IntegerOptions options{.bits = bits, .granularity = granularity};
        const double plain = integer_error(weight, options);
        options.range = RangeRule::histogram;
        const double predicted = integer_error(weight, options);
        options.range = RangeRule::mse;
        const double searched = integer_error(weight, options);
        EXPECT_LE(predicted, plain * (1 + 1e-6) + 1e-15) << kind << " " << bits;
        EXPECT_LE(searched, predicted * (1 + 1e-6) + 1e-15) << kind << " " << bits;
      }
    }
  }
}

// One value far away among many: clipping it must bring back most of the resolution.
TEST(IntegerQuantizer, ClipsAnOutlier) {
  TestWeight weight({1, 20000});
  weight.values[1234] = 2;  // 40 deviations
  const double plain = integer_error(weight, {.bits = 4}),
               clipped = integer_error(weight, {.bits = 4, .range = RangeRule::mse});
  EXPECT_GT(plain, 0.3);
  EXPECT_LT(clipped, plain / 4);
}

TEST(IntegerQuantizer, ScalingAWeightScalesTheScaleAndNothingElse) {
  const TestWeight weight({9, 50});
  for (const auto range : {RangeRule::min_max, RangeRule::histogram, RangeRule::mse}) {
    for (const float factor : {0x1p-20f, 0.5f, 0x1p30f}) {
      TestWeight scaled = weight;
      for (float& w : scaled.values) w *= factor;
      const IntegerOptions options{.bits = 4, .range = range};
      const auto one = integer_quantize(weight.view(), options),
                 other = integer_quantize(scaled.view(), options);
      EXPECT_EQ(one.packed, other.packed);
      EXPECT_EQ(one.zero_point, other.zero_point);
      for (std::size_t o = 0; o < one.scale.size(); ++o) EXPECT_EQ(one.scale[o] * factor, other.scale[o]);
    }
  }
}

TEST(IntegerQuantizer, ReversingTheOutputsReversesTheirScales) {
  const TestWeight weight({9, 50});
  TestWeight reversed = weight;
  for (std::int64_t i = 0; i < 450; ++i) reversed.values[i] = weight.values[(8 - i / 50) * 50 + i % 50];
  const IntegerOptions options{.bits = 5, .range = RangeRule::mse};
  auto one = integer_quantize(weight.view(), options), other = integer_quantize(reversed.view(), options);
  std::reverse(other.scale.begin(), other.scale.end());
  std::reverse(other.zero_point.begin(), other.zero_point.end());
  EXPECT_EQ(one.scale, other.scale);
  EXPECT_EQ(one.zero_point, other.zero_point);
}

TEST(IntegerQuantizer, ConstantOutputsAreExact) {
  const std::vector<float> constants{0.0f, 0.3f, -0.3f, 1e-38f, -1e30f, 1e38f, 1e-42f};
  TestWeight weight({std::ssize(constants), 5});
  for (std::int64_t i = 0; i < std::ssize(weight.values); ++i) weight.values[i] = constants[i / 5];
  for (int bits = 2; bits <= 8; ++bits) {
    for (const auto range : {RangeRule::min_max, RangeRule::histogram, RangeRule::mse}) {
      EXPECT_EQ(decode(integer_quantize(weight.view(), {.bits = bits, .range = range})), weight.values);
    }
  }
}

// (max − min) / (2^N − 1) below what float32 tells apart near the values: their own rounding, no more.
TEST(IntegerQuantizer, NearlyConstantOutputsKeepFloatPrecision) {
  for (const float value : {1.0f, -1.0f, 1000.1f}) {
    TestWeight weight({1, 4});
    weight.values = {value, std::nextafter(value, 2e3f), std::nextafter(value, -2e3f), value};
    for (const int bits : {2, 8}) {
      const auto decoded = decode(integer_quantize(weight.view(), {.bits = bits}));
      for (int i = 0; i < 4; ++i) EXPECT_NEAR(decoded[i] / value, 1, 0x1p-22) << bits;
    }
  }
}

TEST(IntegerQuantizer, DecodedIsWhatDecodeMakes) {
  const TestWeight weight({11, 6, 5});
  for (const auto granularity : {Granularity::per_tensor, Granularity::per_channel}) {
    std::vector<float> decoded(weight.values.size());
    const auto tensor = integer_quantize(
        weight.view(), {.bits = 3, .granularity = granularity, .range = RangeRule::mse}, decoded);
    EXPECT_EQ(decoded, decode(tensor));
  }
}

TEST(IntegerQuantizer, SameBytesForAnyNumberOfThreads) {
  const TestWeight weight({37, 6000});
  for (const auto granularity : {Granularity::per_tensor, Granularity::per_channel}) {
    const IntegerOptions options{.bits = 4, .granularity = granularity, .range = RangeRule::mse};
    const auto one = integer_quantize(weight.view(), options, {}, Context(1));
    for (const int threads : {2, 3, 8}) {
      const auto many = integer_quantize(weight.view(), options, {}, Context(threads));
      EXPECT_EQ(one.packed, many.packed);
      EXPECT_EQ(one.scale, many.scale);
      EXPECT_EQ(one.zero_point, many.zero_point);
    }
  }
}

TEST(IntegerQuantizer, NamesWhatIsWrong) {
  TestWeight weight({4, 5});
  for (const float bad : {std::nanf(""), std::numeric_limits<float>::infinity(), -2e38f}) {
    TestWeight spoilt = weight;
    spoilt.values[13] = bad;
    expect_error(ErrorCode::invalid_argument, "value 13", [&] { integer_quantize(spoilt.view()); });
  }
  expect_error(ErrorCode::invalid_argument, "bits", [&] { integer_quantize(weight.view(), {.bits = 9}); });
  weight.shape = {4, 6};
  expect_error(ErrorCode::invalid_argument, "20 values", [&] { integer_quantize(weight.view()); });
  weight.shape = {20};
  expect_error(ErrorCode::invalid_argument, "has 1 dimension;", [&] { integer_quantize(weight.view()); });
}

}  // namespace
}  // namespace parsimony::quant
