#include "kernels/code_dots.hpp"

// Highway builds for AVX-512 with VNNI only if this is defined.
#define HWY_WANT_AVX3_DL
// Sums are kept in arrays of vectors, which the sizeless vector types of SVE and RVV do not allow: those
// machines use NEON or scalar code. Builds with a sanitizer disable these targets and more.
#ifndef HWY_DISABLED_TARGETS
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#endif
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/code_dots.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
//
#include <hwy/cache_control.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "kernels/byte_products-inl.hpp"
#include "kernels/sums-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace parsimony::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET == HWY_SCALAR

void CodeDots(const DotRow& x, const DotCodes& codes, IntegerRange range, float* out) {
  code_dots_scalar(x, codes, range, out);
}

#else

using Bytes = hn::Repartition<std::uint8_t, Lanes>;
using VB = hn::Vec<Bytes>;
constexpr std::int64_t kBytes = 4 * kLanes;               // in a vector
constexpr std::size_t kParts = kIntegerSegment / kBytes;  // vectors in a segment
constexpr std::int64_t kDotOutputs = 4;                   // rows of codes at a time

// The codes of a segment as bytes, in the order of the values of DotRow.
template <bool kNibbles>
HWY_INLINE void LoadCodes(const std::uint8_t* HWY_RESTRICT from, VB (&out)[kParts]) {
  const Bytes d;
  if constexpr (!kNibbles) {
    for (std::size_t v = 0; v < kParts; ++v)
      out[v] = hn::LoadU(d, from + static_cast<std::int64_t>(v) * kBytes);
  } else {
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3
    const __m256i both = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
    const __m512i halves = _mm512_inserti64x4(_mm512_castsi256_si512(both), _mm256_srli_epi16(both, 4), 1);
    out[0] = VB{_mm512_and_si512(halves, _mm512_set1_epi8(15))};
#else
    const hn::Repartition<std::uint16_t, Bytes> d16;
    const VB low = hn::Set(d, 15);
    for (std::size_t v = 0; v < kParts / 2; ++v) {
      const VB both = hn::LoadU(d, from + static_cast<std::int64_t>(v) * kBytes);
      out[v] = hn::And(both, low);
      out[kParts / 2 + v] = hn::And(hn::BitCast(d, hn::ShiftRight<4>(hn::BitCast(d16, both))), low);
    }
#endif
  }
}

// Integer sum of a segment of one row of codes.
template <IntegerRange kRange, bool kNibbles, bool kTable>
HWY_INLINE VI DotSegment(const std::uint8_t* HWY_RESTRICT from, VB table, const VI (&values)[kParts],
                         VI start) {
  VB codes[kParts];
  LoadCodes<kNibbles>(from, codes);
  for (std::size_t v = 0; v < kParts; ++v) {
    if constexpr (kTable) codes[v] = hn::TableLookupBytes(table, codes[v]);
    start = AddProducts<kRange>(start, hn::BitCast(Lanes(), codes[v]), values[v]);
  }
  return start;
}

template <std::int64_t kOutputs, IntegerRange kRange, bool kNibbles, bool kTable>
HWY_NOINLINE void Dots(const DotRow& x, const DotCodes& codes, std::int64_t first, float* HWY_RESTRICT out) {
  const Lanes d;
  const Floats df;
  const Bytes d8;
  constexpr std::int64_t kSegmentBytes = kNibbles ? kIntegerSegment / 2 : kIntegerSegment;
  VB table = hn::Zero(d8);
  if constexpr (kTable) table = hn::LoadDup128(d8, codes.table);
  const VI lane = hn::IfThenElseZero(hn::FirstN(d, 1), hn::Set(d, -1));
  VF total[kOutputs];
  for (std::int64_t o = 0; o < kOutputs; ++o) total[o] = hn::Zero(df);
  const std::uint8_t* HWY_RESTRICT rows = codes.data + first * codes.stride;
  const float* HWY_RESTRICT scales =
      codes.scales == nullptr ? nullptr : codes.scales + first * codes.scale_stride;
  const auto add = [&](std::int64_t s, const std::uint8_t* HWY_RESTRICT from, std::int64_t stride) HWY_ATTR {
    VI values[kParts];
    for (std::size_t v = 0; v < kParts; ++v) {
      values[v] = hn::BitCast(
          d, hn::LoadU(Values(), x.values + s * kIntegerSegment + static_cast<std::int64_t>(v) * kBytes));
    }
    const VI start = codes.zero == 0 ? hn::Zero(d) : hn::And(lane, hn::Set(d, -codes.zero * x.sums[s]));
    const VF scale = hn::Set(df, x.scales[s]);
    for (std::int64_t o = 0; o < kOutputs; ++o) {
      const VI sum = DotSegment<kRange, kNibbles, kTable>(from + o * stride, table, values, start);
      const VF factor =
          scales == nullptr
              ? scale
              : hn::Mul(scale, hn::Set(df, scales[o * codes.scale_stride + s / codes.segments]));
      total[o] = hn::MulAdd(hn::ConvertTo(df, sum), factor, total[o]);
    }
  };
  const std::int64_t whole = x.inputs / kIntegerSegment, rest = x.inputs % kIntegerSegment;
  for (std::int64_t s = 0; s < whole; ++s) {
    const std::uint8_t* from = rows + s * kSegmentBytes;
    // The same bytes of the rows that come next: the processor does not fetch by itself from so many places.
    for (std::int64_t o = 0; o < kOutputs; ++o) hwy::Prefetch(from + (kOutputs + o) * codes.stride);
    add(s, from, codes.stride);
  }
  if (rest > 0) {
    std::array<std::uint8_t, kOutputs * kSegmentBytes> last{};
    const auto bytes = static_cast<std::size_t>(kNibbles ? (rest + 1) / 2 : rest);
    for (std::int64_t o = 0; o < kOutputs; ++o) {
      std::memcpy(last.data() + o * kSegmentBytes, rows + o * codes.stride + whole * kSegmentBytes, bytes);
    }
    add(whole, last.data(), kSegmentBytes);
  }
  StoreSums(df, total, out + first);
}

