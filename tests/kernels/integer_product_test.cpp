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

// More parts than the next tile has lines, and fewer.
TEST(IntegerProduct, FetchesTheNextTileWithoutAChange) {
  for_targets([] {
    for (const std::int64_t count : {1, 5, 200}) {
      Case made(count, 3, IntegerRange::rows7, false, false);
      const std::vector<float> right = made.run(false);
      const std::vector<std::int8_t> next(made.w.size());
      made.tile.next = next.data();
      for (const std::int64_t lines : {1, 2, 17, 192}) {
        made.tile.next_bytes = 64 * lines;
        ASSERT_EQ(made.run(false), right) << count << " rows, " << lines << " lines";
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

// Small whole numbers, which float32 holds exactly.
TEST(IntegerProduct, OneInputEqualsTheScalarTwinOnEveryTarget) {
  const RandomStream stream(9, "test.input");
  std::vector<std::int8_t> tile(kIntegerSegmentBytes + 1);
  for (std::size_t i = 0; i < tile.size(); ++i) tile[i] = static_cast<std::int8_t>(stream.below(256, i));
  std::vector<float> scales(kIntegerOutputs + 1);
  for (std::size_t i = 0; i < scales.size(); ++i) scales[i] = i % 2 == 0 ? 0.5F : 2;
  for_targets([&] {
    for (const std::int64_t input : {0, 1, 2, 3, 30, 63}) {
      for (const bool scaled : {false, true}) {
        std::vector<float> sums(kIntegerOutputs + 2, 5), right = sums;
        const float* given = scaled ? scales.data() + 1 : nullptr;
        add_integer_input(tile.data() + 1, input, -3, given, sums.data() + 1);
        add_integer_input_scalar(tile.data() + 1, input, -3, given, right.data() + 1);
        EXPECT_EQ(sums, right) << input;
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

TEST(IntegerRows, OutliersLeaveTheOthersTheirDigits) {
  for_targets([] {
    for (const std::int64_t inputs : {64, 100, 200}) {
      std::vector<float> x(inputs);
      RandomStream(3, "test").fill_normal(x);
      x[5] = 300;
      x[17] = -3000;
      x[inputs - 1] = 30;
      const std::int64_t segments = (inputs + kIntegerSegment - 1) / kIntegerSegment;
      std::vector<std::uint8_t> out(segments * kIntegerSegment), right(out.size());
      std::vector<float> scales(segments), right_scales(segments);
      std::vector<OutlierInput> found(segments * kMostOutlierInputs), right_found(found.size());
      OutlierInputs list{found.data(), 0}, right_list{right_found.data(), 0};
      integer_row(x.data(), inputs, 63, out.data(), scales.data(), &list);
      integer_row_scalar(x.data(), inputs, 63, right.data(), right_scales.data(), &right_list);
      EXPECT_EQ(out, right);
      EXPECT_EQ(scales, right_scales);
      ASSERT_EQ(list.count, 3);
      ASSERT_EQ(right_list.count, 3);
      for (std::int64_t i = 0; i < 3; ++i) {
        EXPECT_EQ(found[i].place, right_found[i].place);
        EXPECT_EQ(found[i].value, x[found[i].place]);
        EXPECT_EQ(out[found[i].place], 64);
      }
      for (const float scale : scales) EXPECT_LT(scale, 4.0F / 63);
    }
    // One value and zeros: nothing is left to round.
    std::vector<float> x(64);
    x[9] = 3;
    std::vector<std::uint8_t> out(64);
    float scale = 1;
    std::vector<OutlierInput> found(kMostOutlierInputs);
    OutlierInputs list{found.data(), 0};
    EXPECT_EQ(integer_row(x.data(), 64, 127, out.data(), &scale, &list), 0);
    EXPECT_EQ(list.count, 1);
    EXPECT_EQ(scale, 0);
    // Values that are not finite stay, so that the scale shows them.
    x[10] = std::numeric_limits<float>::infinity();
    list.count = 0;
    integer_row(x.data(), 64, 127, out.data(), &scale, &list);
    EXPECT_TRUE(std::isnan(scale));
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
