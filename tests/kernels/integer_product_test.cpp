// Highway builds for AVX-512 with VNNI only where asked to, as the kernel does.
#define HWY_WANT_AVX3_DL
#include "kernels/integer_product.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "kernels/every_target.hpp"
#include "kernels/integer_rows.hpp"
#include "parsimony/core/random.hpp"

namespace parsimony::kernels::integer_product_test {
namespace {

// Rows and a tile of a range; with `extreme` every value is at an end of its range, so that sums that are too
// narrow overflow. Scales are powers of two and sums small enough for float32 to be exact.
struct Case {
  Case(std::int64_t count, std::int64_t segments_, IntegerRange range_, bool scaled, bool extreme)
      : segments(segments_), range(range_) {
    const RandomStream stream(static_cast<std::uint64_t>(count * 8 + segments), "test.integers");
    const std::int64_t stride = segments * kIntegerSegment + 5, scale_stride = segments + 2;
    const int rows_most = range == IntegerRange::rows8 ? 255 : 127;
    const int tile_most = range == IntegerRange::rows7tiles6 ? 63 : 127;
    const int tile_least = range == IntegerRange::rows7tiles6 ? -63 : -128;
    const auto pick = [&](int low, int high, std::uint64_t at) {
      if (extreme) return at % 3 == 0 ? high : at % 251 == 0 ? low : high;
      return low + static_cast<int>(stream.below(static_cast<std::uint64_t>(high - low + 1), at));
    };
    x.resize(count * stride + 1);
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<std::uint8_t>(pick(0, rows_most, i));
    w.resize(segments * kIntegerSegmentBytes + 1);
    for (std::size_t i = 0; i < w.size(); ++i) {
      w[i] = static_cast<std::int8_t>(pick(tile_least, tile_most, 1000000 + i));
      if (extreme && i / 4 % 2 == 1) w[i] = static_cast<std::int8_t>(tile_least);
    }
    x_scale.resize(count * scale_stride + 1);
    for (std::size_t i = 0; i < x_scale.size(); ++i) x_scale[i] = i % 2 == 0 ? 0.5F : 1.0F;
    w_scale.resize(segments * kIntegerOutputs + 1);
    for (std::size_t i = 0; i < w_scale.size(); ++i) w_scale[i] = i % 3 == 0 ? 0.25F : 1.0F;
    offsets.resize(segments * kIntegerOutputs + 1);
    rows = {x.data() + 1, stride, x_scale.data() + 1, scale_stride, count};
    tile = {w.data() + 1, offsets.data() + 1, scaled ? w_scale.data() + 1 : nullptr};
  }

  std::vector<float> run(bool plain) {
    (plain ? integer_offsets_scalar : integer_offsets)(w.data() + 1, segments, 64, offsets.data() + 1);
    std::vector<float> sums(rows.count * kIntegerOutputs + 1);
    for (std::size_t i = 0; i < sums.size(); ++i) sums[i] = static_cast<float>(i % 13);
    (plain ? integer_product_scalar : integer_product)(rows, tile, segments, range, sums.data() + 1);
    return sums;
  }