template <IntegerRange kRange, bool kNibbles, bool kTable>
void AllDots(const DotRow& x, const DotCodes& codes, float* out) {
  std::int64_t o = 0;
  for (; o + kDotOutputs <= codes.count; o += kDotOutputs) {
    Dots<kDotOutputs, kRange, kNibbles, kTable>(x, codes, o, out);
  }
  for (; o < codes.count; ++o) Dots<1, kRange, kNibbles, kTable>(x, codes, o, out);
}

template <IntegerRange kRange>
void DotsOf(const DotRow& x, const DotCodes& codes, float* out) {
  if (codes.table != nullptr) {
    codes.nibbles ? AllDots<kRange, true, true>(x, codes, out) : AllDots<kRange, false, true>(x, codes, out);
  } else {
    codes.nibbles ? AllDots<kRange, true, false>(x, codes, out)
                  : AllDots<kRange, false, false>(x, codes, out);
  }
}

void CodeDots(const DotRow& x, const DotCodes& codes, IntegerRange range, float* out) {
  range == IntegerRange::rows8 ? DotsOf<IntegerRange::rows8>(x, codes, out)
                               : DotsOf<IntegerRange::rows7>(x, codes, out);
}

#endif

std::int64_t MostDotRows() {
#if HWY_TARGET == HWY_SCALAR
  return 8;
#else
  return 2;
#endif
}

}  // namespace parsimony::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace parsimony::kernels {

HWY_EXPORT(CodeDots);
HWY_EXPORT(MostDotRows);

void code_dots(const DotRow& x, const DotCodes& codes, IntegerRange range, float* out) {
  HWY_DYNAMIC_DISPATCH(CodeDots)(x, codes, range, out);
}

std::int64_t most_dot_rows() {
  return HWY_DYNAMIC_DISPATCH(MostDotRows)();
}

void code_dots_scalar(const DotRow& x, const DotCodes& codes, IntegerRange /*range*/, float* out) {
  for (std::int64_t o = 0; o < codes.count; ++o) {
    const std::uint8_t* row = codes.data + o * codes.stride;
    float total = 0;
    for (std::int64_t begin = 0; begin < x.inputs; begin += kIntegerSegment) {
      const std::int64_t s = begin / kIntegerSegment;
      std::int32_t sum = 0;
      for (std::int64_t i = begin; i < std::min(begin + kIntegerSegment, x.inputs); ++i) {
        const std::int64_t place =
            codes.nibbles ? begin + i % 2 * (kIntegerSegment / 2) + (i - begin) / 2 : i;
        const std::uint8_t code = codes.nibbles ? row[i / 2] >> (4 * (i % 2)) & 15 : row[i];
        const std::int32_t value = codes.table == nullptr ? code : codes.table[code];
        sum += x.values[place] * (value - codes.zero);
      }
      const float scale =
          codes.scales == nullptr ? 1 : codes.scales[o * codes.scale_stride + s / codes.segments];
      total += static_cast<float>(sum) * (x.scales[s] * scale);
    }
    out[o] = total;
  }
}

}  // namespace parsimony::kernels
#endif  // HWY_ONCE
