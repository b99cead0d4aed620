// Highway builds for AVX-512 with VBMI only where asked to, as the kernel does.
#define HWY_WANT_AVX3_DL
#include "kernels/centroid_bytes.hpp"

#include <gtest/gtest.h>

#include "kernels/every_target.hpp"
#include "kernels/integer_product.hpp"
#include "kernels/table_lookup.hpp"
#include "parsimony/core/random.hpp"

namespace parsimony::kernels::centroid_bytes_test {
namespace {

TEST(CentroidBytes, EqualTheScalarTwinOnEveryTarget) {
  const RandomStream stream(1, "test.centroids");
  for_targets([&] {
    for (const std::int64_t d : {4, 8, 12, 16, 64}) {
      for (const std::int64_t count : {1, 16, 63, 64, 65, 128, 129, 255, 256}) {
        std::vector<std::int8_t> values(count * d);
        for (std::size_t i = 0; i < values.size(); ++i) {
          values[i] = static_cast<std::int8_t>(stream.below(256, i));
        }
        const CentroidBytes centroids(values, d);
        EXPECT_EQ(centroids.count(), count);
        const std::int64_t columns = 1 + count % 5, width = count % 2 == 0 ? 64 : 192;
        std::vector<std::uint8_t> codes(columns * width + 1);
        for (std::size_t i = 0; i < codes.size(); ++i) {
          codes[i] = static_cast<std::uint8_t>(stream.below(static_cast<std::uint64_t>(count), 5000 + i));
        }
        std::vector<std::int8_t> tile(columns * d * kIntegerOutputs + 2, 99), right = tile;
        centroid_bytes(centroids, codes.data() + 1, width, columns, tile.data() + 1);
        centroid_bytes_scalar(centroids, codes.data() + 1, width, columns, right.data() + 1);
        ASSERT_EQ(tile, right) << "d " << d << ", " << count << " centroids";
      }
    }
  });
}

// The definition: value j of the block of output o lies where integer_product reads input c · d + j.
TEST(CentroidBytes, LieWhereTheProductReadsThem) {
  constexpr std::int64_t kD = 8, kCount = 200, kColumns = 3;
  std::vector<std::int8_t> values(kCount * kD);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<std::int8_t>(i * 37 % 251 - 125);
  std::vector<std::uint8_t> codes(kColumns * kIntegerOutputs);
  for (std::int64_t c = 0; c < kColumns; ++c) {
    for (std::int64_t o = 0; o < kIntegerOutputs; ++o) {
      codes[c * kIntegerOutputs + lookup_place(o)] = static_cast<std::uint8_t>((o * 7 + c * 31) % kCount);
    }
  }
  std::vector<std::int8_t> tile(kColumns * kD * kIntegerOutputs);
  centroid_bytes(CentroidBytes(values, kD), codes.data(), kIntegerOutputs, kColumns, tile.data());
  for (std::int64_t i = 0; i < kColumns * kD; ++i) {
    for (std::int64_t o = 0; o < kIntegerOutputs; ++o) {
      const std::int64_t code = (o * 7 + i / kD * 31) % kCount;
      ASSERT_EQ(tile[i / 4 * 4 * kIntegerOutputs + 4 * o + i % 4], values[code * kD + i % kD])
          << i << " " << o;
    }
  }
}

}  // namespace
}  // namespace parsimony::kernels::centroid_bytes_test
