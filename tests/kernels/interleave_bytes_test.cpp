#include "kernels/interleave_bytes.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "kernels/every_target.hpp"
#include "parsimony/core/random.hpp"

namespace parsimony::kernels::interleave_bytes_test {
namespace {

TEST(InterleaveBytes, EqualsTheScalarTwinOnEveryTarget) {
  const RandomStream stream(1, "test");
  std::vector<std::int8_t> table(17);
  for (std::size_t i = 0; i < table.size(); ++i) table[i] = static_cast<std::int8_t>(stream.below(256, i));
  for_targets([&] {
    for (const bool by_table : {false, true}) {
      for (const std::int64_t count : {0, 16, 32, 80}) {
        std::vector<std::uint8_t> codes(4 * 83 + 1);
        for (std::size_t i = 0; i < codes.size(); ++i) {
          codes[i] = static_cast<std::uint8_t>(stream.below(by_table ? 16 : 256, 100 + i));
        }
        const std::array<const std::uint8_t*, 4> rows{&codes[1], &codes[84], &codes[167], &codes[250]};
        const CodeBytes bytes{by_table ? table.data() + 1 : nullptr, {0, 7, 128, 255}};
        std::vector<std::int8_t> tile(count * 64 + 300, 77), right = tile;
        interleave_bytes(rows, count, bytes, tile.data() + 1);
        interleave_bytes_scalar(rows, count, bytes, right.data() + 1);
        ASSERT_EQ(tile, right) << count;
      }
    }
  });
}

}  // namespace
}  // namespace parsimony::kernels::interleave_bytes_test
