#include "kernels/integer_product.hpp"

// Highway builds for AVX-512 with VNNI only if this is defined.
#define HWY_WANT_AVX3_DL
// Sums are kept in arrays of vectors, which the sizeless vector types of SVE and RVV do not allow: those
// machines use NEON or scalar code. Builds with a sanitizer disable these targets and more.
#ifndef HWY_DISABLED_TARGETS
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#endif
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/integer_product.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <cstddef>
#include <cstring>

#include "kernels/byte_products-inl.hpp"
#include "kernels/even_parts.hpp"
#include "kernels/registers-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace parsimony::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET == HWY_SCALAR

void IntegerProduct(const IntegerRows& rows, const IntegerTile& tile, std::int64_t segments,
                    IntegerRange range, float* sums) {
  integer_product_scalar(rows, tile, segments, range, sums);
}
void AddIntegerInput(const std::int8_t* segment, std::int64_t input, float value, const float* scales,
                     float* sums) {
  add_integer_input_scalar(segment, input, value, scales, sums);
}
void IntegerOffsets(const std::int8_t* values, std::int64_t segments, std::int32_t zero,
                    std::int32_t* offsets) {
  integer_offsets_scalar(values, segments, zero, offsets);
}
void IntegerResultsOf(const float* sums, std::int64_t rows, const IntegerResults& results, float* y,
                      std::int64_t stride) {
  integer_results_scalar(sums, rows, results, y, stride);
}
double IntegerCost(IntegerRange /*range*/) {
  return 1;
}

#else

HWY_INLINE VI FourBytes(const std::uint8_t* from) {
  std::int32_t four;
  std::memcpy(&four, from, sizeof(four));
  return hn::Set(Lanes(), four);
}

HWY_INLINE VI TileLanes(const std::int8_t* from) {
  return hn::BitCast(Lanes(), hn::LoadU(Values(), from));
}

// Fetches the next tile into the second cache, an equal part with each segment of each block of rows: all at
// once would wait for memory.
class Fetch {
 public:
  Fetch(const IntegerTile& tile, std::int64_t parts)
      : at_(tile.next), lines_(tile.next_bytes / kLine, parts) {}

  HWY_INLINE void part() {
    for (std::int64_t left = lines_.next(); left > 0; --left, at_ += kLine) __builtin_prefetch(at_, 0, 2);
  }

 private:
  static constexpr std::int64_t kLine = 64;
  const std::int8_t* at_;
  EvenParts lines_;
};

// GCC keeps the sums of a block in registers only if the loops over its rows and vectors are unrolled early.

// Integer sums of a segment: kRows rows from `row` on, kVectors vectors of outputs.
template <std::int64_t kRows, std::size_t kVectors, IntegerRange kRange>
HWY_INLINE void Segment(const std::uint8_t* HWY_RESTRICT row, std::int64_t stride,
                        const std::int8_t* HWY_RESTRICT values, VI (&sum)[kRows][kVectors]) {
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3_DL
  constexpr bool kTwo = false;
#else
  constexpr bool kTwo = kRange == IntegerRange::rows7tiles6;
#endif
  constexpr std::int64_t kStep = kTwo ? 8 : 4, kRow = 4 * kIntegerOutputs;
  for (std::int64_t i = 0; i < kIntegerSegment; i += kStep, values += kStep * kIntegerOutputs) {
    VI b[kVectors], c[kVectors];
#pragma GCC unroll 8
    for (std::size_t v = 0; v < kVectors; ++v) {
      b[v] = TileLanes(values + 4 * kLanes * static_cast<std::int64_t>(v));
      if constexpr (kTwo) c[v] = TileLanes(values + kRow + 4 * kLanes * static_cast<std::int64_t>(v));
    }
#pragma GCC unroll 8
    for (std::int64_t r = 0; r < kRows; ++r) {
      const VI a = FourBytes(row + r * stride + i);
      if constexpr (kTwo) {
        const VI next = FourBytes(row + r * stride + i + 4);
#pragma GCC unroll 8
        for (std::size_t v = 0; v < kVectors; ++v) {
          sum[r][v] = AddHalves(sum[r][v], hn::Add(Pairs(a, b[v]), Pairs(next, c[v])), 1);
        }
      } else {
#pragma GCC unroll 8
        for (std::size_t v = 0; v < kVectors; ++v) sum[r][v] = AddProducts<kRange>(sum[r][v], a, b[v]);
      }
    }
  }
}