  std::int64_t segments;
  IntegerRange range;
  std::vector<std::uint8_t> x;
  std::vector<std::int8_t> w;
  std::vector<float> x_scale, w_scale;
  std::vector<std::int32_t> offsets;
  IntegerRows rows;
  IntegerTile tile;
};

TEST(IntegerProduct, EqualsTheScalarTwinOnEveryTarget) {
  for_targets([&] {
    for (const IntegerRange range : {IntegerRange::rows8, IntegerRange::rows7, IntegerRange::rows7tiles6}) {
      for (const std::int64_t count : {0, 1, 2, 3, 5, 6, 7, 11, 13, 24}) {
        for (const std::int64_t segments : {0, 1, 3}) {
          for (const bool extreme : {false, true}) {
            SCOPED_TRACE(::testing::Message() << "range " << static_cast<int>(range) << ", " << count
                                              << " rows, " << segments << " segments, extreme " << extreme);
            Case made(count, segments, range, count % 2 == 1, extreme);
            ASSERT_EQ(made.run(false), made.run(true));
          }
        }
      }
    }
  });
}

// Powers of two and small sums, which float32 holds exactly.
TEST(IntegerResults, EqualTheScalarTwinOnEveryTarget) {
  for_targets([&] {
    for (const std::int64_t outputs : {1, 3, 15, 16, 17, 33, 63, 64}) {
      for (const bool shifted : {false, true}) {
        constexpr std::int64_t kRows = 5, kStride = 70;
        std::vector<float> sums(kRows * kIntegerOutputs), factor(64), shift(64), constant(64),
            row_sums(kRows);
        for (std::size_t i = 0; i < sums.size(); ++i) sums[i] = static_cast<float>(i % 101) - 50;
        for (std::size_t o = 0; o < factor.size(); ++o) {
          factor[o] = o % 3 == 0 ? 0.5F : 2;
          shift[o] = static_cast<float>(o) - 31;
          constant[o] = static_cast<float>(o * o);
        }
        for (std::size_t r = 0; r < row_sums.size(); ++r) row_sums[r] = static_cast<float>(r) - 2;
        const IntegerResults results{factor.data(), shifted ? shift.data() : nullptr, constant.data(),
                                     row_sums.data(), outputs};
        std::vector<float> y(kRows * kStride, -7), right = y;
        integer_results(sums.data(), kRows, results, y.data() + 1, kStride);
        integer_results_scalar(sums.data(), kRows, results, right.data() + 1, kStride);
        ASSERT_EQ(y, right) << outputs;
      }
    }
  });
}

TEST(IntegerRows, EqualTheScalarTwinOnEveryTarget) {
  for_targets([&] {
    for (std::int64_t inputs = 1; inputs <= 200; inputs += inputs < 70 ? 1 : 13) {
      for (const int most : {63, 127}) {
        std::vector<float> x(inputs + 1);
        for (std::int64_t i = 0; i <= inputs; ++i) {
          x[i] = static_cast<float>(RandomStream(1, "test").normal(i));
          if (i >= 128) x[i] = 0;
        }
        if (inputs % 5 == 4) x[inputs] = std::numeric_limits<float>::quiet_NaN();
        const std::int64_t segments = (inputs + kIntegerSegment - 1) / kIntegerSegment;
        std::vector<std::uint8_t> out(segments * kIntegerSegment), right(out.size());
        std::vector<float> scales(segments), right_scales(segments);
        const float sum = integer_row(x.data() + 1, inputs, most, out.data(), scales.data());
        const float twin = integer_row_scalar(x.data() + 1, inputs, most, right.data(), right_scales.data());
        ASSERT_EQ(out, right) << inputs;
        for (std::int64_t s = 0; s < segments; ++s) {
          if (std::isnan(right_scales[s])) {
            ASSERT_TRUE(std::isnan(scales[s])) << inputs;
          } else {
            ASSERT_EQ(scales[s], right_scales[s]) << inputs;
          }
        }
        if (std::isnan(twin)) {
          ASSERT_TRUE(std::isnan(sum)) << inputs;
        } else {
          ASSERT_NEAR(sum, twin, 1e-5) << inputs;  // a fused multiply-add rounds once
        }
      }
    }
  });
}

// |x − scale · (out − zero)| ≤ scale / 2, up to the rounding of x · (most / m).
TEST(IntegerRows, RoundToTheNearestMultipleOfTheScale) {
  std::vector<float> x(200);
  RandomStream(2, "test").fill_normal(x);
  x[70] = 1000;  // other segments keep their digits
  std::vector<std::uint8_t> out(256);
  std::vector<float> scales(4);
  double sum = 0;
  const float returned = integer_row(x.data(), 200, 127, out.data(), scales.data());
  for (std::size_t i = 0; i < x.size(); ++i) {
    const float scale = scales[i / 64], value = scale * static_cast<float>(out[i] - 128);
    EXPECT_LE(std::abs(x[i] - value), scale * 0.5001F) << i;
    sum += value;
  }
  EXPECT_LT(scales[0], 0.03F);
  EXPECT_NEAR(returned, sum, 1e-2);
  for (std::size_t i = 200; i < 256; ++i) EXPECT_EQ(out[i], 128);
}

}  // namespace
}  // namespace parsimony::kernels::integer_product_test
