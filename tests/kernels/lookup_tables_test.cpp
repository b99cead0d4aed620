#include "kernels/lookup_tables.hpp"

#include <gtest/gtest.h>

#include "kernels/every_target.hpp"
#include "parsimony/core/matrix.hpp"
#include "parsimony/core/random.hpp"

namespace parsimony::kernels::lookup_tables_test {
namespace {

struct Made {
  Made(const float* x, std::int64_t columns, const TransposedCodebook& codebook, int planes_, bool plain,
       std::int32_t least = 0)
      : planes(planes_),
        bytes(1, columns * planes * plane_bytes(codebook.entries)),
        low(columns),
        level(columns) {
    const auto make = plain ? scalar::quantized_tables : quantized_tables;
    make(x, columns, codebook, planes, least, bytes.data(), low.data(), level.data());
  }
  int value(std::int64_t c, std::int64_t k, std::int64_t entries) const {
    const std::uint8_t* table = bytes.data() + c * planes * plane_bytes(entries) + k;
    return planes == 1 ? table[0] : 256 * table[0] + table[plane_bytes(entries)];
  }
  int planes;
  Matrix<std::uint8_t> bytes;
  std::vector<float> low;
  std::vector<std::int32_t> level;
};

// Sums of products of small integers are exact in any order. Kernel and twin may differ only in the rounding
// of a value close to the middle between two multiples of the step.
TEST(QuantizedTables, EqualTheScalarTwinOnEveryTarget) {
  for_targets([] {
    for (const std::int64_t entries : {16, 32, 64, 128, 256}) {
      for (std::int64_t d = 1; d <= 19; ++d) {
        const std::int64_t columns = 1 + d % 5;
        std::vector<float> x(columns * d + 1), codebook(d * entries + 1);
        const RandomStream stream(d, "test.integers");
        for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(stream.below(41, i)) - 20;
        for (std::size_t i = 0; i < codebook.size(); ++i) {
          codebook[i] = static_cast<float>(stream.below(21, 1000 + i)) - 10;
        }
        const TransposedCodebook view{codebook.data() + 1, d, entries};
        for (const int planes : {1, 2}) {
          const std::int32_t least = d % 2 == 0 ? 0 : table_level(1000);
          const Made fast(x.data() + 1, columns, view, planes, false, least);
          const Made plain(x.data() + 1, columns, view, planes, true, least);
          ASSERT_EQ(fast.low, plain.low);
          ASSERT_EQ(fast.level, plain.level);
          for (std::int64_t c = 0; c < columns; ++c) {
            for (std::int64_t k = 0; k < entries; ++k) {
              ASSERT_LE(std::abs(fast.value(c, k, entries) - plain.value(c, k, entries)), 1)
                  << d << ' ' << c << ' ' << k;
            }
          }
        }
        std::vector<float> fast(columns * entries + 1), plain(columns * entries);
        float_tables(x.data() + 1, columns, view, fast.data() + 1);
        scalar::float_tables(x.data() + 1, columns, view, plain.data());
        for (std::size_t i = 0; i < plain.size(); ++i) ASSERT_EQ(fast[i + 1], plain[i]);
      }
    }
  });
}

// An entry is the multiple of the step nearest to the inner product: half a step of error, and float32
// rounding of sums of d products.
TEST(QuantizedTables, AreWithinHalfAStepOfTheInnerProducts) {
  for_targets([] {
    for (const std::int64_t d : {1, 3, 8, 16}) {
      const std::int64_t columns = 7, entries = 256;
      std::vector<float> x(columns * d), codebook(d * entries);
      RandomStream(d, "test.x").fill_normal(x);
      for (std::int64_t i = 0; i < d; ++i) x[i] *= 1000;  // no column may suffer from another
      RandomStream(d, "test.codebook").fill_normal(codebook);
      for (const int planes : {1, 2}) {
        const Made made(x.data(), columns, {codebook.data(), d, entries}, planes, false);
        for (std::int64_t c = 0; c < columns; ++c) {
          double least = HUGE_VAL, most = -HUGE_VAL;
          const double step = table_step(made.level[c], planes);
          for (std::int64_t k = 0; k < entries; ++k) {
            double exact = 0, magnitude = 0;
            for (std::int64_t j = 0; j < d; ++j) {
              exact += double(x[c * d + j]) * codebook[j * entries + k];
              magnitude += std::abs(double(x[c * d + j]) * codebook[j * entries + k]);
            }
            least = std::min(least, exact);
            most = std::max(most, exact);
            const double found = made.low[c] + step * made.value(c, k, entries);
            ASSERT_NEAR(found, exact, 0.5 * step + double(d + 8) * 0x1p-23 * magnitude + 1e-6 * step * 256);
          }
          const double range = step * (planes == 1 ? 255 : 65535);
          ASSERT_GE(range, (most - least) * (1 - 1e-5));
          ASSERT_LE(range, (most - least) * (1.5 + 1e-5));
        }
      }
    }
  });
}

TEST(TableLevel, IsTheLowestThatHoldsTheRange) {
  for (double range = 1e-30; range < 1e30; range *= 1.037) {
    const std::int32_t level = table_level(static_cast<float>(range));
    EXPECT_GE(table_step(level, 1) * 255.0, range * (1 - 1e-6));
    EXPECT_LE(table_step(level - 1, 1) * 255.0, range * (1 + 1e-6));
  }
  EXPECT_FLOAT_EQ(table_step(table_level(1.0f), 1) * 255, 1.0f);
  EXPECT_FLOAT_EQ(table_step(table_level(1.01f), 2) * 65535, 1.5f);
}

}  // namespace
}  // namespace parsimony::kernels::lookup_tables_test
