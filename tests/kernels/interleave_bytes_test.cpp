#include "kernels/interleave_bytes.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "kernels/every_target.hpp"
#include "parsimony/core/random.hpp"

namespace parsimony::kernels::interleave_bytes_test {
namespace {

TEST(InterleaveBytes, EqualsTheScalarTwinOnEveryTarget) {
  const RandomStream stream(1, "test");
  std::vector<std::int8_t> table(kTableBytes + 1);
  for (std::size_t i = 0; i < table.size(); ++i) table[i] = static_cast<std::int8_t>(stream.below(256, i));
  for_targets([&] {
    for (const bool by_table : {false, true}) {
      for (const bool nibbles : {false, true}) {
        for (const std::int64_t count : {1, 3, 4, 15, 16, 17, 63, 64}) {
          const std::int64_t stride = nibbles ? 39 : 71;
          std::vector<std::uint8_t> codes((count - 1) * stride + (nibbles ? 32 : 64) + 1);
          for (std::size_t i = 0; i < codes.size(); ++i) {
            codes[i] = static_cast<std::uint8_t>(stream.below(by_table && !nibbles ? 16 : 256, 100 + i));
          }
          CodeBytes bytes{by_table ? table.data() + 1 : nullptr, {}};
          for (std::size_t i = 0; i < bytes.zero.size(); ++i)
            bytes.zero[i] = static_cast<std::uint8_t>(37 * i);
          const SegmentCodes rows{codes.data() + 1, stride, count, nibbles};
          std::vector<std::int8_t> tile(kIntegerSegmentBytes + 2, 77), right = tile;
          interleave_bytes(rows, bytes, tile.data() + 1);
          interleave_bytes_scalar(rows, bytes, right.data() + 1);
          EXPECT_EQ(tile.front(), 77);
          EXPECT_EQ(tile.back(), 77);
          for (std::int64_t i = 0; i < kIntegerSegmentBytes; ++i) {
            if (i % 256 / 4 >= count) continue;  // rows after the last: no result depends on them
            ASSERT_EQ(tile[i + 1], right[i + 1]) << count << " rows, byte " << i << ", nibbles " << nibbles;
          }
        }
      }
    }
  });
}

}  // namespace
}  // namespace parsimony::kernels::interleave_bytes_test
