#include "parsimony/quant/packed_linear.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "expect_error.hpp"
#include "parsimony/quant/decode.hpp"
#include "quantized_weights.hpp"

namespace parsimony::quant {
namespace {

constexpr TableAccuracy kAccuracies[] = {TableAccuracy::tables8, TableAccuracy::tables16,
                                         TableAccuracy::exact};
constexpr std::int64_t kNeverDecode = 1 << 30;

// x Wᵀ + bias in float64.
Matrix<double> dense_product(const QuantizedTensor& weight, const Matrix<float>& x,
                             const std::vector<float>& bias = {}) {
  const Matrix<float> w = dense(weight);
  Matrix<double> y(x.rows(), w.rows());
  for (std::int64_t r = 0; r < x.rows(); ++r) {
    for (std::int64_t o = 0; o < w.rows(); ++o) {
      double sum = bias.empty() ? 0 : bias[o];
      for (std::int64_t i = 0; i < w.cols(); ++i) sum += double(w(o, i)) * x(r, i);
      y(r, o) = sum;
    }
  }
  return y;
}

Matrix<float> product(const PackedLinear& layer, const Matrix<float>& x,
                      const Context& context = Context(1)) {
  Matrix<float> y(x.rows(), layer.outputs());
  layer.multiply(x, y, context);
  return y;
}

double relative_error(const Matrix<float>& y, const Matrix<double>& exact) {
  double error = 0, norm = 0;
  for (std::int64_t i = 0; i < y.size(); ++i) {
    error += std::pow(y.data()[i] - exact.data()[i], 2);
    norm += std::pow(exact.data()[i], 2);
  }
  return std::sqrt(error / norm);
}

// The bound of the header for every output: 1.5 · range / 510 per table, and float32 rounding, which is that
// of the inner products and of one addition per step.
double budget(const QuantizedTensor& weight, std::span<const float> x, TableAccuracy accuracy) {
  const Matrix<float>& centroids = weight.codebook->centroids;
  const std::int64_t d = centroids.cols();
  double radius = 0, largest_x = 0, ranges = 0, magnitude = 0;
  for (std::int64_t k = 0; k < centroids.rows(); ++k) {
    double norm = 0;
    for (const float value : centroids.row(k)) norm += double(value) * value;
    radius = std::max(radius, std::sqrt(norm));
  }
  for (const float value : x) largest_x = std::max(largest_x, std::abs(double(value)));
  const double narrowest = 2 * radius * std::sqrt(double(d)) * largest_x * 0x1p-10;
  for (std::int64_t begin = 0; begin < std::ssize(x); begin += d) {
    double least = HUGE_VAL, most = -HUGE_VAL, largest = 0;
    for (std::int64_t k = 0; k < centroids.rows(); ++k) {
      double sum = 0, absolute = 0;
      for (std::int64_t j = 0; j < d && begin + j < std::ssize(x); ++j) {
        sum += double(x[begin + j]) * centroids(k, j);
        absolute += std::abs(double(x[begin + j]) * centroids(k, j));
      }
      least = std::min(least, sum);
      most = std::max(most, sum);
      largest = std::max(largest, absolute);
    }
    ranges += std::max(most - least, narrowest);
    magnitude += largest;
  }
  const double rounding = 4e-6 * magnitude + 1e-30;
  if (accuracy == TableAccuracy::exact || centroids.rows() > 256) return rounding;
  return 1.5 * ranges / (accuracy == TableAccuracy::tables8 ? 510 : 131070) + rounding;
}

TEST(PackedLinear, IsWithinItsBudgetOfTheDenseProductForEveryShape) {
  for (const std::int64_t centroids : {1, 2, 3, 16, 17, 40, 64, 100, 128, 129, 256, 300, 700}) {
    for (const std::int64_t outputs : {1, 63, 64, 65, 200, 513}) {
      for (const std::int64_t d : {1, 3, 4, 8, 9}) {
        const std::int64_t inputs = 1 + (outputs * 7 + centroids + d) % 61;
        const QuantizedTensor weight = random_product({outputs, inputs}, random_codebook(centroids, d));
        const Matrix<float> x = normals(2, inputs, 4);
        const Matrix<double> exact = dense_product(weight, x);
        for (const TableAccuracy accuracy : kAccuracies) {
          SCOPED_TRACE(::testing::Message() << outputs << " × " << inputs << ", K " << centroids << ", d "
                                            << d << ", " << enum_name(accuracy));
          const PackedLinear layer(weight, {}, {.accuracy = accuracy, .switch_batch = kNeverDecode});
          ASSERT_EQ(layer.inputs(), inputs);
          ASSERT_EQ(layer.outputs(), outputs);
          const Matrix<float> y = product(layer, x);
          for (std::int64_t r = 0; r < x.rows(); ++r) {
            const double most = budget(weight, x.row(r), accuracy);
            for (std::int64_t o = 0; o < outputs; ++o) ASSERT_NEAR(y(r, o), exact(r, o), most) << o;
          }
        }
      }
    }
  }
}

TEST(PackedLinear, ErrsByLessThanItsAccuracy) {
  for (const std::int64_t centroids : {16, 64, 256}) {
    for (const std::int64_t d : {4, 8}) {
      const QuantizedTensor weight = random_product({768, 1536}, random_codebook(centroids, d), true);
      const Matrix<float> x = normals(3, 1536, 5);
      const Matrix<double> exact = dense_product(weight, x);
      const auto error = [&](TableAccuracy accuracy) {
        return relative_error(
            product(PackedLinear(weight, {}, {.accuracy = accuracy, .switch_batch = kNeverDecode}), x),
            exact);
      };
      EXPECT_LT(error(TableAccuracy::tables8), 1.5e-2) << centroids << ' ' << d;
      EXPECT_LT(error(TableAccuracy::tables16), 1e-4) << centroids << ' ' << d;
      EXPECT_LT(error(TableAccuracy::exact), 2e-6) << centroids << ' ' << d;
    }
  }
}

// Activations have outliers: a scale for all tables together would lose the others.
TEST(PackedLinear, KeepsItsAccuracyBesideOutliers) {
  const QuantizedTensor weight = random_product({640, 2048}, random_codebook(256, 8));
  for (const float outlier : {30.0f, 300.0f, 3000.0f}) {
    Matrix<float> x = normals(1, 2048, 6);
    for (const std::int64_t i : {3, 700, 701, 1999}) x(0, i) *= outlier;
    const Matrix<double> exact = dense_product(weight, x);
    EXPECT_LT(relative_error(product(PackedLinear(weight), x), exact), 1.5e-2);
    const PackedLinear accurate(weight, {}, {.accuracy = TableAccuracy::tables16});
    EXPECT_LT(relative_error(product(accurate, x), exact), 1e-4);
  }
}

TEST(PackedLinear, TakesEveryLayoutAndFoldsInScaleAndBias) {
  for (const auto& shape :
       {std::vector<std::int64_t>{70, 24}, {66, 10, 3, 3}, {33, 12, 5}, {5, 3, 2, 2, 2}}) {
    for (const BlockLayout layout : {BlockLayout::row, BlockLayout::input_channels}) {
      for (const bool permuted : {false, true}) {
        const QuantizedTensor weight = random_product(shape, random_codebook(50, 4), true, layout, permuted);
        const Matrix<float> x = normals(3, values_of(weight), 7);
        const Matrix<float> some = normals(1, shape[0], 8);
        const std::vector<float> bias(some.values().begin(), some.values().end());
        const Matrix<double> exact = dense_product(weight, x, bias);
        for (const std::int64_t switch_batch : {std::int64_t{1}, kNeverDecode}) {
          const PackedLinear layer(weight, bias,
                                   {.accuracy = TableAccuracy::exact, .switch_batch = switch_batch});
          EXPECT_LT(relative_error(product(layer, x), exact), 2e-6) << enum_name(layout) << permuted;
        }
      }
    }
  }
}

TEST(PackedLinear, DecodesTilesForBatches) {
  for (const std::int64_t rows : {1, 15, 16, 17, 33, 70}) {
    for (const std::int64_t outputs : {1, 64, 130}) {
      const QuantizedTensor weight = random_product({outputs, 1090}, random_codebook(200, 8), true);
      const Matrix<float> x = normals(rows, 1090, 9);
      const PackedLinear layer(weight, {}, {.switch_batch = 1});
      EXPECT_EQ(layer.switch_batch(), 1);
      EXPECT_LT(relative_error(product(layer, x), dense_product(weight, x)), 2e-6) << rows << ' ' << outputs;
    }
  }
}

TEST(PackedLinear, MultipliesIntegers) {
  for (const int bits : {2, 4, 8}) {
    for (const bool per_row : {false, true}) {
      const QuantizedTensor weight = random_integers({77, 35, 3}, bits, per_row);
      const Matrix<float> x = normals(20, 105, 10);
      EXPECT_LT(relative_error(product(PackedLinear(weight), x), dense_product(weight, x)), 5e-6);
    }
  }
}

TEST(PackedLinear, GivesTheSameBytesWithAnyNumberOfThreads) {
  const QuantizedTensor weight = random_product({1100, 700}, random_codebook(256, 8), true);
  const Matrix<float> x = normals(19, 700, 11);
  for (const TableAccuracy accuracy : kAccuracies) {
    for (const std::int64_t switch_batch : {std::int64_t{1}, kNeverDecode}) {
      const PackedLinear layer(weight, {}, {.accuracy = accuracy, .switch_batch = switch_batch});
      const Matrix<float> one = product(layer, x, Context(1));
      for (const int threads : {2, 3}) {
        const Matrix<float> more = product(layer, x, Context(threads));
        ASSERT_TRUE(std::equal(one.data(), one.data() + one.size(), more.data())) << threads;
      }
    }
  }
}

TEST(PackedLinear, TreatsEveryRowOfABatchAlone) {
  const QuantizedTensor weight = random_product({300, 260}, random_codebook(256, 8));
  Matrix<float> x = normals(21, 260, 12);
  for (std::int64_t i = 0; i < 260; ++i) x(3, i) *= 1e6f;
  for (const TableAccuracy accuracy : kAccuracies) {
    const PackedLinear layer(weight, {}, {.accuracy = accuracy, .switch_batch = kNeverDecode});
    const Matrix<float> all = product(layer, x);
    Matrix<float> one(1, 300);
    for (std::int64_t r = 0; r < x.rows(); ++r) {
      layer.multiply({x.row(r).data(), 1, 260}, one, Context(1));
      ASSERT_TRUE(std::equal(one.data(), one.data() + 300, all.row(r).data())) << r;
    }
  }
}

TEST(PackedLinear, MakesZerosOfZerosAndNothingOfWhatIsNotFinite) {
  const QuantizedTensor weight = random_product({70, 40}, random_codebook(256, 8));
  for (const TableAccuracy accuracy : kAccuracies) {
    const PackedLinear layer(weight, {}, {.accuracy = accuracy, .switch_batch = kNeverDecode});
    Matrix<float> x(4, 40);
    x(1, 17) = std::numeric_limits<float>::quiet_NaN();
    x(2, 39) = -std::numeric_limits<float>::infinity();
    x(3, 0) = 1e-20f;
    const Matrix<float> y = product(layer, x);
    for (std::int64_t o = 0; o < 70; ++o) {
      EXPECT_NEAR(y(0, o), 0, 1e-25);
      EXPECT_TRUE(std::isnan(y(1, o)));
      EXPECT_TRUE(std::isnan(y(2, o)));
      EXPECT_LT(std::abs(y(3, o)), 1e-18);
    }
  }
}

TEST(TableSet, ServesAllLayersOfOneCodebook) {
  const auto codebook = random_codebook(256, 8);
  const QuantizedTensor first = random_product({192, 256}, codebook, true, BlockLayout::row, false, 21);
  const QuantizedTensor second = random_product({70, 256}, codebook, false, BlockLayout::row, false, 22);
  const Matrix<float> x = normals(5, 256, 13);
  for (const TableAccuracy accuracy : kAccuracies) {
    const PackedLinearOptions options{.accuracy = accuracy, .switch_batch = kNeverDecode};
    const PackedLinear a(first, {}, options), b(second, {}, options);
    const TableSet tables = a.tables(x, Context(2));
    EXPECT_EQ(tables.rows(), 5);
    for (const PackedLinear* layer : {&a, &b}) {
      const Matrix<float> expected = product(*layer, x);
      Matrix<float> y(5, layer->outputs());
      layer->multiply(tables, y, Context(2));
      EXPECT_TRUE(std::equal(y.data(), y.data() + y.size(), expected.data()));
    }
  }
}

TEST(TableSet, IsRefusedByOtherLayers) {
  const QuantizedTensor weight = random_product({64, 64}, random_codebook(256, 8));
  const PackedLinear layer(weight), accurate(weight, {}, {.accuracy = TableAccuracy::tables16}),
      other(random_product({64, 64}, random_codebook(256, 8))),
      shorter(random_product({64, 56}, weight.codebook)),
      permuted(random_product({64, 64}, weight.codebook, false, BlockLayout::row, true));
  const TableSet tables = layer.tables(normals(1, 64, 1));
  Matrix<float> y(1, 64);
  for (const PackedLinear* stranger : {&accurate, &other, &shorter, &permuted}) {
    expect_error(ErrorCode::invalid_argument, "tables: ", [&] { stranger->multiply(tables, y); });
  }
  expect_error(ErrorCode::invalid_argument, "only products", [] {
    PackedLinear(random_integers({4, 4}, 8, false)).tables(normals(1, 4, 1));
  });
}

TEST(PackedLinear, RefusesWhatDoesNotFit) {
  const auto expect = [](const std::string& piece, const auto& change) {
    QuantizedTensor weight = random_product({6, 16}, random_codebook(5, 4));
    change(weight);
    expect_error(ErrorCode::invalid_argument, piece, [&] { PackedLinear{weight}; });
    expect_error(ErrorCode::invalid_argument, piece, [&] { PackedEmbedding{weight}; });
  };
  expect("has 1 dimension", [](auto& w) { w.shape = {6}; });
  expect("every dimension must be at least 1", [](auto& w) { w.shape = {0, 16}; });
  expect("at most 2^40", [](auto& w) { w.shape = {std::int64_t{1} << 62, 16}; });
  expect("codes have 17 bits", [](auto& w) { w.bits = 17; });
  expect("product: has no codebook", [](auto& w) { w.codebook = nullptr; });
  expect("5 factors", [](auto& w) { w.scale.assign(5, 1); });
  expect("24 codes of 3 bits need 9 bytes, there are 8", [](auto& w) { w.packed.own().pop_back(); });
  expect("24 codes of 3 bits need 9 bytes, there are 10", [](auto& w) { w.packed.own().push_back(0); });
  expect("there are 5 centroids", [](auto& w) { w.packed.own()[3] = 0xff; });
  expect("permutation", [](auto& w) { w.channel_permutation.assign(16, 1); });
  expect("channel permutation: has 2 entries", [](auto& w) { w.channel_permutation = {1, 0}; });
  const QuantizedTensor weight = random_product({6, 16}, random_codebook(5, 4));
  expect_error(ErrorCode::invalid_argument, "bias", [&] { PackedLinear(weight, std::vector<float>(5)); });
  expect_error(ErrorCode::invalid_argument, "switch_batch",
               [&] { PackedLinear(weight, {}, {.switch_batch = -1}); });
  Matrix<float> x(2, 16), y(2, 5);
  expect_error(ErrorCode::invalid_argument, "y: is 2 × 5; must be 2 × 6",
               [&] { PackedLinear(weight).multiply(x, y); });
}

// decode and the packed layers refuse the same tensors.
TEST(PackedLinear, RefusesWhatDecodeRefuses) {
  const auto expect = [](const std::string& piece, const QuantizedTensor& weight) {
    expect_error(ErrorCode::invalid_argument, piece, [&] { decode(weight); });
    expect_error(ErrorCode::invalid_argument, piece, [&] { PackedLinear{weight}; });
    expect_error(ErrorCode::invalid_argument, piece, [&] { PackedEmbedding{weight}; });
  };
  QuantizedTensor integers = random_integers({3, 4}, 4, true);
  integers.channel_permutation = {3, 2, 1, 0};
  expect("integers: have a channel permutation", integers);
  integers = random_integers({3, 4}, 4, true);
  integers.codebook = random_codebook(5, 4);
  expect("integers: have a codebook", integers);
  QuantizedTensor product = random_product({6, 16}, random_codebook(5, 4));
  product.zero_point.assign(6, 1);
  expect("product: has 6 zero points", product);
  expect("block_size: 16384", random_product({2, 16384}, random_codebook(2, 16384)));
}

TEST(PackedLinear, TakesAnyZeroPoint) {
  for (const std::int32_t zero :
       {std::numeric_limits<std::int32_t>::min(), std::numeric_limits<std::int32_t>::max()}) {
    QuantizedTensor weight = random_integers({70, 12}, 8, true);
    weight.zero_point.assign(70, zero);
    const std::vector<float> decoded = decode(weight);
    Matrix<float> unit(1, 12);
    unit(0, 5) = 1;
    const Matrix<float> y = product(PackedLinear(weight), unit);
    Matrix<float> row(1, 12);
    PackedEmbedding(weight).lookup(std::vector<std::int64_t>{69}, row);
    EXPECT_EQ(decoded[0], weight.scale[0] * -static_cast<float>(zero));  // a code is less than their step
    for (std::int64_t o = 0; o < 70; ++o) ASSERT_EQ(y(0, o), decoded[o * 12 + 5]) << o;
    for (std::int64_t i = 0; i < 12; ++i) ASSERT_EQ(row(0, i), decoded[69 * 12 + i]) << i;
  }
}

TEST(PackedEmbedding, GivesTheRowsOfTheDenseWeight) {
  std::vector<QuantizedTensor> weights;
  for (const std::int64_t centroids : {1, 5, 256, 1000}) {
    weights.push_back(random_product({40, 19}, random_codebook(centroids, 4), true));
    weights.push_back(random_product({40, 20}, random_codebook(centroids, 8), false, BlockLayout::row, true));
  }
  for (const int bits : {3, 8}) weights.push_back(random_integers({40, 11}, bits, bits == 3));
  for (const QuantizedTensor& weight : weights) {
    const Matrix<float> expected = dense(weight);
    const std::vector<float> decoded = decode(weight);
    ASSERT_TRUE(
        std::equal(decoded.begin(), decoded.end(), expected.data(), expected.data() + expected.size()));
    const PackedEmbedding embedding(weight);
    const std::vector<std::int64_t> indices{39, 0, 7, 7, 20};
    Matrix<float> out(5, embedding.dimension());
    embedding.lookup(indices, out);
    for (std::size_t i = 0; i < indices.size(); ++i) {
      for (std::int64_t j = 0; j < out.cols(); ++j) ASSERT_EQ(out(i, j), expected(indices[i], j));
    }
    EXPECT_GE(embedding.bytes(), static_cast<std::int64_t>(weight.packed.size()));
    expect_error(ErrorCode::invalid_argument, "index 0 is 40", [&] {
      embedding.lookup(std::vector<std::int64_t>{40}, {out.data(), 1, out.cols()});
    });
  }
}

}  // namespace
}  // namespace parsimony::quant
