#include "kernels/table_lookup.hpp"

#include <algorithm>

#include "kernels/lookup_tables.hpp"

// Highway builds for AVX-512 with VBMI only if this is defined.
#define HWY_WANT_AVX3_DL
// Sums are kept in arrays of vectors, which the sizeless vector types of SVE and RVV do not allow: those
// machines use NEON or scalar code. Builds with a sanitizer disable these targets and more.
#ifndef HWY_DISABLED_TARGETS
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#endif
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/table_lookup.cpp"
#include <hwy/cache_control.h>
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

// In Highway a smaller number is a better target.
#undef PARSIMONY_BYTE_PERMUTES
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3_DL
#define PARSIMONY_BYTE_PERMUTES 1
#else
#define PARSIMONY_BYTE_PERMUTES 0
#endif

HWY_BEFORE_NAMESPACE();
namespace parsimony::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET == HWY_SCALAR

void AddLookups(const LookupTables& tables, const std::uint8_t* codes, std::int64_t groups,
                const std::int32_t* order, std::int64_t count, float step, float* sums) {
  add_lookups_scalar(tables, codes, groups, order, count, step, sums);
}

double LookupCost(std::int64_t /*entries*/) {
  return 1;
}

#else

using Bytes = hn::CappedTag<std::uint8_t, kLookupGroup>;
using Words = hn::Repartition<std::uint16_t, Bytes>;
using VB = hn::Vec<Bytes>;
using VW = hn::Vec<Words>;
constexpr std::int64_t kBytes = hn::MaxLanes(Bytes());

// Sums of bytes in 16 bits, even and odd bytes apart. `all` adds whole words and `odd` their upper bytes; the
// odd sums are subtracted from `all` at the end, so that an addition needs no mask.
struct ByteSums {
  VW all, odd;
};

HWY_INLINE ByteSums NoSums() {
  return {hn::Zero(Words()), hn::Zero(Words())};
}

HWY_INLINE void AddBytes(VB bytes, ByteSums& sums) {
  const auto words = hn::BitCast(Words(), bytes);
  sums.all = hn::Add(sums.all, words);
  sums.odd = hn::Add(sums.odd, hn::ShiftRight<8>(words));
}

// Adds even bytes to sums[0 …) and odd bytes to sums[32 …); the first plane counts 256 times.
template <int kPlanes>
HWY_INLINE void Flush(const ByteSums* planes, float step, float* HWY_RESTRICT sums) {
  const Words words;
  const hn::Repartition<std::int32_t, Bytes> i32;
  const hn::RebindToFloat<decltype(i32)> f32;
  const hn::Rebind<std::uint16_t, decltype(i32)> half;
  constexpr std::int64_t kWords = kBytes / 2, kLanes = kBytes / 4;
  HWY_ALIGN std::uint16_t values[kPlanes][2][kWords];
  for (int p = 0; p < kPlanes; ++p) {
    hn::Store(hn::Sub(planes[p].all, hn::ShiftLeft<8>(planes[p].odd)), words, values[p][0]);
    hn::Store(planes[p].odd, words, values[p][1]);
  }
  const auto factor = hn::Set(f32, step);
  for (std::int64_t odd = 0; odd < 2; ++odd) {
    for (std::int64_t i = 0; i < kWords; i += kLanes) {
      auto value = hn::PromoteTo(i32, hn::Load(half, values[0][odd] + i));
      if constexpr (kPlanes == 2) {
        value = hn::Add(hn::ShiftLeft<8>(value), hn::PromoteTo(i32, hn::Load(half, values[1][odd] + i)));
      }
      float* HWY_RESTRICT to = sums + odd * kLookupGroup / 2 + i;
      hn::StoreU(hn::MulAdd(factor, hn::ConvertTo(f32, value), hn::LoadU(f32, to)), f32, to);
    }
  }
}

#if PARSIMONY_BYTE_PERMUTES

// A table in registers with 64 entries each.
template <int kRegisters>
struct RegisterTable {
  VB part[kRegisters];

