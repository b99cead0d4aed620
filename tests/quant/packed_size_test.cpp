// The memory of packed layers before they are made, beside their own count.
#include "quant/packed/packed_size.hpp"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

#include "quantized_weights.hpp"

namespace parsimony::quant::packed_size_test {
namespace {

constexpr KeepTiles kKeep[] = {KeepTiles::automatic, KeepTiles::never, KeepTiles::always};

QuantizedTensor grouped(std::vector<std::int64_t> shape, int bits, std::int64_t group, bool levels) {
  QuantizedTensor weight = random_integers(std::move(shape), bits, true);
  const std::int64_t count = weight.shape[0] * groups_of(values_of(weight), group);
  weight.group = group;
  weight.scale.assign(count, 0.01F);
  weight.zero_point.assign(levels ? 0 : count, 1);
  if (levels) weight.levels.assign(std::size_t{1} << bits, 0.5F);
  return weight;
}

// Codes by the second dimension.
QuantizedTensor turned(QuantizedTensor weight) {
  std::swap(weight.shape[0], weight.shape[1]);
  weight.axes = {{1}, {0}};
  return weight;
}

std::vector<QuantizedTensor> weights() {
  std::vector<QuantizedTensor> out;
  for (const std::int64_t width : {64, 65, 127, 128, 200}) {
    for (const std::int64_t outputs : {1, 65, 130}) {
      for (const int bits : {2, 3, 4, 5, 8}) {
        out.push_back(random_integers({outputs, width}, bits, true));
        out.push_back(random_integers({outputs, width}, bits, false));
        out.push_back(grouped({outputs, width}, bits, 64, true));
        out.push_back(grouped({outputs, width}, bits, 64, false));
        out.push_back(grouped({outputs, width}, bits, 32, false));
        out.push_back(turned(random_integers({outputs, width}, bits, true)));
      }
      for (const std::int64_t d : {1, 2, 3, 4, 8}) {
        out.push_back(random_product({outputs, width}, random_codebook(256, d), true));
        out.push_back(random_product({outputs, width}, random_codebook(17, d)));
        out.push_back(random_product({outputs, width}, random_codebook(300, d)));
        out.push_back(turned(random_product({outputs, width}, random_codebook(64, d))));
      }
    }
  }
  out.push_back(
      random_product({33, 15, 3, 3}, random_codebook(128, 4), true, BlockLayout::input_channels, true));
  return out;
}

TEST(PackedBytes, AreNotBelowThoseOfTheLayer) {
  for (const QuantizedTensor& weight : weights()) {
    SCOPED_TRACE(::testing::Message()
                 << enum_name(weight.scheme) << ", " << weight.bits << " bits, " << weight.shape[0] << " x "
                 << weight.shape[1] << ", group " << weight.group);
    const std::vector<float> bias(coded_shape(weight.shape, weight.axes)[0], 3.0F);
    for (const TileProduct tiles : {TileProduct::floats, TileProduct::integers8, TileProduct::integers6}) {
      for (const KeepTiles keep_tiles : kKeep) {
        const PackedLinearOptions options{.tiles = tiles, .keep_tiles = keep_tiles};
        ASSERT_GE(most_packed_bytes(weight, options).total(), PackedLinear(weight, bias, options).bytes())
            << enum_name(tiles) << ", " << enum_name(keep_tiles);
      }
    }
    ASSERT_GE(most_embedding_bytes(weight), weight.shape.size() == 2 ? PackedEmbedding(weight).bytes() : 0);
  }
}

TEST(PackedBytes, HaveTilesWhereTheLayerKeepsThem) {
  const auto bytes = [](const QuantizedTensor& weight, KeepTiles keep_tiles,
                        TileProduct tiles = TileProduct::integers8) {
    return most_packed_bytes(weight, {.tiles = tiles, .keep_tiles = keep_tiles});
  };
  using enum KeepTiles;
  constexpr std::int64_t kWeights = std::int64_t{64} * 128, kTiles = kWeights + kWeights / 16;
  const QuantizedTensor eight = random_integers({64, 128}, 8, true),
                        four = random_integers({64, 128}, 4, true), odd = random_integers({64, 127}, 4, true),
                        products = random_product({64, 128}, random_codebook(256, 8));
  for (const QuantizedTensor& weight : {eight, odd}) {
    EXPECT_EQ(bytes(weight, automatic).tiles, kTiles);
    EXPECT_EQ(bytes(weight, automatic).codes, 0);
    EXPECT_EQ(bytes(weight, never).codes, values_of(weight) * 64);
  }
  for (const auto& [weight, codes] : {std::pair{four, kWeights / 2}, std::pair{products, kWeights / 8}}) {
    EXPECT_EQ(bytes(weight, automatic).tiles, 0);
    EXPECT_EQ(bytes(weight, automatic).codes, codes);
    EXPECT_EQ(bytes(weight, always).tiles, kTiles);
    EXPECT_EQ(bytes(weight, always).codes, weight.codebook ? codes : 0);  // tables read those of products
  }
  EXPECT_EQ(bytes(grouped({64, 128}, 4, 64, true), always).tiles, kTiles + kWeights / 16);
  // Float products and groups of 32 have no integer tiles.
  EXPECT_EQ(bytes(eight, always, TileProduct::floats).tiles, 0);
  EXPECT_EQ(bytes(grouped({64, 128}, 4, 32, false), always).tiles, 0);
}

}  // namespace
}  // namespace parsimony::quant::packed_size_test
