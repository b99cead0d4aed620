#include "kernels/interleave_bytes.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/interleave_bytes.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
//
#include <hwy/cache_control.h>

#include <algorithm>
#include <cstring>

#ifndef PARSIMONY_KERNELS_INTERLEAVE_BYTES_ONCE
#define PARSIMONY_KERNELS_INTERLEAVE_BYTES_ONCE
namespace parsimony::kernels {
namespace {

constexpr std::int64_t kQuadBytes = 4 * kIntegerOutputs;  // four inputs of all rows

const std::uint8_t* row_of(const SegmentCodes& codes, std::int64_t row) {
  return codes.data + std::min(row, codes.count - 1) * codes.stride;
}

}  // namespace
}  // namespace parsimony::kernels
#endif

HWY_BEFORE_NAMESPACE();
namespace parsimony::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET == HWY_SCALAR

void InterleaveBytes(const SegmentCodes& codes, const CodeBytes& bytes, std::int8_t* tile) {
  interleave_bytes_scalar(codes, bytes, tile);
}

#elif HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3

template <bool kTable, bool kNibbles>
HWY_INLINE __m512i RowBytes(const SegmentCodes& codes, const CodeBytes& bytes, __m512i table,
                            std::int64_t row) {
  const std::uint8_t* from = row_of(codes, row);
  hwy::Prefetch(from + codes.soon);
  __m512i values;
  if constexpr (kNibbles) {
    // Each byte becomes a word, whose upper byte gets the upper half.
    const __m512i words = _mm512_cvtepu8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)));
    values = _mm512_and_si512(_mm512_or_si512(words, _mm512_slli_epi16(words, 4)), _mm512_set1_epi8(15));
  } else {
    values = _mm512_loadu_si512(from);
  }
  if constexpr (kTable) return _mm512_shuffle_epi8(table, values);
  return _mm512_sub_epi8(values, _mm512_set1_epi8(static_cast<char>(bytes.zero[row])));
}

// Sixteen rows at a time: rows of bytes become lines of four bytes of each row.
template <bool kTable, bool kNibbles>
void Interleave(const SegmentCodes& codes, const CodeBytes& bytes, std::int8_t* HWY_RESTRICT tile) {
  const __m512i table =
      kTable ? _mm512_broadcast_i32x4(_mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes.table)))
             : _mm512_setzero_si512();
  for (std::int64_t row = 0; row < codes.count; row += 16) {
    __m512i part[4][4];  // [q][g]: bytes 4 q to 4 q + 3 of each 16 of rows 4 g to 4 g + 3
    for (std::int64_t g = 0; g < 4; ++g) {
      const auto at = [&](std::int64_t j) {
        return RowBytes<kTable, kNibbles>(codes, bytes, table, row + 4 * g + j);
      };
      const __m512i r0 = at(0), r1 = at(1), r2 = at(2), r3 = at(3);
      const __m512i low01 = _mm512_unpacklo_epi32(r0, r1), low23 = _mm512_unpacklo_epi32(r2, r3),
                    high01 = _mm512_unpackhi_epi32(r0, r1), high23 = _mm512_unpackhi_epi32(r2, r3);
      part[0][g] = _mm512_unpacklo_epi64(low01, low23);
      part[1][g] = _mm512_unpackhi_epi64(low01, low23);
      part[2][g] = _mm512_unpacklo_epi64(high01, high23);
      part[3][g] = _mm512_unpackhi_epi64(high01, high23);
    }
    std::int8_t* to = tile + 4 * row;
    for (std::int64_t q = 0; q < 4; ++q, to += kQuadBytes) {
      const __m512i a = _mm512_shuffle_i32x4(part[q][0], part[q][1], 0x44),
                    b = _mm512_shuffle_i32x4(part[q][2], part[q][3], 0x44),
                    c = _mm512_shuffle_i32x4(part[q][0], part[q][1], 0xEE),
                    d = _mm512_shuffle_i32x4(part[q][2], part[q][3], 0xEE);
      _mm512_storeu_si512(to, _mm512_shuffle_i32x4(a, b, 0x88));
      _mm512_storeu_si512(to + 4 * kQuadBytes, _mm512_shuffle_i32x4(a, b, 0xDD));
      _mm512_storeu_si512(to + 8 * kQuadBytes, _mm512_shuffle_i32x4(c, d, 0x88));
      _mm512_storeu_si512(to + 12 * kQuadBytes, _mm512_shuffle_i32x4(c, d, 0xDD));
    }
  }
}