  HWY_INLINE void Load(const std::uint8_t* from) {
    part[0] = hn::LoadU(Bytes(), from);
    if constexpr (kRegisters >= 2) part[1] = hn::LoadU(Bytes(), from + kBytes);
    if constexpr (kRegisters == 4) {
      part[2] = hn::LoadU(Bytes(), from + 2 * kBytes);
      part[3] = hn::LoadU(Bytes(), from + 3 * kBytes);
    }
  }

  HWY_INLINE VB At(VB codes) const {
    if constexpr (kRegisters == 1) return VB{_mm512_permutexvar_epi8(codes.raw, part[0].raw)};
    if constexpr (kRegisters >= 2) {
      const __m512i lower = _mm512_permutex2var_epi8(part[0].raw, codes.raw, part[1].raw);
      if constexpr (kRegisters == 2) return VB{lower};
      if constexpr (kRegisters == 4) {
        const __m512i upper = _mm512_permutex2var_epi8(part[2].raw, codes.raw, part[3].raw);
        return VB{_mm512_mask_blend_epi8(_mm512_movepi8_mask(codes.raw), lower, upper)};
      }
    }
  }
};

// Sums of kGroups groups. Recursion instead of loops lets the compiler see every index and keep the sums in
// registers.
template <int kGroups, int kPlanes>
struct GroupSums {
  ByteSums sum[kPlanes];
  GroupSums<kGroups - 1, kPlanes> rest;

  HWY_INLINE void Clear() {
    sum[0] = NoSums();
    sum[kPlanes - 1] = NoSums();
    rest.Clear();
  }

  // Fetch codes of a later column ahead: the hardware prefetcher cannot guess the order.
  template <class Table>
  HWY_INLINE void Add(const Table* tables, const std::uint8_t* HWY_RESTRICT codes,
                      const std::uint8_t* ahead) {
    hwy::Prefetch(ahead);
    VB some = hn::LoadU(Bytes(), codes);
    // The compiler would otherwise load them again for each permute that overwrites them, and load slots are
    // scarce.
    asm("" : "+v"(some.raw));
    AddBytes(tables[0].At(some), sum[0]);
    if constexpr (kPlanes == 2) AddBytes(tables[1].At(some), sum[1]);
    rest.Add(tables, codes + kLookupGroup, ahead + kLookupGroup);
  }

  HWY_INLINE void FlushTo(float step, float* HWY_RESTRICT sums) const {
    Flush<kPlanes>(sum, step, sums);
    rest.FlushTo(step, sums + kLookupGroup);
  }
};

template <int kPlanes>
struct GroupSums<0, kPlanes> {
  HWY_INLINE void Clear() {}
  template <class Table>
  HWY_INLINE void Add(const Table*, const std::uint8_t*, const std::uint8_t*) {}
  HWY_INLINE void FlushTo(float, float*) const {}
};

// kGroups groups side by side share one load of a table.
template <int kRegisters, int kPlanes, int kGroups>
void SomeGroups(const LookupTables& tables, const std::uint8_t* codes, std::int64_t groups,
                const std::int32_t* order, std::int64_t count, float step, float* sums) {
  constexpr std::int64_t kAhead = 4;
  constexpr std::int64_t kPlane = kRegisters * kBytes;
  const std::int64_t stride = groups * kLookupGroup;
  GroupSums<kGroups, kPlanes> sum;
  sum.Clear();
  for (std::int64_t n = 0; n < count; ++n) {
    const std::uint8_t* HWY_RESTRICT from = tables.data + order[n] * kPlanes * kPlane;
    RegisterTable<kRegisters> table[kPlanes];
    table[0].Load(from);
    if constexpr (kPlanes == 2) table[1].Load(from + kPlane);
    sum.Add(table, codes + order[n] * stride, codes + order[std::min(n + kAhead, count - 1)] * stride);
  }
  sum.FlushTo(step, sums);
}

