#include "kernels/philox.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "kernels/every_target.hpp"

namespace parsimony::kernels::philox_test {
namespace {

// The answers that the authors of Random123 publish for Philox4x32-10.
TEST(Philox, GivesThePublishedWords) {
  for_targets([] {
    std::vector<std::uint32_t> words(4 * 33);
    philox_blocks(0, 0, 0, 33, words.data());
    EXPECT_EQ((std::vector<std::uint32_t>{words.begin(), words.begin() + 4}),
              (std::vector<std::uint32_t>{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
    philox_blocks(~0ull, ~0ull, ~0ull, 33, words.data());  // the second counter is 0
    EXPECT_EQ((std::vector<std::uint32_t>{words.begin(), words.begin() + 4}),
              (std::vector<std::uint32_t>{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
    philox_blocks(0x299f31d0a4093822, 0x0370734413198a2e, 0x85a308d3243f6a88, 33, words.data());
    EXPECT_EQ((std::vector<std::uint32_t>{words.begin(), words.begin() + 4}),
              (std::vector<std::uint32_t>{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
  });
}

// Counters of which the low word, or both, wrap among them.
TEST(Philox, EqualsTheScalarTwinOnEveryTarget) {
  for_targets([] {
    for (const std::uint64_t first : {0ull, 12345678901ull, 0xfffffff8ull, 0x1fffffffdull, ~0ull - 4}) {
      for (const std::int64_t count : {0, 1, 7, 16, 37}) {
        std::vector<std::uint32_t> words(4 * count + 1, 9), expected = words;
        philox_blocks(7, 1ull << 40 | 3, first, count, words.data());
        for (std::int64_t i = 0; i < count; ++i) {
          const auto block = philox_block(7, 1ull << 40 | 3, first + static_cast<std::uint64_t>(i));
          std::copy(block.begin(), block.end(), expected.begin() + 4 * i);
        }
        EXPECT_EQ(words, expected) << first << ' ' << count;
      }
    }
  });
}

}  // namespace
}  // namespace parsimony::kernels::philox_test
