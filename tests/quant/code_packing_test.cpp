#include <gtest/gtest.h>

#include "parsimony/core/error.hpp"
#include "parsimony/quant/quantized_tensor.hpp"

namespace parsimony::quant {
namespace {

TEST(PackedCodes, ComeBackAtEveryWidthAndLength) {
  std::mt19937 random(1);
  for (int bits = 1; bits <= 16; ++bits) {
    for (std::size_t count = 0; count < 70; ++count) {
      std::vector<std::uint16_t> codes(count);
      for (auto& code : codes) code = static_cast<std::uint16_t>(random() & ((1u << bits) - 1));
      const auto packed = pack_codes(codes, bits);
      ASSERT_EQ(packed.size(), (count * static_cast<std::size_t>(bits) + 7) / 8);
      ASSERT_EQ(unpack_codes(packed, bits, static_cast<std::int64_t>(count)), codes);
      for (std::size_t i = 0; i < count; ++i) {
        ASSERT_EQ(code_at(packed, bits, static_cast<std::int64_t>(i)), codes[i]);
      }
    }
  }
}

TEST(PackedCodes, LieLeastSignificantBitFirst) {
  EXPECT_EQ(pack_codes(std::vector<std::uint16_t>{1, 2, 3, 4}, 4), (std::vector<std::uint8_t>{0x21, 0x43}));
  EXPECT_EQ(pack_codes(std::vector<std::uint16_t>{5, 1}, 3), (std::vector<std::uint8_t>{0b001101}));
}

TEST(PackedCodes, RefuseWhatDoesNotFit) {
  EXPECT_THROW(pack_codes(std::vector<std::uint16_t>{8}, 3), Error);
  EXPECT_THROW(pack_codes(std::vector<std::uint16_t>{0}, 17), Error);
  EXPECT_THROW(unpack_codes(std::vector<std::uint8_t>{0}, 3, 3), Error);
  EXPECT_THROW(unpack_codes(std::vector<std::uint8_t>{0}, 3, -1), Error);
  EXPECT_THROW(unpack_codes(std::vector<std::uint8_t>{0}, 16, std::int64_t{1} << 62), Error);
}

}  // namespace
}  // namespace parsimony::quant
