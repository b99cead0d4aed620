#include "parsimony/quant/product_quantizer.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <numeric>

#include "expect_error.hpp"
#include "gaussian_weight.hpp"
#include "parsimony/core/half.hpp"
#include "parsimony/quant/blocks.hpp"
#include "parsimony/quant/decode.hpp"
#include "thread_counts.hpp"

namespace parsimony::quant {
namespace {

std::vector<std::uint16_t> codes_of(const QuantizedTensor& tensor) {
  return unpack_codes(tensor.packed, tensor.bits, code_count(tensor));
}

double error_of(const TestWeight& weight, const ProductOptions& options) {
  return relative_mse(weight.view(), decode(product_quantize(weight.view(), options)));
}

void expect_same(const QuantizedTensor& a, const QuantizedTensor& b) {
  EXPECT_EQ(a.packed, b.packed);
  EXPECT_EQ(a.scale, b.scale);
  EXPECT_EQ(a.codebook->scales, b.codebook->scales);
  EXPECT_TRUE(std::ranges::equal(a.codebook->centroids.values(), b.codebook->centroids.values()));
}

// Every block has the code of the centroid, as the file holds it, that is nearest to it on the weights that
// are there.
TEST(ProductQuantizer, CodesAreOfTheNearestRoundedCentroid) {
  for (const auto& shape : {std::vector<std::int64_t>{40, 50}, {30, 5, 3, 3}, {60, 1, 3, 3}}) {
    for (const auto layout : {BlockLayout::row, BlockLayout::input_channels}) {
      for (const auto type : {CodebookType::float32, CodebookType::float16, CodebookType::int8}) {
        TestWeight weight(shape);
        weight.importance.resize(shape[1]);
        for (std::int64_t c = 0; c < shape[1]; ++c) weight.importance[c] = static_cast<float>(1 + c % 4);
        const auto tensor = product_quantize(
            weight.view(),
            {.block_size = 4, .centroids = 16, .layout = layout, .codebook = type, .max_iterations = 200});
        const Matrix<float>& centroids = tensor.codebook->centroids;
        ASSERT_EQ(centroids.rows(), 16);
        EXPECT_EQ(tensor.bits, 4);
        EXPECT_EQ(tensor.codebook->type, type);
        const auto codes = codes_of(tensor);
        const auto decoded = decode(tensor);
        const BlockGrid grid = block_grid(shape, 4, tensor.layout);
        const auto offsets = block_offsets(grid);
        const std::int64_t n = grid.values_per_output(), each = grid.blocks_per_output();
        for (std::int64_t b = 0; b < grid.count(); ++b) {
          std::vector<double> distance(16);
          for (std::int64_t j = 0; j < 4; ++j) {
            const std::int64_t offset = offsets[b % each * 4 + j];
            if (offset < 0) continue;
            const float w = weight.values[b / each * n + offset];
            ASSERT_EQ(decoded[b / each * n + offset], centroids(codes[b], j));
            for (std::int64_t c = 0; c < 16; ++c) {
              distance[c] +=
                  weight.importance[offset / grid.positions] * std::pow(double(w) - centroids(c, j), 2);
            }
          }
          const double least = *std::min_element(distance.begin(), distance.end());
          ASSERT_NEAR(distance[codes[b]], least, 1e-6 * least + 1e-8);
        }
      }
    }
  }
}

TEST(ProductQuantizer, CodebooksHoldWhatTheirTypeCan) {
  const TestWeight weight({64, 64});
  const auto halves = product_quantize(weight.view());
  for (const float value : halves.codebook->centroids.values()) {
    EXPECT_EQ(from_half(to_half(value)), value);
  }
  const auto tensor = product_quantize(weight.view(), {.codebook = CodebookType::int8});
  float largest = 0;
  for (const float value : tensor.codebook->centroids.values()) {
    const float whole = std::nearbyint(value / tensor.codebook->scales[0]);
    EXPECT_EQ(whole * tensor.codebook->scales[0], value);
    largest = std::max(largest, std::abs(whole));
  }
  EXPECT_EQ(largest, 127);
  // Rounding a codebook costs what its steps are worth, not more: s² / 12 of the mean square.
  const double full = error_of(weight, {.codebook = CodebookType::float32});
  EXPECT_NEAR(error_of(weight, {}), full, 1e-5);
  const double step = tensor.codebook->scales[0] / 0.05;
  EXPECT_LT(error_of(weight, {.codebook = CodebookType::int8}), full + 2 * step * step / 12);
}

TEST(ProductQuantizer, LowersKUntilEnoughBlocksShareACentroid) {
  const TestWeight weight({10, 40});  // 50 blocks of 8
  const auto tensor = product_quantize(weight.view());
  EXPECT_EQ(tensor.codebook->centroids.rows(), 12);
  EXPECT_EQ(tensor.bits, 4);
  EXPECT_EQ(product_quantize(weight.view(), {.blocks_per_centroid = 1}).codebook->centroids.rows(), 50);
  EXPECT_NEAR(error_of(weight, {.blocks_per_centroid = 1, .codebook = CodebookType::float32}), 0, 1e-12);
  const TestWeight tiny({1, 3});
  EXPECT_EQ(product_quantize(tiny.view()).codebook->centroids.rows(), 1);
  EXPECT_EQ(product_quantize(tiny.view()).bits, 1);
}

// Blocks of which a part is missing are as good as their weights: the codebook is drawn neither to 0 nor to
// anything else by what is not there. Here all blocks are near one of four patterns far from 0, and every
// second one is cut short.
TEST(ProductQuantizer, PaddingDoesNotDrawTheCentroids) {
  const std::int64_t outputs = 200, n = 12, d = 8;
  TestWeight weight({outputs, n}, 1, 0.01f);
  for (std::int64_t o = 0; o < outputs; ++o) {
    for (std::int64_t i = 0; i < n; ++i) {
      const std::int64_t pattern = (o + i / d) % 4;
      weight.values[o * n + i] +=
          5.0f + static_cast<float>(pattern) + (pattern % 2 == 0 ? 0.5f : -0.5f) * (i % d);
    }
  }
  const auto tensor = product_quantize(weight.view(), {.centroids = 4, .codebook = CodebookType::float32});
  double error = 0;
  const auto decoded = decode(tensor);
  for (std::int64_t i = 0; i < outputs * n; ++i) error += std::pow(double(decoded[i]) - weight.values[i], 2);
  EXPECT_NEAR(error / (outputs * n), 1e-4, 1e-5);
}

TEST(ProductQuantizer, ImportanceBuysPrecisionWhereItLies) {
  TestWeight weight({256, 32});
  const double even = error_of(weight, {.centroids = 64});
  weight.importance.assign(32, 1);
  EXPECT_NEAR(error_of(weight, {.centroids = 64}), even, 0.02 * even);
  for (std::int64_t c = 0; c < 32; ++c) weight.importance[c] = c % 8 < 2 ? 100.0f : 1.0f;
  TestWeight plain = weight;
  plain.importance.clear();
  const double unaware =
      relative_mse(weight.view(), decode(product_quantize(plain.view(), {.centroids = 64})));
  const double aware = error_of(weight, {.centroids = 64});
  EXPECT_LT(aware, unaware / 3);
}

// The three ways of saying it.
TEST(ProductQuantizer, ImportanceMeansTheSameInEachOfItsForms) {
  TestWeight weight({20, 6, 3});
  std::vector<float> channels(6), values(18), all(360);
  for (int c = 0; c < 6; ++c) channels[c] = static_cast<float>(1 + c * c);
  for (int i = 0; i < 360; ++i) all[i] = values[i % 18] = channels[i % 18 / 3];
  weight.importance = channels;
  const auto one = product_quantize(weight.view(), {.block_size = 4});
  for (const auto& form : {values, all}) {
    weight.importance = form;
    expect_same(one, product_quantize(weight.view(), {.block_size = 4}));
  }
  for (float& value : weight.importance) value *= 1024;  // in any unit
  expect_same(one, product_quantize(weight.view(), {.block_size = 4}));
}

TEST(ProductQuantizer, ScalingAWeightScalesItsCentroids) {
  TestWeight weight({64, 40});
  for (const bool weighted : {false, true}) {
    if (weighted) weight.importance.assign(40, 2);
    TestWeight scaled = weight;
    for (float& w : scaled.values) w *= 64;
    for (const auto type : {CodebookType::float32, CodebookType::int8}) {
      const auto one = product_quantize(weight.view(), {.centroids = 32, .codebook = type});
      const auto other = product_quantize(scaled.view(), {.centroids = 32, .codebook = type});
      EXPECT_EQ(one.packed, other.packed);
      for (std::int64_t i = 0; i < one.codebook->centroids.size(); ++i) {
        EXPECT_EQ(one.codebook->centroids.data()[i] * 64, other.codebook->centroids.data()[i]);
      }
    }
  }
}

TEST(ProductQuantizer, NormalizingUndoesTheSizesOfFilters) {
  TestWeight weight({32, 40});
  const ProductOptions options{.centroids = 32, .normalize_filters = true};
  const auto one = product_quantize(weight.view(), options);
  ASSERT_EQ(one.scale.size(), 32u);
  TestWeight scaled = weight;
  for (std::int64_t i = 0; i < 32 * 40; ++i)
    scaled.values[i] *= std::ldexp(1.0f, static_cast<int>(i / 40 % 7) - 3);
  const auto other = product_quantize(scaled.view(), options);
  EXPECT_EQ(one.packed, other.packed);
  for (int o = 0; o < 32; ++o) {
    EXPECT_FLOAT_EQ(std::ldexp(one.scale[o], o % 7 - 3), other.scale[o]);
    double squares = 0;
    for (int i = 0; i < 40; ++i) squares += double(weight.values[o * 40 + i]) * weight.values[o * 40 + i];
    EXPECT_FLOAT_EQ(one.scale[o], std::sqrt(squares / 40));
  }
  std::fill_n(weight.values.begin(), 40, 0.0f);  // a dead filter
  for (const float value : decode(product_quantize(weight.view(), options)))
    EXPECT_TRUE(std::isfinite(value));
}

// Quantizing with a permutation is quantizing the permuted weight and putting the channels back.
TEST(ProductQuantizer, PermutationIsThatOfTheChannels) {
  TestWeight weight({24, 10, 3, 3});
  weight.permutation.resize(10);
  std::iota(weight.permutation.begin(), weight.permutation.end(), 0);
  std::shuffle(weight.permutation.begin(), weight.permutation.end(), std::mt19937(3));
  TestWeight moved = weight;
  moved.permutation.clear();
  const auto at = [](std::int64_t o, std::int64_t c, std::int64_t p) { return (o * 10 + c) * 9 + p; };
  for (std::int64_t o = 0; o < 24; ++o) {
    for (std::int64_t c = 0; c < 10; ++c) {
      for (std::int64_t p = 0; p < 9; ++p) {
        moved.values[at(o, c, p)] = weight.values[at(o, weight.permutation[c], p)];
      }
    }
  }
  for (const auto layout : {BlockLayout::row, BlockLayout::input_channels}) {
    const ProductOptions options{.block_size = 4, .layout = layout};
    const auto one = product_quantize(weight.view(), options),
               other = product_quantize(moved.view(), options);
    expect_same(one, other);
    const auto straight = decode(one), permuted = decode(other);
    for (std::int64_t o = 0; o < 24; ++o) {
      for (std::int64_t c = 0; c < 10; ++c) {
        for (std::int64_t p = 0; p < 9; ++p) {
          ASSERT_EQ(straight[at(o, weight.permutation[c], p)], permuted[at(o, c, p)]);
        }
      }
    }
  }
}

TEST(ProductQuantizer, SeveralWeightsShareOneCodebook) {
  const TestWeight a({32, 24}), b({16, 8, 3, 3}, 2), c({20, 1, 3, 3}, 3);
  const std::vector<WeightView> weights{a.view(), b.view(), c.view()};
  const auto out = product_quantize(weights, {.centroids = 16, .layout = BlockLayout::input_channels});
  ASSERT_EQ(out.tensors.size(), 3u);
  for (std::size_t w = 0; w < 3; ++w) {
    EXPECT_EQ(out.tensors[w].codebook, out.tensors[0].codebook);
    EXPECT_EQ(decode(out.tensors[w]).size(), weights[w].values.size());
    EXPECT_LT(relative_mse(weights[w], decode(out.tensors[w])), 0.9);
  }
  EXPECT_EQ(out.tensors[1].layout, BlockLayout::input_channels);
  EXPECT_EQ(out.tensors[2].layout, BlockLayout::row);  // depthwise
  // Twice the same weight: the same codes, and the codebook of one.
  const std::vector<WeightView> twice{a.view(), a.view()};
  const auto both = product_quantize(twice, {.block_size = 8, .centroids = 24});
  EXPECT_EQ(both.tensors[0].packed, both.tensors[1].packed);
}

TEST(ProductQuantizer, AssigningToItsOwnCodebookChangesNothing) {
  TestWeight weight({48, 5, 3, 3});
  for (const bool weighted : {false, true}) {
    if (weighted) weight.importance = {1, 2, 3, 4, 5};
    for (const std::int64_t d : {9, 8}) {
      const ProductOptions options{.block_size = d, .centroids = 32, .normalize_filters = true};
      const auto tensor = product_quantize(weight.view(), options);
      const WeightView view = weight.view();
      const auto again = assign_codes({&view, 1}, tensor.codebook, options);
      expect_same(tensor, again.front());
    }
  }
}

TEST(ProductQuantizer, GoesOnFromGivenCentroids) {
  const TestWeight weight({128, 64});
  const WeightView view = weight.view();
  const ProductOptions options{.centroids = 64, .codebook = CodebookType::float32, .max_iterations = 1000};
  const auto first = product_quantize({&view, 1}, options);
  const auto again =
      product_quantize({&view, 1}, options, Context{}, first.tensors.front().codebook->centroids);
  EXPECT_LE(again.report.iterations, 2);
  expect_same(first.tensors.front(), again.tensors.front());
}

// Uniform scalar codes of 1 bit per weight are at 0.3634 [max1960quantizing], no code of that rate is below
// 1/4 (rate distortion); 8 dimensions at 256 centroids lie between. The same at ten times the blocks: the
// test of the rate, below.
TEST(ProductQuantizer, GaussianWeightsAtOneBitEach) {
  const TestWeight weight({1000, 800});
  const double mse = error_of(weight, {});
  EXPECT_LT(mse, 0.322);
  EXPECT_GT(mse, 0.25);
}

TEST(ProductQuantizer, SameBytesForAnyNumberOfThreads) {
  TestWeight weight({300, 77});
  for (const bool weighted : {false, true}) {
    if (weighted) weight.importance.assign(77, 1);
    const ProductOptions options{.block_size = 7, .normalize_filters = true};
    const WeightView view = weight.view();
    const auto one = product_quantize({&view, 1}, options, Context(1));
    for (const int threads : parsimony::testing::kThreadCounts) {
      const auto many = product_quantize({&view, 1}, options, Context(threads));
      expect_same(one.tensors.front(), many.tensors.front());
      EXPECT_EQ(one.report.objective_history, many.report.objective_history);
      EXPECT_EQ(decode(one.tensors.front(), Context(1)), decode(many.tensors.front(), Context(threads)));
    }
  }
}

TEST(ProductQuantizer, NamesWhatIsWrong) {
  TestWeight weight({8, 8});
  const auto refuses = [](const TestWeight& w, const ProductOptions& options, const std::string& piece) {
    expect_error(ErrorCode::invalid_argument, piece, [&] { product_quantize(w.view(), options); });
  };
  refuses(weight, {.block_size = 0}, "block");
  refuses(weight, {.centroids = 70000}, "centroids");
  weight.importance = {1, 2, 3};
  refuses(weight, {}, "3 values");
  weight.importance.assign(8, 0);
  refuses(weight, {}, "all values are 0");
  weight.importance[5] = -1;
  refuses(weight, {}, "value 5");
  weight.importance.clear();
  weight.values[42] = std::nanf("");
  refuses(weight, {}, "value 42");
  weight.values[42] = 1e6f;
  refuses(weight, {.block_size = 1, .blocks_per_centroid = 1}, "float16");
  expect_error(ErrorCode::invalid_argument, "no weights",
               [] { product_quantize(std::span<const WeightView>{}); });
}

TEST(Decode, RefusesFieldsThatDoNotFit) {
  const TestWeight weight({8, 8});
  const auto good =
      product_quantize(weight.view(), {.block_size = 4, .centroids = 5, .blocks_per_centroid = 1});
  const auto refuses = [&](const std::string& piece, const std::function<void(QuantizedTensor&)>& spoil) {
    QuantizedTensor tensor = good;
    spoil(tensor);
    expect_error(ErrorCode::invalid_argument, piece, [&] { decode(tensor); });
  };
  refuses("bytes hold", [](auto& t) { t.packed.own().resize(3); });
  refuses("factors", [](auto& t) { t.scale = {1, 2}; });
  refuses("codebook", [](auto& t) { t.codebook = nullptr; });
  refuses("2^40", [](auto& t) { t.shape = {std::int64_t{1} << 40, std::int64_t{1} << 40}; });
  refuses("permutation", [](auto& t) { t.channel_permutation = {0, 1, 2}; });
  refuses("5 centroids", [](auto& t) { t.packed.own()[0] = 0xFF; });
  refuses("integers", [](auto& t) { t.scheme = Scheme::integer, t.bits = 4; });
}

}  // namespace
}  // namespace parsimony::quant
