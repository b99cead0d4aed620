#include "quant/plan/compress_weight.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "expect_error.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/quant/decode.hpp"
#include "quant/gaussian_weight.hpp"
#include "quant/model_files.hpp"
#include "quant/plan/calibration.hpp"

namespace parsimony::quant {
namespace {

TensorInfo info_of(const TestWeight& weight) {
  return {"w.weight", DType::float32, weight.shape};
}

WeightRecipe recipe_for(const TestWeight& weight, int bits, const CompressOptions& options) {
  return integer_recipe(info_of(weight), bits, range_of(weight.values, weight.shape[0]), options);
}

double compressed_error(const TestWeight& weight, const WeightRecipe& recipe,
                        const CompressOptions& options) {
  return relative_mse(weight.view(),
                      decode(quantize_weight(weight.view(), recipe, options, Context(1)), Context(1)));
}

// Σ (w − ŵ)² / Σ (w − mean)²: the error relative to the variance of the values.
double error_about_the_mean(const TestWeight& weight, int bits, const CompressOptions& options) {
  const std::vector<float> decoded =
      decode(quantize_weight(weight.view(), recipe_for(weight, bits, options), options, Context(1)));
  double mean = 0, error = 0, variance = 0;
  for (const float value : weight.values) mean += value / static_cast<double>(weight.values.size());
  for (std::size_t i = 0; i < decoded.size(); ++i) {
    error += std::pow(static_cast<double>(weight.values[i]) - decoded[i], 2);
    variance += std::pow(weight.values[i] - mean, 2);
  }
  return error / variance;
}

TEST(CompressWeight, OneOutputOfWhichTheBestRangeLeavesZeroOutChangesNoOther) {
  // All but one value of the first output are near 1, so that a range of four steps clips the 0.
  TestWeight weight({16, 256});
  const CompressOptions options{.scheme = "int2", .range = RangeRule::mse};
  TestWeight spoilt = weight;
  for (std::int64_t i = 0; i < 256; ++i) spoilt.values[i] = 1 + spoilt.values[i];
  spoilt.values[0] = -1e-3f;
  const QuantizedTensor alone =
      integer_quantize(spoilt.view(), {.bits = 2, .range = RangeRule::mse}, {}, Context(1));
  ASSERT_LT(alone.zero_point[0], 0);  // the case that is meant
  const WeightRecipe recipe = recipe_for(spoilt, 2, options);
  ASSERT_EQ(recipe.zero_point_dtype, DType::uint8);
  const QuantizedTensor a = quantize_weight(weight.view(), recipe, options, Context(1)),
                        b = quantize_weight(spoilt.view(), recipe, options, Context(1));
  EXPECT_GE(b.zero_point[0], 0);
  EXPECT_TRUE(std::equal(a.scale.begin() + 1, a.scale.end(), b.scale.begin() + 1));
  EXPECT_TRUE(std::equal(a.zero_point.begin() + 1, a.zero_point.end(), b.zero_point.begin() + 1));
  EXPECT_TRUE(std::equal(a.packed.begin() + 64, a.packed.end(), b.packed.begin() + 64));
  // The first one has the range of all its values, as they are.
  const AffineCode all = choose_affine_code(std::span(spoilt.values).first(256), {.bits = 2});
  EXPECT_EQ(b.scale[0], all.scale);
  EXPECT_EQ(b.zero_point[0], all.zero_point);
}

TEST(CompressWeight, HalfScalesCostLittleHoweverFarTheValuesAreFromZero) {
  // A scale up to 2^-10 too large, and a grid that lies elsewhere by half a step at most: of uniform values
  // each step has the same error wherever it begins.
  for (const float from : {-1000.0f, -0.3f, 0.0f, 1.0f, 100.0f, 1000.0f}) {
    for (const int bits : {2, 4, 8}) {
      SCOPED_TRACE(::testing::Message() << from << " in " << bits << " bits");
      TestWeight weight({16, 512});
      const RandomStream uniform(7, "test.uniform");
      for (std::size_t i = 0; i < weight.values.size(); ++i) {
        weight.values[i] = from + static_cast<float>(uniform.uniform(i));
      }
      const CompressOptions full{.range = RangeRule::min_max},
          half{.range = RangeRule::min_max, .half = true};
      ASSERT_EQ(recipe_for(weight, bits, half).scale_dtype, DType::float16);
      EXPECT_LT(error_about_the_mean(weight, bits, half), 1.5 * error_about_the_mean(weight, bits, full));
    }
  }
}

TEST(CompressWeight, CodebooksOfHalvesOnlyWhereHalvesHoldTheValues) {
  const CompressOptions half{.scheme = "pq"}, full{.scheme = "pq", .codebook = CodebookType::float32};
  for (const float deviation : {5e-8f, 1e-6f, 0.05f}) {
    const TestWeight weight({64, 64}, 1, deviation);
    const WeightRange range = range_of(weight.values, 64);
    const auto recipe = [&](const CompressOptions& options) {
      return product_recipe(info_of(weight), 4, 64, BlockLayout::row, range, options);
    };
    EXPECT_EQ(recipe(half).codebook_type, deviation < 0.01f ? CodebookType::float32 : CodebookType::float16);
    const double error = compressed_error(weight, recipe(half), half),
                 exact = compressed_error(weight, recipe(full), full);
    EXPECT_NEAR(error, exact, 1e-3 * exact) << deviation;
  }
}

TEST(CompressWeight, Int8CodebooksAddAThousandthOfTheEnergyWhateverTheOutliers) {
  // Rounding to steps of largest / 127 adds (largest / rms)² / (12 · 127²): 1.02e-3 at 14, where each
  // centroid gets its own scale.
  for (const float outlier : {1.0f, 6.0f, 13.0f, 20.0f, 100.0f, 3000.0f}) {
    for (const std::int64_t block : {4, 8}) {
      SCOPED_TRACE(::testing::Message() << outlier << " times the deviation, blocks of " << block);
      TestWeight weight({96, 256}, 1, 0.05f);
      for (const std::size_t at : {77, 9001, 20000}) weight.values[at] = 0.05f * outlier;
      const WeightRange range = range_of(weight.values, 96);
      const auto error = [&](CodebookType type) {
        const CompressOptions options{.scheme = "pq", .codebook = type};
        return compressed_error(
            weight, product_recipe(info_of(weight), block, 256, BlockLayout::row, range, options), options);
      };
      EXPECT_LT(error(CodebookType::int8) - error(CodebookType::float16), 1.1e-3);
    }
  }
}

TEST(CompressWeight, HalvesHoldWhatTheyHaveToElevenBits) {
  const auto fits = [](float value) { return fits_half({{1.0f, value}}); };
  for (const float value : {0.0f, -0.0f, 0.1f, 65504.0f, -0x1p-14f, 0x1p-24f, 0x3p-24f, NAN}) {
    EXPECT_TRUE(fits(value)) << value;
  }
  for (const float value : {70000.0f, INFINITY, -INFINITY}) EXPECT_FALSE(fits(value)) << value;
  // Beside a 1 the error of such values is nothing; alone, or where each counts, it is not.
  for (const float value : {1e-9f, 1e-7f, -1e-6f}) {
    EXPECT_TRUE(fits(value)) << value;
    EXPECT_FALSE(fits_half({{1.0f, value}}, true)) << value;
    EXPECT_FALSE(fits_half({{value}})) << value;
  }
}

TEST(CompressWeight, BlocksAreNotLongerThanTheRunsThatTheyAreCutFrom) {
  const auto block_of = [](std::vector<std::int64_t> shape, std::int64_t block, BlockLayout layout) {
    const TestWeight weight(std::move(shape));
    const WeightRange range = range_of(weight.values, weight.shape[0]);
    return product_recipe(info_of(weight), block, 16, layout, range, {}).block_size;
  };
  EXPECT_EQ(block_of({200, 3}, 8, BlockLayout::row), 3);
  EXPECT_EQ(block_of({200, 1}, 8, BlockLayout::row), 1);
  EXPECT_EQ(block_of({200, 12}, 8, BlockLayout::row), 8);
  EXPECT_EQ(block_of({20, 3, 3, 3}, 9, BlockLayout::input_channels), 3);
  EXPECT_EQ(block_of({20, 3, 3, 3}, 9, BlockLayout::row), 9);
  EXPECT_EQ(block_of({20, 1, 3, 3}, 16, BlockLayout::input_channels), 9);  // cut as row
}

class Calibration : public ModelFiles {
 protected:
  std::vector<float> importance(std::vector<std::int64_t> shape, const TensorView& tensor) const {
    return inputs_of({"m.weight", DType::float32, std::move(shape)}, file({tensor})).importance;
  }
};

TEST_F(Calibration, EachGroupOfAConvolutionCountsTheChannelsThatItSees) {
  // The moments of the channels are 1, 4, 9, …, and those of a group of outputs are of its own channels.
  std::vector<float> moments(64), inputs(2 * 64 * 5);
  for (int c = 0; c < 64; ++c) moments[c] = static_cast<float>((c + 1) * (c + 1));
  for (int i = 0; i < 2 * 64 * 5; ++i)
    inputs[i] = static_cast<float>(i / 5 % 64 + 1) * (i % 2 == 0 ? 1.0f : -1.0f);
  for (const std::vector<std::int64_t>& shape :
       {std::vector<std::int64_t>{64, 1, 3, 3}, {64, 1, 8, 8}, {128, 1, 3}, {32, 16, 3, 3}, {8, 32, 5}}) {
    std::int64_t n = 1;
    for (std::size_t i = 1; i < shape.size(); ++i) n *= shape[i];
    const std::int64_t channels = shape[1], positions = n / channels, per_group = shape[0] / (64 / channels);
    const std::vector<float> counts = importance(shape, floats("m.input", {2, 64, 5}, inputs));
    ASSERT_EQ(std::ssize(counts), shape[0] * n);
    for (std::int64_t i = 0; i < shape[0] * n; ++i) {
      ASSERT_EQ(counts[i], moments[i / n / per_group * channels + i % n / positions]) << i;
    }
    const std::vector<float> given = importance(shape, floats("m.input_second_moment", {64}, moments));
    EXPECT_EQ(given, n == 64 ? moments : counts);  // as many as an output has values: one for each
  }
  EXPECT_EQ(importance({10, 64, 3, 3}, floats("m.input", {2, 64, 5}, inputs)), moments);
}

TEST_F(Calibration, ChannelsOfNoGroupsAreRefused) {
  const auto refused = [&](std::vector<std::int64_t> shape, std::int64_t channels) {
    const TensorView input =
        floats("m.input", {2, channels}, std::vector<float>(static_cast<std::size_t>(2 * channels), 1.0f));
    expect_error(ErrorCode::format, "has " + std::to_string(channels) + " channels",
                 [&] { importance(shape, input); });
  };
  refused({48, 32}, 64);        // no convolution
  refused({64, 3, 3, 3}, 64);   // no multiple
  refused({64, 1, 3, 3}, 128);  // more groups than outputs
  refused({9, 2, 3, 3}, 4);     // outputs that two groups do not divide
  refused({4, 3, 3, 3}, 27);    // one for each value of an output is only what moments can be
}

}  // namespace
}  // namespace parsimony::quant
