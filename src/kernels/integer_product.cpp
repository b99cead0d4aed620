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

#include "kernels/registers-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace parsimony::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET == HWY_SCALAR

void IntegerProduct(const IntegerRows& rows, const IntegerTile& tile, std::int64_t segments,
                    IntegerRange range, float* sums) {
  integer_product_scalar(rows, tile, segments, range, sums);
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

using Lanes = hn::CappedTag<std::int32_t, 16>;
using Halves = hn::Repartition<std::int16_t, Lanes>;
using Values = hn::Repartition<std::int8_t, Lanes>;
using Floats = hn::RebindToFloat<Lanes>;
using VI = hn::Vec<Lanes>;
using VH = hn::Vec<Halves>;
using VF = hn::Vec<Floats>;
constexpr std::int64_t kLanes = hn::MaxLanes(Lanes());

// Products of two bytes added in 16 bits: bytes of a, 0 to 127, with signed bytes of b.
HWY_INLINE VH Pairs(VI a, VI b) {
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3
  return VH{_mm512_maddubs_epi16(a.raw, b.raw)};
#elif HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX2
  return VH{_mm256_maddubs_epi16(a.raw, b.raw)};
#elif HWY_ARCH_X86 && HWY_TARGET <= HWY_SSSE3
  return VH{_mm_maddubs_epi16(a.raw, b.raw)};
#else
  const Halves d;
  const VH left = hn::BitCast(d, a), right = hn::BitCast(d, b);
  const VH low = hn::Mul(hn::And(left, hn::Set(d, 0xFF)), hn::ShiftRight<8>(hn::ShiftLeft<8>(right)));
  return hn::Add(low, hn::Mul(hn::ShiftRight<8>(left), hn::ShiftRight<8>(right)));
#endif
}

// sum + factor · both halves of each lane; the factor is 1 or 2.
HWY_INLINE VI AddHalves(VI sum, VH halves, std::int16_t factor) {
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3
  return hn::Add(sum, VI{_mm512_madd_epi16(halves.raw, _mm512_set1_epi16(factor))});
#elif HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX2
  return hn::Add(sum, VI{_mm256_madd_epi16(halves.raw, _mm256_set1_epi16(factor))});
#elif HWY_ARCH_X86 && HWY_TARGET <= HWY_SSSE3
  return hn::Add(sum, VI{_mm_madd_epi16(halves.raw, _mm_set1_epi16(factor))});
#else
  const Lanes d;
  const VI both = hn::BitCast(d, halves);
  const VI once = hn::Add(hn::ShiftRight<16>(hn::ShiftLeft<16>(both)), hn::ShiftRight<16>(both));
  return hn::Add(sum, factor == 1 ? once : hn::ShiftLeft<1>(once));
#endif
}

// sum + the four products of the bytes of each lane.
template <IntegerRange kRange>
HWY_INLINE VI AddProducts(VI sum, VI a, VI b) {
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3_DL
  // The processors of this target have the instruction, but Highway does not name it to compilers.
  __m512i all = sum.raw;
  asm("vpdpbusd %2, %1, %0" : "+v"(all) : "v"(a.raw), "v"(b.raw));
  return VI{all};
#else
  if constexpr (kRange == IntegerRange::rows8) {
    // 255 · 127 · 2 does not fit 16 bits: the bytes are halved, and their last bits are multiplied apart.
    const Lanes d;
    const VI half = hn::And(hn::ShiftRight<1>(a), hn::Set(d, 0x7F7F7F7F));
    const VI last = hn::And(a, hn::Set(d, 0x01010101));
    return AddHalves(AddHalves(sum, Pairs(half, b), 2), Pairs(last, b), 1);
  } else {
    return AddHalves(sum, Pairs(a, b), 1);
  }
#endif
}

HWY_INLINE VI FourBytes(const std::uint8_t* from) {
  std::int32_t four;
  std::memcpy(&four, from, sizeof(four));
  return hn::Set(Lanes(), four);
}

HWY_INLINE VI TileLanes(const std::int8_t* from) {
  return hn::BitCast(Lanes(), hn::LoadU(Values(), from));
}

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
    for (std::size_t v = 0; v < kVectors; ++v) {
      b[v] = TileLanes(values + 4 * kLanes * static_cast<std::int64_t>(v));
      if constexpr (kTwo) c[v] = TileLanes(values + kRow + 4 * kLanes * static_cast<std::int64_t>(v));
    }
    for (std::int64_t r = 0; r < kRows; ++r) {
      const VI a = FourBytes(row + r * stride + i);
      if constexpr (kTwo) {
        const VI next = FourBytes(row + r * stride + i + 4);
        for (std::size_t v = 0; v < kVectors; ++v) {
          sum[r][v] = AddHalves(sum[r][v], hn::Add(Pairs(a, b[v]), Pairs(next, c[v])), 1);
        }
      } else {
        for (std::size_t v = 0; v < kVectors; ++v) sum[r][v] = AddProducts<kRange>(sum[r][v], a, b[v]);
      }
    }
  }
}

