// Products of a few rows without a tile: kernels code_dots and row_dots, beside their scalar twins.
// Highway builds for AVX-512 with VNNI only where asked to, as the kernel does.
#define HWY_WANT_AVX3_DL
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <vector>

#include "kernels/code_dots.hpp"
#include "kernels/every_target.hpp"
#include "kernels/row_dots.hpp"
#include "parsimony/core/random.hpp"

namespace parsimony::kernels::dots_test {
namespace {

// Codes at odd addresses. With `extreme`, every value is at an end of its range, so that sums that are too
// narrow overflow. Scales are powers of two and sums small enough for float32 to be exact.
struct Case {
  Case(std::int64_t inputs, std::int64_t count, bool nibbles, bool by_table, bool rows8, bool extreme) {
    const RandomStream stream(static_cast<std::uint64_t>(inputs * 64 + count), "test.dots");
    const std::int64_t segments = (inputs + kIntegerSegment - 1) / kIntegerSegment;
    const std::int64_t stride = nibbles ? (inputs + 1) / 2 : inputs;
    const int most = rows8 ? 127 : 63;
    const auto pick = [&](int low, int high, std::uint64_t at) {
      if (extreme) return at % 7 == 3 ? low : high;
      return low + static_cast<int>(stream.below(static_cast<std::uint64_t>(high - low + 1), at));
    };
    values.assign(segments * kIntegerSegment, 0);
    sums.assign(segments, 0);
    for (std::int64_t i = 0; i < inputs; ++i) {
      const std::int64_t s = i / kIntegerSegment, t = i % kIntegerSegment;
      const std::int64_t place = nibbles ? t % 2 * 32 + t / 2 : t;
      values[s * kIntegerSegment + place] = static_cast<std::int8_t>(pick(-most, most, i));
      sums[s] += values[s * kIntegerSegment + place];
    }
    // Extreme sums come close to 2²⁴, so that they are exact as floats, in any order, only as whole numbers.
    for (std::int64_t s = 0; s < segments; ++s) x_scales.push_back(s % 2 == 0 && !extreme ? 0.5F : 1.0F);
    bytes.resize(count * stride + 1);
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      bytes[i] = static_cast<std::uint8_t>(pick(0, by_table && !nibbles ? 15 : 255, 10000 + i));
    }
    table.resize(kTableBytes + 1);
    for (std::size_t i = 0; i < table.size(); ++i)
      table[i] = static_cast<std::uint8_t>(pick(1, 255, 900 + i));
    for (std::int64_t i = 0; i < count * segments; ++i) {
      scales.push_back(i % 3 == 0 && !extreme ? 0.25F : 1.0F);
    }
    x = {values.data(), x_scales.data(), sums.data(), inputs};
    codes.data = bytes.data() + 1;
    codes.stride = stride;
    codes.count = count;
    codes.nibbles = nibbles;
    if (by_table) {
      codes.table = table.data() + 1;
      codes.zero = 128;
    }
    if (count % 2 == 1) {
      codes.scales = scales.data();
      codes.segments = count % 3 == 0 ? 2 : 1;
      codes.scale_stride = (segments + codes.segments - 1) / codes.segments;
    }
  }

  std::vector<std::int8_t> values;
  std::vector<std::int32_t> sums;
  std::vector<float> x_scales, scales;
  std::vector<std::uint8_t> bytes, table;
  DotRow x;
  DotCodes codes;
};

TEST(CodeDots, EqualTheScalarTwinOnEveryTarget) {
  for_targets([] {
    for (const std::int64_t inputs : {1, 2, 15, 31, 63, 64, 65, 128, 130, 191, 320}) {
      for (const std::int64_t count : {1, 3, 4, 7, 8}) {
        for (int kind = 0; kind < 16; ++kind) {
          const bool rows8 = (kind & 4) != 0;
          SCOPED_TRACE(::testing::Message() << inputs << " inputs, " << count << " rows, kind " << kind);
          const Case made(inputs, count, (kind & 1) != 0, (kind & 2) != 0, rows8, (kind & 8) != 0);
          std::vector<float> out(count + 1, -7), right = out;
          code_dots(made.x, made.codes, rows8 ? IntegerRange::rows8 : IntegerRange::rows7, out.data());
          code_dots_scalar(made.x, made.codes, rows8 ? IntegerRange::rows8 : IntegerRange::rows7,
                           right.data());
          ASSERT_EQ(out, right);
        }
      }
    }
  });
}

// Budget: (n + 3) 2⁻²⁴ times the sum of the absolute products, for each side.
TEST(RowDots, EqualTheScalarTwinOnEveryTarget) {
  for_targets([] {
    for (const RowType type : {RowType::float32, RowType::float16, RowType::bfloat16}) {
      for (const std::int64_t columns : {1, 7, 16, 31, 32, 33, 67, 200}) {
        for (const std::int64_t outputs : {1, 3, 4, 6, 9}) {
          SCOPED_TRACE(::testing::Message()
                       << columns << " columns, " << outputs << " outputs, type " << static_cast<int>(type));
          const std::int64_t size = type == RowType::float32 ? 4 : 2, rows = 3, stride = columns + 2;
          const RandomStream stream(columns, "test.rows");
          std::vector<std::uint8_t> bytes((outputs + 1) * columns * size);
          for (std::size_t i = 0; i < bytes.size(); i += size) {
            const auto value = static_cast<float>(stream.normal(i));
            std::uint32_t bits = 0;
            std::memcpy(&bits, &value, sizeof(bits));
            if (type == RowType::bfloat16) bits >>= 16;
            // A float16 with the sign, 10 bits of the fraction and an exponent near 0.
            if (type == RowType::float16) {
              const auto exponent = static_cast<std::uint32_t>(13 + i / 2 % 4);
              bits = ((bits >> 16) & 0x8000U) | (exponent << 10) | ((bits >> 13) & 0x3FFU);
            }
            std::memcpy(bytes.data() + i, &bits, size);
          }
          std::vector<float> x(rows * stride);
          stream.fill_normal(x, 5000);
          const MatrixRows matrix{bytes.data(), type, columns};
          std::vector<float> y(rows * 11, -7), right = y;
          row_dots(matrix, 1, outputs, x.data(), stride, rows, y.data(), 11);
          row_dots_scalar(matrix, 1, outputs, x.data(), stride, rows, right.data(), 11);
          for (std::size_t i = 0; i < y.size(); ++i) {
            ASSERT_NEAR(y[i], right[i], 2 * double(columns + 3) * 0x1p-24 * 4 * double(columns)) << i;
          }
        }
      }
    }
  });
}

// Zeros, subnormals and infinities of float16.
TEST(RowDots, TakeEveryFloat16) {
  const std::vector<std::uint16_t> half{0x0000, 0x8000, 0x0001, 0x83FF, 0x0400, 0x7BFF, 0x3C00, 0xC000};
  const std::vector<float> right{0, -0.0F, 0x1p-24F, -1023 * 0x1p-24F, 0x1p-14F, 65504, 1, -2};
  const MatrixRows matrix{half.data(), RowType::float16, 1};
  for_targets([&] {
    for (std::size_t i = 0; i < half.size(); ++i) {
      float y = -7;
      const float one = 1;
      row_dots(matrix, static_cast<std::int64_t>(i), 1, &one, 1, 1, &y, 1);
      EXPECT_EQ(y, right[i]) << i;
    }
  });
}

}  // namespace
}  // namespace parsimony::kernels::dots_test
