// Integers in groups and with tables of levels.
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "expect_error.hpp"
#include "gaussian_weight.hpp"
#include "parsimony/core/half.hpp"
#include "parsimony/quant/decode.hpp"
#include "parsimony/quant/integer_quantizer.hpp"
#include "parsimony/quant/packed_linear.hpp"
#include "thread_counts.hpp"

namespace parsimony::quant::group_quantizer_test {
namespace {

double error_of(const TestWeight& weight, const IntegerOptions& options) {
  return relative_mse(weight.view(), decode(integer_quantize(weight.view(), options)));
}

IntegerOptions grouped(int bits, std::int64_t group, LevelKind levels = LevelKind::uniform) {
  return {.bits = bits, .range = RangeRule::mse, .group = group, .levels = levels};
}

// Rows whose deviations differ, as those of networks do.
TestWeight uneven_rows(std::int64_t rows, std::int64_t columns) {
  TestWeight weight({rows, columns});
  for (std::int64_t o = 0; o < rows; ++o) {
    for (std::int64_t i = 0; i < columns; ++i) {
      weight.values[o * columns + i] *= static_cast<float>(1 + o % 5) * (i % 64 < 32 ? 1.0f : 0.3f);
    }
  }
  return weight;
}

TEST(Groups, AGroupAsLongAsTheRowIsTheRow) {
  const TestWeight weight = uneven_rows(6, 40);
  const QuantizedTensor all = integer_quantize(weight.view(), grouped(4, 40));
  EXPECT_EQ(all.group, 0);
  EXPECT_EQ(std::ssize(all.scale), 6);
  EXPECT_EQ(decode(all), decode(integer_quantize(weight.view(), grouped(4, 1000))));
}

// A weight whose rows are the groups of another has the same codes.
TEST(Groups, AreQuantizedAsRowsOfTheirOwn) {
  const TestWeight weight = uneven_rows(4, 96);
  TestWeight cut = weight;
  cut.shape = {12, 32};
  for (const LevelKind levels : {LevelKind::uniform, LevelKind::nf4}) {
    const QuantizedTensor groups = integer_quantize(weight.view(), grouped(4, 32, levels));
    const QuantizedTensor rows = integer_quantize(cut.view(), grouped(4, 32, levels));
    EXPECT_EQ(groups.packed, rows.packed);
    EXPECT_EQ(groups.scale, rows.scale);
    EXPECT_EQ(groups.zero_point, rows.zero_point);
  }
}

TEST(Groups, MinMaxIsOffByHalfAStepAtMost) {
  const TestWeight weight = uneven_rows(5, 50);  // the last group of a row has 2 values
  for (int bits = 2; bits <= 8; ++bits) {
    const QuantizedTensor tensor = integer_quantize(weight.view(), {.bits = bits, .group = 16});
    const std::vector<float> found = decode(tensor);
    ASSERT_EQ(std::ssize(tensor.scale), 5 * 4);
    for (std::int64_t i = 0; i < 250; ++i) {
      const std::int64_t g = i / 50 * 4 + i % 50 / 16;
      ASSERT_LE(std::abs(found[i] - weight.values[i]), tensor.scale[g] * 1.0001f) << bits;  // the zero moves
      ASSERT_TRUE(tensor.zero_point[g] >= 0 && tensor.zero_point[g] < 1 << bits);
    }
  }
}

TEST(Groups, SmallerGroupsAndSearchedScalesHaveASmallerError) {
  const TestWeight weight = uneven_rows(64, 256);
  for (const int bits : {3, 4}) {
    const double rows = error_of(weight, {.bits = bits, .range = RangeRule::mse});
    const double plain = error_of(weight, {.bits = bits, .group = 64});
    const double searched = error_of(weight, grouped(bits, 64)), small = error_of(weight, grouped(bits, 32));
    EXPECT_LT(searched, plain);
    EXPECT_LT(searched, rows);
    EXPECT_LT(small, searched);
  }
}

// Max's table for a Gaussian [max1960quantizing]: the least error of any 4, 8 and 16 levels. One long row, so
// that the scale adds nothing.
TEST(Levels, LearnedOnesReachTheOptimumOfAGaussian) {
  const TestWeight weight({1, 30'000});
  const std::vector<std::pair<int, double>> published{{2, 0.1175}, {3, 0.03454}, {4, 0.009497}};
  for (const auto& [bits, optimum] : published) {
    const double error = error_of(weight, grouped(bits, 0, LevelKind::learned));
    EXPECT_GT(error, optimum * 0.96) << bits;
    EXPECT_LT(error, optimum * 1.04) << bits;
  }
}

TEST(Levels, LearnedOnesAreAheadOfNf4AndOfUniformOnes) {
  const TestWeight weight = uneven_rows(64, 256);
  const double nf4 = error_of(weight, grouped(4, 64, LevelKind::nf4));
  const double plain = error_of(weight, {.bits = 4, .group = 64, .levels = LevelKind::nf4});
  const double learned = error_of(weight, grouped(4, 64, LevelKind::learned));
  EXPECT_LT(nf4, plain);
  EXPECT_LT(learned, nf4);
  for (const int bits : {2, 3, 4}) {
    EXPECT_LT(error_of(weight, grouped(bits, 64, LevelKind::learned)), error_of(weight, grouped(bits, 64)));
  }
}

// A weight that takes values of a table has no error.
TEST(Levels, MeetTheirOwnValues) {
  TestWeight weight({8, 64});
  const std::vector<float> levels{-2, -0.5f, 0.25f, 1};
  for (std::size_t i = 0; i < weight.values.size(); ++i) weight.values[i] = levels[(i * 7 + i / 64) % 4] / 16;
  EXPECT_LT(error_of(weight, grouped(2, 64, LevelKind::learned)), 1e-10);
  EXPECT_LT(error_of(weight, grouped(2, 0, LevelKind::learned)), 1e-10);
}

TEST(Levels, EachValueHasTheNearest) {
  const TestWeight weight = uneven_rows(3, 70);
  const QuantizedTensor tensor = integer_quantize(weight.view(), grouped(3, 32, LevelKind::learned));
  const std::vector<float> found = decode(tensor);
  EXPECT_TRUE(tensor.zero_point.empty());
  for (std::int64_t i = 0; i < 210; ++i) {
    const float scale = tensor.scale[i / 70 * 3 + i % 70 / 32];
    for (const float level : tensor.levels) {
      ASSERT_LE(std::abs(found[i] - weight.values[i]), std::abs(level * scale - weight.values[i]) + 1e-7f);
    }
  }
}

TEST(ScaleValues, AreFewAndCostLittle) {
  const TestWeight weight = uneven_rows(64, 512);
  for (const LevelKind levels : {LevelKind::uniform, LevelKind::learned}) {
    IntegerOptions options = grouped(4, 32, levels);
    const double free = error_of(weight, options);
    options.scale_values = 256;
    const QuantizedTensor tensor = integer_quantize(weight.view(), options);
    EXPECT_LE(std::set<float>(tensor.scale.begin(), tensor.scale.end()).size(), 256u);
    EXPECT_LT(relative_mse(weight.view(), decode(tensor)), 1.01 * free);
    options.scale_values = 3;
    const QuantizedTensor few = integer_quantize(weight.view(), options);
    EXPECT_LE(std::set<float>(few.scale.begin(), few.scale.end()).size(), 3u);
  }
  IntegerOptions halves = grouped(4, 32, LevelKind::learned);
  halves.half_scales = true;
  for (const float scale : integer_quantize(weight.view(), halves).scale) {
    ASSERT_EQ(from_half(to_half(scale)), scale);
  }
}

// Values of importance 0 may have any error, and the others gain.
TEST(Groups, CountTheImportance) {
  TestWeight weight = uneven_rows(16, 128);
  for (std::int64_t c = 0; c < 128; ++c) weight.importance.push_back(c % 4 == 0 ? 1.0f : 0.0f);
  for (const LevelKind levels : {LevelKind::uniform, LevelKind::learned}) {
    const QuantizedTensor with = integer_quantize(weight.view(), grouped(3, 64, levels));
    TestWeight plain = weight;
    plain.importance.clear();
    const QuantizedTensor without = integer_quantize(plain.view(), grouped(3, 64, levels));
    EXPECT_LT(relative_mse(weight.view(), decode(with)), 0.8 * relative_mse(weight.view(), decode(without)));
  }
}

TEST(Groups, ZerosStayZerosAndTinyValuesAreNoFault) {
  TestWeight weight({4, 32});
  std::fill(weight.values.begin(), weight.values.begin() + 64, 0.0f);
  for (std::int64_t i = 64; i < 96; ++i) weight.values[i] = 1e-42f;
  for (const LevelKind levels : {LevelKind::uniform, LevelKind::nf4, LevelKind::learned}) {
    IntegerOptions options = grouped(4, 16, levels);
    options.scale_values = 200;
    const std::vector<float> found = decode(integer_quantize(weight.view(), options));
    for (std::int64_t i = 0; i < 64; ++i) ASSERT_EQ(found[i], 0.0f);
    for (const float value : found) ASSERT_TRUE(std::isfinite(value));
  }
}

TEST(Groups, SameBytesForAnyNumberOfThreads) {
  const TestWeight weight = uneven_rows(170, 200);  // two blocks of groups
  for (const LevelKind levels : {LevelKind::uniform, LevelKind::learned}) {
    IntegerOptions options = grouped(3, 64, levels);
    options.scale_values = 256;
    const QuantizedTensor one = integer_quantize(weight.view(), options, {}, Context(1));
    for (const int threads : testing::kThreadCounts) {
      const QuantizedTensor many = integer_quantize(weight.view(), options, {}, Context(threads));
      EXPECT_EQ(one.packed, many.packed);
      EXPECT_EQ(one.scale, many.scale);
      EXPECT_EQ(one.levels, many.levels);
    }
  }
}

TEST(Groups, PackedLayersMultiplyWithTheDecodedWeight) {
  const TestWeight weight({70, 90});
  const WeightAxes kAxes[] = {{}, {{1}, {0}}};
  for (const WeightAxes& axes : kAxes) {
    for (const LevelKind levels : {LevelKind::uniform, LevelKind::learned}) {
      QuantizedTensor tensor = integer_quantize(weight.view(), grouped(4, 32, levels));
      if (!axes.standard()) {
        tensor.shape = {90, 70};
        tensor.axes = axes;
      }
      const std::vector<float> dense = decode_in_coded_order(tensor);
      const PackedLinear layer(tensor);
      ASSERT_EQ(layer.outputs(), 70);
      ASSERT_EQ(layer.inputs(), 90);
      Matrix<float> x(3, 90), y(3, 70);
      RandomStream(5, "test.x").fill_normal(x.values());
      layer.multiply(x, y);
      for (std::int64_t r = 0; r < 3; ++r) {
        for (std::int64_t o = 0; o < 70; ++o) {
          double sum = 0;
          for (std::int64_t i = 0; i < 90; ++i) sum += double(dense[o * 90 + i]) * x(r, i);
          ASSERT_NEAR(y(r, o), sum, 1e-5);
        }
      }
      const PackedEmbedding embedding(tensor);
      Matrix<float> row(1, 90);
      embedding.lookup(std::vector<std::int64_t>{13}, row);
      EXPECT_TRUE(std::equal(row.data(), row.data() + 90, dense.begin() + 13 * 90));
    }
  }
}

TEST(Groups, OptionsThatDoNotFit) {
  const TestWeight weight({4, 8});
  expect_error(ErrorCode::invalid_argument, "must be 4 with levels nf4",
               [&] { integer_quantize(weight.view(), grouped(3, 4, LevelKind::nf4)); });
  expect_error(ErrorCode::invalid_argument, "must be 2 to 4 with learned levels",
               [&] { integer_quantize(weight.view(), grouped(5, 4, LevelKind::learned)); });
}

// Numbers count the places, so that each must come back to its own.
TEST(WeightAxes, MoveValuesThereAndBack) {
  const std::vector<std::int64_t> shape{2, 3, 4};
  std::vector<float> values(24);
  for (int i = 0; i < 24; ++i) values[i] = static_cast<float>(i);
  const WeightAxes axes{{2, 0}, {1}};
  EXPECT_EQ(coded_shape(shape, axes), (std::vector<std::int64_t>{8, 3}));
  const std::vector<float> coded = to_coded_order(values, shape, axes);
  for (int a = 0; a < 2; ++a) {
    for (int b = 0; b < 3; ++b) {
      for (int c = 0; c < 4; ++c) EXPECT_EQ(coded[(c * 2 + a) * 3 + b], values[(a * 3 + b) * 4 + c]);
    }
  }
  EXPECT_EQ(from_coded_order(coded, shape, axes), values);
  EXPECT_EQ(to_coded_order(values, shape, {}), values);
  for (const WeightAxes& wrong : std::vector<WeightAxes>{
           {{0}, {1}}, {{0}, {1, 1}}, {{0, 1, 2}, {}}, {{}, {0, 1, 2}}, {{0}, {1, 3}}, {{-1}, {1, 2}}}) {
    expect_error(ErrorCode::invalid_argument, "must name each dimension",
                 [&] { (void)coded_shape(shape, wrong); });
  }
}

}  // namespace
}  // namespace parsimony::quant::group_quantizer_test