#else

// Four rows and 16 inputs at a time.
template <bool kTable, bool kNibbles>
HWY_INLINE void Interleave(const SegmentCodes& codes, const CodeBytes& bytes,
                           std::int8_t* HWY_RESTRICT tile) {
  const hn::FixedTag<std::uint8_t, 16> d;
  const hn::Repartition<std::uint16_t, decltype(d)> d16;
  const hn::Repartition<std::uint32_t, decltype(d)> d32;
  const hn::Repartition<std::uint64_t, decltype(d)> d64;
  const auto table =
      hn::LoadU(d, kTable ? reinterpret_cast<const std::uint8_t*>(bytes.table) : bytes.zero.data());
  for (std::int64_t row = 0; row < codes.count; row += 4) {
    const auto values = [&](std::int64_t j, std::int64_t t) {
      const std::uint8_t* from = row_of(codes, row + j);
      hwy::Prefetch(from + t + codes.soon);
      auto some = hn::Zero(d);
      if constexpr (kNibbles) {
        std::uint64_t half = 0;
        std::memcpy(&half, from + t / 2, sizeof(half));
        const auto both = hn::BitCast(d, hn::Set(d64, half));
        const auto upper = hn::BitCast(d, hn::ShiftRight<4>(hn::BitCast(d16, both)));
        some = hn::And(hn::InterleaveLower(d, both, upper), hn::Set(d, 15));
      } else {
        some = hn::LoadU(d, from + t);
      }
      if constexpr (kTable) return hn::BitCast(d32, hn::TableLookupBytes(table, some));
      return hn::BitCast(d32, hn::Sub(some, hn::Set(d, bytes.zero[row + j])));
    };
    std::int8_t* to = tile + 4 * row;
    for (std::int64_t t = 0; t < kIntegerSegment; t += 16, to += 4 * kQuadBytes) {
      const auto r0 = values(0, t), r1 = values(1, t), r2 = values(2, t), r3 = values(3, t);
      const auto low01 = hn::BitCast(d64, hn::InterleaveLower(d32, r0, r1)),
                 low23 = hn::BitCast(d64, hn::InterleaveLower(d32, r2, r3)),
                 high01 = hn::BitCast(d64, hn::InterleaveUpper(d32, r0, r1)),
                 high23 = hn::BitCast(d64, hn::InterleaveUpper(d32, r2, r3));
      const auto store = [&](auto four, std::int64_t i) {
        hn::StoreU(hn::BitCast(d, four), d, reinterpret_cast<std::uint8_t*>(to + i * kQuadBytes));
      };
      store(hn::InterleaveLower(d64, low01, low23), 0);
      store(hn::InterleaveUpper(d64, low01, low23), 1);
      store(hn::InterleaveLower(d64, high01, high23), 2);
      store(hn::InterleaveUpper(d64, high01, high23), 3);
    }
  }
}

#endif

#if HWY_TARGET != HWY_SCALAR
void InterleaveBytes(const SegmentCodes& codes, const CodeBytes& bytes, std::int8_t* tile) {
  if (bytes.table != nullptr) {
    codes.nibbles ? Interleave<true, true>(codes, bytes, tile) : Interleave<true, false>(codes, bytes, tile);
  } else {
    codes.nibbles ? Interleave<false, true>(codes, bytes, tile)
                  : Interleave<false, false>(codes, bytes, tile);
  }
}
#endif

}  // namespace parsimony::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace parsimony::kernels {

HWY_EXPORT(InterleaveBytes);

void interleave_bytes(const SegmentCodes& codes, const CodeBytes& bytes, std::int8_t* tile) {
  HWY_DYNAMIC_DISPATCH(InterleaveBytes)(codes, bytes, tile);
}

void interleave_bytes_scalar(const SegmentCodes& codes, const CodeBytes& bytes, std::int8_t* tile) {
  for (std::int64_t row = 0; row < kIntegerOutputs; ++row) {
    const std::uint8_t* from = row_of(codes, row);
    for (std::int64_t t = 0; t < kIntegerSegment; ++t) {
      const std::uint8_t code = codes.nibbles ? from[t / 2] >> (4 * (t % 2)) & 15 : from[t];
      tile[t / 4 * kQuadBytes + 4 * row + t % 4] =
          bytes.table != nullptr ? bytes.table[code] : static_cast<std::int8_t>(code - bytes.zero[row]);
    }
  }
}

}  // namespace parsimony::kernels
#endif  // HWY_ONCE