template <std::int64_t kRows, std::size_t kVectors, IntegerRange kRange>
HWY_NOINLINE void Block(const IntegerRows& rows, std::int64_t row, const IntegerTile& tile,
                        std::int64_t segments, std::int64_t output, Fetch& fetch, float* HWY_RESTRICT sums) {
  const Lanes d;
  const Floats df;
  float* HWY_RESTRICT out = sums + row * kIntegerOutputs + output;
  VF total[kRows][kVectors];
#pragma GCC unroll 8
  for (std::int64_t r = 0; r < kRows; ++r) {
#pragma GCC unroll 8
    for (std::size_t v = 0; v < kVectors; ++v)
      total[r][v] = hn::LoadU(df, out + r * kIntegerOutputs + v * kLanes);
  }
  for (std::int64_t s = 0; s < segments; ++s) {
    fetch.part();
    const std::int64_t at = s * kIntegerOutputs + output;
    VI sum[kRows][kVectors];
#pragma GCC unroll 8
    for (std::size_t v = 0; v < kVectors; ++v) {
      const VI offset = hn::LoadU(d, tile.offsets + at + v * kLanes);
#pragma GCC unroll 8
      for (std::int64_t r = 0; r < kRows; ++r) sum[r][v] = offset;
    }
    Segment<kRows, kVectors, kRange>(rows.values + row * rows.stride + s * kIntegerSegment, rows.stride,
                                     tile.values + s * kIntegerSegmentBytes + 4 * output, sum);
#pragma GCC unroll 8
    for (std::int64_t r = 0; r < kRows; ++r) {
      const VF scale = hn::Set(df, rows.scales[(row + r) * rows.scale_stride + s]);
#pragma GCC unroll 8
      for (std::size_t v = 0; v < kVectors; ++v) {
        VF value = hn::ConvertTo(df, sum[r][v]);
        if (tile.scales != nullptr) value = hn::Mul(value, hn::LoadU(df, tile.scales + at + v * kLanes));
        total[r][v] = hn::MulAdd(value, scale, total[r][v]);
      }
    }
  }
#pragma GCC unroll 8
  for (std::int64_t r = 0; r < kRows; ++r) {
#pragma GCC unroll 8
    for (std::size_t v = 0; v < kVectors; ++v)
      hn::StoreU(total[r][v], df, out + r * kIntegerOutputs + v * kLanes);
  }
}

// Most rows of a block: the sums, the bytes of a step and the factor of AddHalves fit the registers.
constexpr std::int64_t kMostRows = kManyRegisters ? 8 : 3;

constexpr std::int64_t rows_of_block(std::int64_t left) {
  return left >= kMostRows ? kMostRows : left >= 4 ? 4 : left >= 2 ? 2 : 1;
}

template <IntegerRange kRange>
void Product(const IntegerRows& rows, const IntegerTile& tile, std::int64_t segments, float* sums) {
  constexpr std::size_t kVectors = 2;
  constexpr std::int64_t kStep = kVectors * kLanes;
  std::int64_t blocks = 0;
  for (std::int64_t r = 0; r < rows.count; r += rows_of_block(rows.count - r)) ++blocks;
  Fetch fetch(tile, segments * blocks * (kIntegerOutputs / kStep));
  for (std::int64_t o = 0; o < kIntegerOutputs; o += kStep) {
    for (std::int64_t r = 0; r < rows.count;) {
      const std::int64_t some = rows_of_block(rows.count - r);
      switch (some) {
        case kMostRows:
          Block<kMostRows, kVectors, kRange>(rows, r, tile, segments, o, fetch, sums);
          break;
        case 4:
          if constexpr (kMostRows > 4) Block<4, kVectors, kRange>(rows, r, tile, segments, o, fetch, sums);
          break;
        case 2:
          Block<2, kVectors, kRange>(rows, r, tile, segments, o, fetch, sums);
          break;
        default:
          Block<1, kVectors, kRange>(rows, r, tile, segments, o, fetch, sums);
      }
      r += some;
    }
  }
}