template <int kRegisters, int kPlanes>
void AllGroups(const LookupTables& tables, const std::uint8_t* codes, std::int64_t groups,
               const std::int32_t* order, std::int64_t count, float step, float* sums) {
  constexpr int kMost = 8 / kPlanes;  // the sums and the tables fit into the registers
  std::int64_t g = 0;
  const auto some = [&](auto many) {
    constexpr int kGroups = decltype(many)::value;
    for (; g + kGroups <= groups; g += kGroups) {
      SomeGroups<kRegisters, kPlanes, kGroups>(tables, codes + g * kLookupGroup, groups, order, count, step,
                                               sums + g * kLookupGroup);
    }
  };
  some(std::integral_constant<int, kMost>());
  some(std::integral_constant<int, 2>());
  some(std::integral_constant<int, 1>());
}

template <int kPlanes>
void AllPlanes(const LookupTables& tables, const std::uint8_t* codes, std::int64_t groups,
               const std::int32_t* order, std::int64_t count, float step, float* sums) {
  if (tables.entries <= 64) {
    AllGroups<1, kPlanes>(tables, codes, groups, order, count, step, sums);
  } else if (tables.entries == 128) {
    AllGroups<2, kPlanes>(tables, codes, groups, order, count, step, sums);
  } else {
    AllGroups<4, kPlanes>(tables, codes, groups, order, count, step, sums);
  }
}

double LookupCost(std::int64_t entries) {
  return entries <= 64 ? 0.9 : entries == 128 ? 1.1 : 1.4;
}

#else

// Looks up a table of 16 · kParts entries with shuffles: the low four bits of a code select the place in a
// part, and each higher bit selects a half of the parts.
template <int kParts>
HWY_INLINE VB At(const std::uint8_t* HWY_RESTRICT table, VB codes, VB place) {
  const Bytes bytes;
  if constexpr (kParts == 1) {
    return hn::TableLookupBytes(hn::LoadDup128(bytes, table), place);
  } else {
    constexpr int kUp = kParts == 2 ? 3 : kParts == 4 ? 2 : kParts == 8 ? 1 : 0;
    const VB lower = At<kParts / 2>(table, codes, place),
             upper = At<kParts / 2>(table + 8 * kParts, codes, place);
    const hn::RebindToSigned<Bytes> sign;
    // Shifts the bit to the sign of its byte; bits that arrive from the byte below are ignored.
    auto bit = hn::BitCast(sign, hn::ShiftLeft<kUp>(hn::BitCast(Words(), codes)));
#if HWY_TARGET == HWY_SSSE3
    bit = hn::BroadcastSignBit(bit);  // selects bit by bit, whatever Highway says
#endif
    return hn::BitCast(bytes,
                       hn::IfNegativeThenElse(bit, hn::BitCast(sign, upper), hn::BitCast(sign, lower)));
  }
}

template <int kParts, int kPlanes>
void AllGroups(const LookupTables& tables, const std::uint8_t* codes, std::int64_t groups,
               const std::int32_t* order, std::int64_t count, float step, float* sums) {
  const Bytes bytes;
  const std::int64_t plane = plane_bytes(tables.entries);
  const VB low = hn::Set(bytes, std::uint8_t{15});
  for (std::int64_t g = 0; g < groups; ++g) {
    for (std::int64_t v = 0; v < kLookupGroup; v += kBytes) {
      ByteSums sum[kPlanes];
      for (int p = 0; p < kPlanes; ++p) sum[p] = NoSums();
      for (std::int64_t n = 0; n < count; ++n) {
        const VB some = hn::LoadU(bytes, codes + (order[n] * groups + g) * kLookupGroup + v);
        const VB place = hn::And(some, low);
        const std::uint8_t* table = tables.data + order[n] * kPlanes * plane;
        for (int p = 0; p < kPlanes; ++p) AddBytes(At<kParts>(table + p * plane, some, place), sum[p]);
      }
      Flush<kPlanes>(sum, step, sums + g * kLookupGroup + v / 2);
    }
  }
}

template <int kPlanes>
void AllPlanes(const LookupTables& tables, const std::uint8_t* codes, std::int64_t groups,
               const std::int32_t* order, std::int64_t count, float step, float* sums) {
  switch (tables.entries) {
    case 16:
      return AllGroups<1, kPlanes>(tables, codes, groups, order, count, step, sums);
    case 32:
      return AllGroups<2, kPlanes>(tables, codes, groups, order, count, step, sums);
    case 64:
      return AllGroups<4, kPlanes>(tables, codes, groups, order, count, step, sums);
    case 128:
      return AllGroups<8, kPlanes>(tables, codes, groups, order, count, step, sums);
    default:
      return AllGroups<16, kPlanes>(tables, codes, groups, order, count, step, sums);
  }
}

