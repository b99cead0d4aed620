// Packed layers with tiles of integers.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "kernels/integer_rows.hpp"
#include "parsimony/quant/decode.hpp"
#include "parsimony/quant/packed_linear.hpp"
#include "quantized_weights.hpp"
#include "thread_counts.hpp"

namespace parsimony::quant::integer_tiles_test {
namespace {

constexpr TileProduct kIntegers[] = {TileProduct::integers8, TileProduct::integers7, TileProduct::integers6};

Matrix<float> product(const QuantizedTensor& weight, const Matrix<float>& x, TileProduct tiles,
                      const std::vector<float>& bias = {}, const Context& context = Context(1),
                      KeepTiles keep_tiles = KeepTiles::never) {
  const PackedLinear layer(weight, bias, {.tiles = tiles, .switch_batch = 1, .keep_tiles = keep_tiles});
  EXPECT_EQ(layer.integer_tiles(), tiles != TileProduct::floats);
  Matrix<float> y(x.rows(), layer.outputs());
  layer.multiply(x, y, context);
  return y;
}

double distance(const Matrix<float>& y, const Matrix<float>& right) {
  double error = 0, norm = 0;
  for (std::int64_t i = 0; i < y.size(); ++i) {
    error += std::pow(static_cast<double>(y.data()[i]) - right.data()[i], 2);
    norm += std::pow(static_cast<double>(right.data()[i]), 2);
  }
  return std::sqrt(error / norm);
}

QuantizedTensor grouped(std::vector<std::int64_t> shape, int bits, std::int64_t group, bool levels) {
  QuantizedTensor weight = random_integers(std::move(shape), bits, true);
  const std::int64_t count = weight.shape[0] * groups_of(values_of(weight), group);
  weight.group = group;
  weight.scale.clear();
  weight.zero_point.clear();
  for (std::int64_t i = 0; i < count; ++i) {
    weight.scale.push_back(0.01F * static_cast<float>(i % 5 + 1));
    if (!levels) weight.zero_point.push_back(static_cast<std::int32_t>(i * 3 % (1 << bits)));
  }
  if (levels) {
    for (int i = 0; i < 1 << bits; ++i) weight.levels.push_back(std::sinh(0.3F * static_cast<float>(i - 7)));
  }
  return weight;
}

struct Tried {
  const char* name;
  QuantizedTensor weight;
};

std::vector<Tried> weights() {
  return {{"product 8", random_product({131, 192}, random_codebook(256, 8), true)},
          {"product 4, inputs no multiple of 64", random_product({64, 100}, random_codebook(200, 4))},
          {"product 16", random_product({70, 128}, random_codebook(64, 16))},
          {"product 2, padded", random_product({9, 33}, random_codebook(16, 2), true)},
          {"product 1", random_product({9, 70}, random_codebook(16, 1))},
          {"kernels, permuted",
           random_product({33, 16, 3, 3}, random_codebook(128, 4), true, BlockLayout::input_channels, true)},
          {"int8 by outputs", random_integers({65, 130}, 8, true)},
          {"int8, one scale", random_integers({20, 64}, 8, false)},
          {"int4 by outputs", random_integers({65, 130}, 4, true)},
          {"int4 in groups of 64", grouped({65, 200}, 4, 64, false)},
          {"int3 in groups of 128", grouped({10, 300}, 3, 128, false)},
          {"levels in groups of 64", grouped({65, 200}, 4, 64, true)}};
}

// The errors that the header states, with room for the small weights of this test.
TEST(IntegerTiles, AreNearTheFloatProductForEveryScheme) {
  for (const auto& [name, weight] : weights()) {
    SCOPED_TRACE(name);
    const Matrix<float> x = normals(11, values_of(weight), 5);
    const std::vector<float> bias(weight.shape[0], 3.0F);
    const Matrix<float> right = product(weight, x, TileProduct::floats, bias);
    EXPECT_LT(distance(product(weight, x, TileProduct::integers8, bias), right), 0.016);
    EXPECT_LT(distance(product(weight, x, TileProduct::integers7, bias), right), 0.022);
    EXPECT_LT(distance(product(weight, x, TileProduct::integers6, bias), right), 0.035);
  }
}

// Without kept tiles, few rows are multiplied from the codes, and many from tiles: the same integers, added
// in another order.
TEST(IntegerTiles, FewRowsGiveWhatManyDo) {
  for (const auto& [name, weight] : weights()) {
    SCOPED_TRACE(name);
    if (weight.codebook) continue;
    Matrix<float> x = normals(40, values_of(weight), 5);
    x(0, 3) = 50;  // an outlier
    const std::vector<float> bias(weight.shape[0], 3.0F);
    for (const TileProduct tiles : kIntegers) {
      const Matrix<float> right = product(weight, x, tiles, bias);
      Matrix<float> few(2, x.cols()), expected(2, right.cols());
      std::copy_n(x.data(), few.size(), few.data());
      std::copy_n(right.data(), expected.size(), expected.data());
      EXPECT_LT(distance(product(weight, few, tiles, bias), expected), 2e-6);
    }
  }
}

TEST(IntegerTiles, ThatAreKeptGiveTheSameBytes) {
  for (const auto& [name, weight] : weights()) {
    SCOPED_TRACE(name);
    Matrix<float> x = normals(23, values_of(weight), 5);
    x(4, 3) = 50;  // an outlier
    const std::vector<float> bias(weight.shape[0], 3.0F);
    for (const TileProduct tiles : kIntegers) {
      const Matrix<float> right = product(weight, x, tiles, bias);
      for (const int threads : {1, 3}) {
        const Matrix<float> y = product(weight, x, tiles, bias, Context(threads), KeepTiles::always);
        ASSERT_TRUE(std::equal(y.values().begin(), y.values().end(), right.values().begin())) << threads;
      }
      Matrix<float> few(1, x.cols()), expected(1, right.cols());
      std::copy_n(x.data(), few.size(), few.data());
      std::copy_n(right.data(), expected.size(), expected.data());
      const Matrix<float> one = product(weight, few, tiles, bias, Context(1), KeepTiles::always);
      EXPECT_LT(distance(one, expected), 2e-6);
    }
  }
}

// Kept tiles pay for fewer rows of products: the rows between the two switches take them in place of tables,
// and all others have the same bytes.
TEST(IntegerTiles, ThatAreKeptTakeOverFromTablesEarlier) {
  const QuantizedTensor weight = random_product({256, 1024}, random_codebook(256, 8));
  const auto layer = [&](KeepTiles keep_tiles, std::int64_t switch_batch = 0) {
    return PackedLinear(
        weight, {},
        {.tiles = TileProduct::integers7, .switch_batch = switch_batch, .keep_tiles = keep_tiles});
  };
  const PackedLinear never = layer(KeepTiles::never), always = layer(KeepTiles::always),
                     tables = layer(KeepTiles::never, 1 << 30), tiles = layer(KeepTiles::never, 1);
  const auto values = [](const PackedLinear& of, std::int64_t rows) {
    Matrix<float> y(rows, of.outputs());
    of.multiply(normals(rows, of.inputs(), 5), y, Context(1));
    return std::vector<float>(y.values().begin(), y.values().end());
  };
  ASSERT_LE(always.switch_batch(), never.switch_batch());
  for (std::int64_t rows = 1; rows <= never.switch_batch() + 2; ++rows) {
    SCOPED_TRACE(rows);
    EXPECT_EQ(values(always, rows), values(rows < always.switch_batch() ? tables : tiles, rows));
    EXPECT_EQ(values(never, rows), values(rows < never.switch_batch() ? tables : tiles, rows));
  }
  // A switch that is given holds for both.
  for (const std::int64_t rows : {4, 5}) {
    EXPECT_EQ(values(layer(KeepTiles::always, 5), rows), values(layer(KeepTiles::never, 5), rows)) << rows;
  }
}

// By themselves, tiles of bytes take the place of codes of bytes, and no other codes grow.
TEST(IntegerTiles, AreKeptWhereTheyAreAsSmallAsTheirCodes) {
  const auto bytes = [](const QuantizedTensor& weight, KeepTiles keep_tiles) {
    return PackedLinear(weight, {}, {.tiles = TileProduct::integers8, .keep_tiles = keep_tiles}).bytes();
  };
  using enum KeepTiles;
  constexpr std::int64_t kWeights = std::int64_t{256} * 512;
  const QuantizedTensor eight = random_integers({256, 512}, 8, true), four = grouped({256, 512}, 4, 64, true),
                        products = random_product({256, 512}, random_codebook(256, 8));
  EXPECT_EQ(bytes(eight, automatic), bytes(eight, always));
  EXPECT_EQ(bytes(eight, automatic), bytes(eight, never) + kWeights / 16);
  for (const QuantizedTensor& weight : {four, products}) {
    EXPECT_EQ(bytes(weight, automatic), bytes(weight, never));
    EXPECT_GT(bytes(weight, always), kWeights);
  }
  // No product needs a tile of its own then.
  const auto of_product = [&](KeepTiles keep_tiles) {
    return PackedLinear(eight, {}, {.tiles = TileProduct::integers8, .keep_tiles = keep_tiles})
        .product_bytes(16, 1);
  };
  EXPECT_LE(of_product(always) + (std::int64_t{1} << 15), of_product(never));
}

// The zero point times the sum of a row: a huge outlier in that sum would leave no digits to the others.
TEST(IntegerTiles, AHugeInputTakesNoDigitsFromTheZeroPoint) {
  QuantizedTensor weight = random_integers({65, 64}, 8, true);
  weight.zero_point.assign(65, 128);
  std::vector<std::uint16_t> codes(65 * 64, 200);
  for (std::int64_t o = 0; o < 65; ++o) codes[o * 64] = 128;  // 0, so that the huge input counts as nothing
  weight.packed = pack_codes(codes, 8);
  for (const std::int64_t rows : {2, 12}) {
    Matrix<float> x(rows, 64);
    std::fill(x.values().begin(), x.values().end(), 1.0F);
    for (std::int64_t r = 0; r < rows; ++r) x(r, 0) = 1e9F;
    const Matrix<float> y = product(weight, x, TileProduct::integers8);
    for (std::int64_t o = 0; o < 65; ++o) {
      const float right = weight.scale[o] * 63 * 72;
      EXPECT_NEAR(y(0, o), right, 1e-5 * right) << rows << " rows, output " << o;
    }
  }
}

// An input of thirty deviations would leave few digits to the 63 others of its segment.
TEST(IntegerTiles, OutlierInputsAreMultipliedApart) {
  for (const auto& [name, weight] : weights()) {
    SCOPED_TRACE(name);
    for (const std::int64_t rows : {2, 12}) {
      Matrix<float> x = normals(rows, values_of(weight), 5);
      const Matrix<float> plain = product(weight, x, TileProduct::integers7);
      const double before = distance(plain, product(weight, x, TileProduct::floats));
      for (std::int64_t r = 0; r < rows; ++r) x(r, 7 * r % x.cols()) = r % 2 == 0 ? 30.0F : -30.0F;
      const double after =
          distance(product(weight, x, TileProduct::integers7), product(weight, x, TileProduct::floats));
      EXPECT_LT(after, 1.1 * before + 1e-3) << before;
    }
  }
}

TEST(IntegerTiles, ManyRowsEqualTheirParts) {
  const QuantizedTensor weight = random_product({70, 128}, random_codebook(64, 8));
  const Matrix<float> x = normals(2100, 128, 5);
  for (const TileProduct tiles : {TileProduct::floats, TileProduct::integers8}) {
    const Matrix<float> y = product(weight, x, tiles);
    Matrix<float> last(100, 128), right(100, 70);
    std::copy_n(x.row(2000).data(), last.size(), last.data());
    std::copy_n(y.row(2000).data(), right.size(), right.data());
    EXPECT_LT(distance(product(weight, last, tiles), right), 1e-6);
  }
}

// x and centroids that bytes hold exactly: multiples of the scale of their segment, which reaches the most
// that the bytes can hold.
TEST(IntegerTiles, AreExactWhereBytesHoldAllValues) {
  auto codebook = std::make_shared<Codebook>();
  codebook->centroids = Matrix<float>(256, 8);
  const RandomStream stream(4, "test");
  for (std::int64_t i = 0; i < codebook->centroids.size(); ++i) {
    codebook->centroids.data()[i] =
        (static_cast<float>(stream.below(127, i)) - 63) / (i / 8 % 2 == 0 ? 1.0F : 2.0F) * 2;
  }
  for (auto& value : codebook->centroids.values()) value = std::round(value / 2) * 2;
  for (std::int64_t k = 0; k < 256; ++k) codebook->centroids(k, k % 8) = k % 2 == 0 ? 126.0F : -126.0F;
  const QuantizedTensor weight = random_product({130, 256}, codebook);
  Matrix<float> x(9, 256);
  for (std::int64_t i = 0; i < x.size(); ++i) {
    x.data()[i] = 0.25F * (static_cast<float>(stream.below(127, 100000 + i)) - 63);
    if (i % 64 == 17) x.data()[i] = 0.25F * 63;
  }
  const Matrix<float> right = product(weight, x, TileProduct::floats);
  const Matrix<float> y = product(weight, x, TileProduct::integers6);
  for (std::int64_t i = 0; i < y.size(); ++i) ASSERT_EQ(y.data()[i], right.data()[i]) << i;
}

// A centroid a hundred times larger than the others, used by two blocks, must not coarsen the others.
TEST(IntegerTiles, OutliersLeaveTheOtherCentroidsTheirDigits) {
  auto codebook = std::make_shared<Codebook>();
  codebook->centroids = normals(256, 8, 7);
  for (float& value : codebook->centroids.row(77)) value *= 100;
  QuantizedTensor weight = random_product({128, 512}, codebook);
  for (auto& code : weight.packed.own()) code = code == 77 ? 78 : code;
  weight.packed.own()[200] = 77;
  weight.packed.own()[5000] = 77;
  Matrix<float> x = normals(16, 512, 9);
  // The inputs of the two blocks are 0 in the first row, whose outputs then come from the others alone.
  for (std::int64_t i = 0; i < 8; ++i) x(0, 200 % 64 * 8 + i) = x(0, 5000 % 64 * 8 + i) = 0;
  const Matrix<float> right = product(weight, x, TileProduct::floats);
  const Matrix<float> y = product(weight, x, TileProduct::integers8);
  Matrix<float> first(1, 128), first_right(1, 128);
  std::copy_n(y.data(), 128, first.data());
  std::copy_n(right.data(), 128, first_right.data());
  EXPECT_LT(distance(first, first_right), 0.015);
  EXPECT_LT(distance(y, right), 0.015);
}

TEST(IntegerTiles, SameBytesForAnyNumberOfThreads) {
  for (const auto& [name, weight] : weights()) {
    SCOPED_TRACE(name);
    const Matrix<float> x = normals(21, values_of(weight), 5);
    for (const TileProduct tiles : kIntegers) {
      const Matrix<float> one = product(weight, x, tiles);
      for (const int threads : {2, 3}) {
        const Matrix<float> many = product(weight, x, tiles, {}, Context(threads));
        ASSERT_TRUE(std::equal(one.values().begin(), one.values().end(), many.values().begin()));
      }
    }
  }
}

TEST(IntegerTiles, RowsThatAreNotFiniteBecomeNan) {
  const QuantizedTensor weight = random_product({20, 128}, random_codebook(256, 8));
  Matrix<float> x = normals(3, 128, 5);
  x(1, 100) = std::numeric_limits<float>::infinity();
  const Matrix<float> y = product(weight, x, TileProduct::integers8);
  for (std::int64_t o = 0; o < y.cols(); ++o) {
    EXPECT_TRUE(std::isfinite(y(0, o)) && std::isfinite(y(2, o)));
    EXPECT_TRUE(std::isnan(y(1, o)));
  }
}

// See PackedLinear: these have no tiles of signed bytes.
TEST(IntegerTiles, OtherWeightsTakeFloats) {
  for (const QuantizedTensor& weight :
       {random_product({20, 128}, random_codebook(300, 8)), random_product({20, 129}, random_codebook(16, 3)),
        grouped({8, 96}, 4, 32, false), grouped({8, 128}, 8, 64, false)}) {
    const PackedLinear layer(weight, {}, {.tiles = TileProduct::integers8});
    EXPECT_FALSE(layer.integer_tiles());
  }
}

// Tables of few outputs pay late, on any processor.
TEST(IntegerTiles, AreChosenFromAFewRowsOn) {
  const PackedLinear layer(random_product({256, 1024}, random_codebook(256, 8)), {},
                           {.tiles = TileProduct::integers7});
  EXPECT_GE(layer.switch_batch(), 2);
  EXPECT_LE(layer.switch_batch(), 12);
}

}  // namespace
}  // namespace parsimony::quant::integer_tiles_test