template <std::int64_t kRows, std::size_t kVectors, IntegerRange kRange>
HWY_NOINLINE void Block(const IntegerRows& rows, std::int64_t row, const IntegerTile& tile,
                        std::int64_t segments, std::int64_t output, float* HWY_RESTRICT sums) {
  const Lanes d;
  const Floats df;
  float* HWY_RESTRICT out = sums + row * kIntegerOutputs + output;
  VF total[kRows][kVectors];
  for (std::int64_t r = 0; r < kRows; ++r) {
    for (std::size_t v = 0; v < kVectors; ++v)
      total[r][v] = hn::LoadU(df, out + r * kIntegerOutputs + v * kLanes);
  }
  for (std::int64_t s = 0; s < segments; ++s) {
    const std::int64_t at = s * kIntegerOutputs + output;
    VI sum[kRows][kVectors];
    for (std::size_t v = 0; v < kVectors; ++v) {
      const VI offset = hn::LoadU(d, tile.offsets + at + v * kLanes);
      for (std::int64_t r = 0; r < kRows; ++r) sum[r][v] = offset;
    }
    Segment<kRows, kVectors, kRange>(rows.values + row * rows.stride + s * kIntegerSegment, rows.stride,
                                     tile.values + s * kIntegerSegmentBytes + 4 * output, sum);
    for (std::int64_t r = 0; r < kRows; ++r) {
      const VF scale = hn::Set(df, rows.scales[(row + r) * rows.scale_stride + s]);
      for (std::size_t v = 0; v < kVectors; ++v) {
        VF value = hn::ConvertTo(df, sum[r][v]);
        if (tile.scales != nullptr) value = hn::Mul(value, hn::LoadU(df, tile.scales + at + v * kLanes));
        total[r][v] = hn::MulAdd(value, scale, total[r][v]);
      }
    }
  }
  for (std::int64_t r = 0; r < kRows; ++r) {
    for (std::size_t v = 0; v < kVectors; ++v)
      hn::StoreU(total[r][v], df, out + r * kIntegerOutputs + v * kLanes);
  }
}

template <IntegerRange kRange>
void Product(const IntegerRows& rows, const IntegerTile& tile, std::int64_t segments, float* sums) {
  constexpr std::size_t kVectors = 2;
  for (std::int64_t o = 0; o < kIntegerOutputs; o += kVectors * kLanes) {
    std::int64_t r = 0;
    for (; r + 6 <= rows.count; r += 6) Block<6, kVectors, kRange>(rows, r, tile, segments, o, sums);
    if (r + 4 <= rows.count) {
      Block<4, kVectors, kRange>(rows, r, tile, segments, o, sums);
      r += 4;
    }
    if (r + 2 <= rows.count) {
      Block<2, kVectors, kRange>(rows, r, tile, segments, o, sums);
      r += 2;
    }
    if (r < rows.count) Block<1, kVectors, kRange>(rows, r, tile, segments, o, sums);
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
  return 0.27;
#else
  return range == IntegerRange::rows8 ? 1.25 : range == IntegerRange::rows7 ? 0.75 : 0.6;
#endif
}

#endif

}  // namespace parsimony::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace parsimony::kernels {

HWY_EXPORT(IntegerProduct);
HWY_EXPORT(IntegerOffsets);
HWY_EXPORT(IntegerResultsOf);
HWY_EXPORT(IntegerCost);

void integer_product(const IntegerRows& rows, const IntegerTile& tile, std::int64_t segments,
                     IntegerRange range, float* sums) {
  HWY_DYNAMIC_DISPATCH(IntegerProduct)(rows, tile, segments, range, sums);
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