double LookupCost(std::int64_t entries) {
  return 1 + 0.03 * static_cast<double>(entries);
}

#endif  // PARSIMONY_BYTE_PERMUTES

void AddLookups(const LookupTables& tables, const std::uint8_t* codes, std::int64_t groups,
                const std::int32_t* order, std::int64_t count, float step, float* sums) {
  if (tables.planes == 1) {
    AllPlanes<1>(tables, codes, groups, order, count, step, sums);
  } else {
    AllPlanes<2>(tables, codes, groups, order, count, step, sums);
  }
}

#endif  // HWY_TARGET == HWY_SCALAR

}  // namespace parsimony::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace parsimony::kernels {

HWY_EXPORT(AddLookups);
HWY_EXPORT(LookupCost);

void add_lookups(const LookupTables& tables, const std::uint8_t* codes, std::int64_t groups,
                 const std::int32_t* order, std::int64_t count, float step, float* sums) {
  HWY_DYNAMIC_DISPATCH(AddLookups)(tables, codes, groups, order, count, step, sums);
}

double lookup_cost(std::int64_t entries) {
  return HWY_DYNAMIC_DISPATCH(LookupCost)(entries);
}

template <class Code>
void add_float_lookups(const float* tables, std::int64_t entries, const Code* codes, std::int64_t groups,
                       std::int64_t columns, float* sums) {
  constexpr std::int64_t kTogether = 4, kHalf = kLookupGroup / 2;
  const std::int64_t stride = groups * kLookupGroup;
  for (std::int64_t c = 0; c < columns; c += kTogether) {
    const std::int64_t some = std::min(kTogether, columns - c);
    for (std::int64_t g = 0; g < groups; ++g) {
      const Code* at = codes + c * stride + g * kLookupGroup;
      const float* table = tables + c * entries;
      float* to = sums + g * kLookupGroup;
      if (some == kTogether) {
        for (std::int64_t i = 0; i < kLookupGroup; ++i) {
          float& sum = to[i % 2 == 0 ? i / 2 : kHalf + i / 2];
          sum = sum + table[at[i]] + table[entries + at[stride + i]] +
                table[2 * entries + at[2 * stride + i]] + table[3 * entries + at[3 * stride + i]];
        }
        continue;
      }
      for (std::int64_t s = 0; s < some; ++s) {
        for (std::int64_t i = 0; i < kHalf; ++i) {
          to[i] += table[s * entries + at[s * stride + 2 * i]];
          to[kHalf + i] += table[s * entries + at[s * stride + 2 * i + 1]];
        }
      }
    }
  }
}

template void add_float_lookups(const float*, std::int64_t, const std::uint8_t*, std::int64_t, std::int64_t,
                                float*);
template void add_float_lookups(const float*, std::int64_t, const std::uint16_t*, std::int64_t, std::int64_t,
                                float*);

void add_lookups_scalar(const LookupTables& tables, const std::uint8_t* codes, std::int64_t groups,
                        const std::int32_t* order, std::int64_t count, float step, float* sums) {
  const std::int64_t plane = plane_bytes(tables.entries);
  for (std::int64_t g = 0; g < groups; ++g) {
    for (std::int64_t i = 0; i < kLookupGroup; ++i) {
      std::int32_t sum = 0;
      for (std::int64_t n = 0; n < count; ++n) {
        const std::int64_t code = codes[(order[n] * groups + g) * kLookupGroup + lookup_place(i)];
        const std::uint8_t* table = tables.data + order[n] * tables.planes * plane;
        sum += tables.planes == 1 ? table[code] : 256 * table[code] + table[plane + code];
      }
      sums[g * kLookupGroup + i] += step * static_cast<float>(sum);
    }
  }
}

}  // namespace parsimony::kernels
#endif  // HWY_ONCE