void IntegerProduct(const IntegerRows& rows, const IntegerTile& tile, std::int64_t segments,
                    IntegerRange range, float* sums) {
  switch (range) {
    case IntegerRange::rows8:
      return Product<IntegerRange::rows8>(rows, tile, segments, sums);
    case IntegerRange::rows7:
      return Product<IntegerRange::rows7>(rows, tile, segments, sums);
    case IntegerRange::rows7tiles6:
      return Product<IntegerRange::rows7tiles6>(rows, tile, segments, sums);
  }
}

// kByte: the place of the input among the four of a lane.
template <int kByte>
void AddByte(const std::int8_t* HWY_RESTRICT four, float value, const float* HWY_RESTRICT scales,
             float* HWY_RESTRICT sums) {
  const Floats df;
  const VF factor = hn::Set(df, value);
  for (std::int64_t o = 0; o < kIntegerOutputs; o += kLanes) {
    const VI bytes = hn::ShiftRight<24>(hn::ShiftLeft<24 - 8 * kByte>(TileLanes(four + 4 * o)));
    VF weight = hn::ConvertTo(df, bytes);
    if (scales != nullptr) weight = hn::Mul(weight, hn::LoadU(df, scales + o));
    hn::StoreU(hn::MulAdd(weight, factor, hn::LoadU(df, sums + o)), df, sums + o);
  }
}

void AddIntegerInput(const std::int8_t* segment, std::int64_t input, float value, const float* scales,
                     float* sums) {
  const std::int8_t* four = segment + input / 4 * 4 * kIntegerOutputs;
  switch (input % 4) {
    case 0:
      return AddByte<0>(four, value, scales, sums);
    case 1:
      return AddByte<1>(four, value, scales, sums);
    case 2:
      return AddByte<2>(four, value, scales, sums);
    default:
      return AddByte<3>(four, value, scales, sums);
  }
}

void IntegerOffsets(const std::int8_t* values, std::int64_t segments, std::int32_t zero,
                    std::int32_t* offsets) {
  const Lanes d;
  const VI ones = hn::Set(d, 0x01010101), factor = hn::Set(d, -zero);
  constexpr std::int64_t kRow = 4 * kIntegerOutputs;
  for (std::int64_t s = 0; s < segments; ++s, values += kIntegerSegmentBytes, offsets += kIntegerOutputs) {
    for (std::int64_t o = 0; o < kIntegerOutputs; o += kLanes) {
      VI sum = hn::Zero(d);
      for (std::int64_t i = 0; i < kIntegerSegment / 4; ++i) {
        sum = AddProducts<IntegerRange::rows7>(sum, ones, TileLanes(values + i * kRow + 4 * o));
      }
      hn::StoreU(hn::Mul(sum, factor), d, offsets + o);
    }
  }
}

void IntegerResultsOf(const float* HWY_RESTRICT sums, std::int64_t rows, const IntegerResults& results,
                      float* HWY_RESTRICT y, std::int64_t stride) {
  const Floats d;
  const std::int64_t whole = results.outputs / kLanes * kLanes;
  for (std::int64_t r = 0; r < rows; ++r, sums += kIntegerOutputs, y += stride) {
    const float sum = results.shift == nullptr ? 0 : results.row_sums[r];
    const VF row_sum = hn::Set(d, sum);
    for (std::int64_t o = 0; o < whole; o += kLanes) {
      VF value = hn::LoadU(d, sums + o);
      if (results.shift != nullptr) value = hn::MulAdd(hn::LoadU(d, results.shift + o), row_sum, value);
      value = hn::MulAdd(value, hn::LoadU(d, results.factor + o), hn::LoadU(d, results.constant + o));
      hn::StoreU(value, d, y + o);
    }
    for (std::int64_t o = whole; o < results.outputs; ++o) {
      const float shift = results.shift == nullptr ? 0 : results.shift[o];
      y[o] = (sums[o] + shift * sum) * results.factor[o] + results.constant[o];
    }
  }
}

double IntegerCost([[maybe_unused]] IntegerRange range) {
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3_DL
  return 0.26;
#else
  return range == IntegerRange::rows8 ? 1.25 : range == IntegerRange::rows7 ? 0.68 : 0.54;
#endif
}

#endif

}  // namespace parsimony::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace parsimony::kernels {

HWY_EXPORT(IntegerProduct);
HWY_EXPORT(AddIntegerInput);
HWY_EXPORT(IntegerOffsets);
HWY_EXPORT(IntegerResultsOf);
HWY_EXPORT(IntegerCost);

void integer_product(const IntegerRows& rows, const IntegerTile& tile, std::int64_t segments,
                     IntegerRange range, float* sums) {
  HWY_DYNAMIC_DISPATCH(IntegerProduct)(rows, tile, segments, range, sums);
}

void add_integer_input(const std::int8_t* segment, std::int64_t input, float value, const float* scales,
                       float* sums) {
  HWY_DYNAMIC_DISPATCH(AddIntegerInput)(segment, input, value, scales, sums);
}

void integer_offsets(const std::int8_t* values, std::int64_t segments, std::int32_t zero,
                     std::int32_t* offsets) {
  HWY_DYNAMIC_DISPATCH(IntegerOffsets)(values, segments, zero, offsets);
}

void integer_results(const float* sums, std::int64_t rows, const IntegerResults& results, float* y,
                     std::int64_t stride) {
  HWY_DYNAMIC_DISPATCH(IntegerResultsOf)(sums, rows, results, y, stride);
}

double integer_cost(IntegerRange range) {
  return HWY_DYNAMIC_DISPATCH(IntegerCost)(range);
}

void integer_product_scalar(const IntegerRows& rows, const IntegerTile& tile, std::int64_t segments,
                            IntegerRange /*range*/, float* sums) {
  for (std::int64_t r = 0; r < rows.count; ++r) {
    for (std::int64_t s = 0; s < segments; ++s) {
      const std::uint8_t* row = rows.values + r * rows.stride + s * kIntegerSegment;
      const std::int8_t* values = tile.values + s * kIntegerSegmentBytes;
      const float scale = rows.scales[r * rows.scale_stride + s];
      for (std::int64_t o = 0; o < kIntegerOutputs; ++o) {
        std::int32_t sum = tile.offsets[s * kIntegerOutputs + o];
        for (std::int64_t i = 0; i < kIntegerSegment; ++i) {
          sum += row[i] * values[i / 4 * 4 * kIntegerOutputs + 4 * o + i % 4];
        }
        auto value = static_cast<float>(sum);
        if (tile.scales != nullptr) value *= tile.scales[s * kIntegerOutputs + o];
        sums[r * kIntegerOutputs + o] += value * scale;
      }
    }
  }
}

void add_integer_input_scalar(const std::int8_t* segment, std::int64_t input, float value,
                              const float* scales, float* sums) {
  for (std::int64_t o = 0; o < kIntegerOutputs; ++o) {
    const std::int8_t byte = segment[input / 4 * 4 * kIntegerOutputs + 4 * o + input % 4];
    sums[o] += static_cast<float>(byte) * (scales == nullptr ? 1 : scales[o]) * value;
  }
}

void integer_results_scalar(const float* sums, std::int64_t rows, const IntegerResults& results, float* y,
                            std::int64_t stride) {
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::int64_t o = 0; o < results.outputs; ++o) {
      const float shift = results.shift == nullptr ? 0 : results.shift[o] * results.row_sums[r];
      y[stride * r + o] = (sums[kIntegerOutputs * r + o] + shift) * results.factor[o] + results.constant[o];
    }
  }
}

void integer_offsets_scalar(const std::int8_t* values, std::int64_t segments, std::int32_t zero,
                            std::int32_t* offsets) {
  for (std::int64_t s = 0; s < segments; ++s) {
    for (std::int64_t o = 0; o < kIntegerOutputs; ++o) {
      std::int32_t sum = 0;
      for (std::int64_t i = 0; i < kIntegerSegment; ++i) {
        sum += values[s * kIntegerSegmentBytes + i / 4 * 4 * kIntegerOutputs + 4 * o + i % 4];
      }
      offsets[s * kIntegerOutputs + o] = -zero * sum;
    }
  }
}

}  // namespace parsimony::kernels
#endif  // HWY_ONCE
