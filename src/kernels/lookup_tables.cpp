#include "kernels/lookup_tables.hpp"

#include <bit>
#include <cmath>
#include <cstddef>

// Not built for AVX-512 with VBMI, as table_lookup is: there TruncateTo of Highway 1.0.3 takes wrong bytes.
// Sums are kept in arrays of vectors, which the sizeless vector types of SVE and RVV do not allow: those
// machines use NEON or scalar code. Builds with a sanitizer disable these targets and more.
#ifndef HWY_DISABLED_TARGETS
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#endif
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/lookup_tables.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#ifndef PARSIMONY_TABLE_LEVELS
#define PARSIMONY_TABLE_LEVELS
namespace parsimony::kernels {
namespace {

// A level is the exponent and the first bit behind it of a range: 2^e and 1.5 · 2^e in turn.
constexpr int kLevelShift = 22;

float range_of(std::int32_t level) {
  return std::bit_cast<float>(level << kLevelShift);
}

float largest_value(int planes) {
  return planes == 1 ? 255.0f : 65535.0f;
}

}  // namespace
}  // namespace parsimony::kernels
#endif

HWY_BEFORE_NAMESPACE();
namespace parsimony::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Floats = hn::CappedTag<float, 16>;
using V = hn::Vec<Floats>;
constexpr std::int64_t kLanes = hn::MaxLanes(Floats());

// Number of vectors of entries for which the sums of two columns fit into registers.
#if (HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3) || HWY_ARCH_ARM_A64
constexpr std::size_t kChunk = 8;
#else
constexpr std::size_t kChunk = 4;
#endif

template <std::size_t kColumns, std::size_t kVectors>
HWY_INLINE void Chunk(const float* HWY_RESTRICT x, const TransposedCodebook& codebook, std::int64_t entry,
                      float* HWY_RESTRICT out, V* HWY_RESTRICT least, V* HWY_RESTRICT most) {
  const Floats f;
  V sum[kColumns][kVectors];
  for (std::size_t c = 0; c < kColumns; ++c) {
    for (std::size_t v = 0; v < kVectors; ++v) sum[c][v] = hn::Zero(f);
  }
  const float* HWY_RESTRICT row = codebook.data + entry;
  for (std::int64_t j = 0; j < codebook.d; ++j, row += codebook.entries) {
    V factor[kColumns];
    for (std::size_t c = 0; c < kColumns; ++c) {
      factor[c] = hn::Set(f, x[static_cast<std::int64_t>(c) * codebook.d + j]);
    }
    for (std::size_t v = 0; v < kVectors; ++v) {
      const V values = hn::LoadU(f, row + v * kLanes);
      for (std::size_t c = 0; c < kColumns; ++c) sum[c][v] = hn::MulAdd(factor[c], values, sum[c][v]);
    }
  }
  for (std::size_t c = 0; c < kColumns; ++c) {
    for (std::size_t v = 0; v < kVectors; ++v) {
      hn::StoreU(sum[c][v], f, out + static_cast<std::int64_t>(c) * codebook.entries + entry + v * kLanes);
      least[c] = hn::Min(least[c], sum[c][v]);
      most[c] = hn::Max(most[c], sum[c][v]);
    }
  }
}

// The inner products of kColumns columns, their least and their largest values lane by lane.
template <std::size_t kColumns>
HWY_INLINE void Products(const float* x, const TransposedCodebook& codebook, float* out, V* least, V* most) {
  const Floats f;
  for (std::size_t c = 0; c < kColumns; ++c) {
    least[c] = hn::Set(f, HUGE_VALF);
    most[c] = hn::Set(f, -HUGE_VALF);
  }
  constexpr auto kStep = static_cast<std::int64_t>(kChunk) * kLanes;
  std::int64_t entry = 0;
  for (; entry + kStep <= codebook.entries; entry += kStep) {
    Chunk<kColumns, kChunk>(x, codebook, entry, out, least, most);
  }
  for (; entry < codebook.entries; entry += kLanes) {
    Chunk<kColumns, 1>(x, codebook, entry, out, least, most);
  }
}

template <int kPlanes>
HWY_INLINE std::int32_t Quantize(const float* HWY_RESTRICT products, std::int64_t entries, float low,
                                 float high, std::int32_t least_level, std::uint8_t* HWY_RESTRICT to) {
  const Floats f;
  const hn::RebindToUnsigned<Floats> u32;
  const hn::Rebind<std::uint8_t, Floats> u8;
  const std::int32_t level = std::max(least_level, table_level(high - low));
  const V offset = hn::Set(f, low), factor = hn::Set(f, largest_value(kPlanes) / range_of(level));
  const V shift = hn::Set(f, 0x1p23f);  // the sum is rounded to an integer, which its last bits then are
  for (std::int64_t k = 0; k < entries; k += kLanes) {
    const V value = hn::MulAdd(hn::Sub(hn::LoadU(f, products + k), offset), factor, shift);
    const auto bits = hn::BitCast(u32, value);
    if constexpr (kPlanes == 1) {
      hn::StoreU(hn::TruncateTo(u8, bits), u8, to + k);
    } else {
      hn::StoreU(hn::TruncateTo(u8, hn::ShiftRight<8>(bits)), u8, to + k);
      hn::StoreU(hn::TruncateTo(u8, bits), u8, to + plane_bytes(entries) + k);
    }
  }
  return level;
}

template <int kPlanes, std::size_t kColumns>
HWY_INLINE void Tables(const float* x, const TransposedCodebook& codebook, std::int32_t least_level,
                       std::uint8_t* tables, float* low, std::int32_t* level) {
  const Floats f;
  HWY_ALIGN float products[kColumns * kMostEntries];
  V least[kColumns], most[kColumns];
  Products<kColumns>(x, codebook, products, least, most);
  for (std::size_t c = 0; c < kColumns; ++c) {
    low[c] = hn::GetLane(hn::MinOfLanes(f, least[c]));
    level[c] =
        Quantize<kPlanes>(products + static_cast<std::int64_t>(c) * codebook.entries, codebook.entries,
                          low[c], hn::GetLane(hn::MaxOfLanes(f, most[c])), least_level,
                          tables + static_cast<std::int64_t>(c) * kPlanes * plane_bytes(codebook.entries));
  }
}

template <int kPlanes>
void AllTables(const float* x, std::int64_t columns, const TransposedCodebook& codebook,
               std::int32_t least_level, std::uint8_t* tables, float* low, std::int32_t* level) {
  const std::int64_t d = codebook.d, bytes = kPlanes * plane_bytes(codebook.entries);
  std::int64_t c = 0;
  for (; c + 2 <= columns; c += 2) {
    Tables<kPlanes, 2>(x + c * d, codebook, least_level, tables + c * bytes, low + c, level + c);
  }
  if (c < columns) {
    Tables<kPlanes, 1>(x + c * d, codebook, least_level, tables + c * bytes, low + c, level + c);
  }
}

void QuantizedTables(const float* x, std::int64_t columns, const TransposedCodebook& codebook, int planes,
                     std::int32_t least_level, std::uint8_t* tables, float* low, std::int32_t* level) {
  if (planes == 1) {
    AllTables<1>(x, columns, codebook, least_level, tables, low, level);
  } else {
    AllTables<2>(x, columns, codebook, least_level, tables, low, level);
  }
}

void FloatTables(const float* x, std::int64_t columns, const TransposedCodebook& codebook, float* tables) {
  V least[2], most[2];
  std::int64_t c = 0;
  for (; c + 2 <= columns; c += 2) {
    Products<2>(x + c * codebook.d, codebook, tables + c * codebook.entries, least, most);
  }
  if (c < columns) {
    Products<1>(x + c * codebook.d, codebook, tables + c * codebook.entries, least, most);
  }
}

}  // namespace parsimony::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace parsimony::kernels {

HWY_EXPORT(QuantizedTables);
HWY_EXPORT(FloatTables);

float table_step(std::int32_t level, int planes) {
  return range_of(level) / largest_value(planes);
}

std::int32_t table_level(float range) {
  constexpr auto kBelow = (std::int32_t{1} << kLevelShift) - 1;
  return (std::bit_cast<std::int32_t>(range) + kBelow) >> kLevelShift;
}

void quantized_tables(const float* x, std::int64_t columns, const TransposedCodebook& codebook, int planes,
                      std::int32_t least_level, std::uint8_t* tables, float* low, std::int32_t* level) {
  HWY_DYNAMIC_DISPATCH(QuantizedTables)
  (x, columns, codebook, planes, least_level, tables, low, level);
}

void float_tables(const float* x, std::int64_t columns, const TransposedCodebook& codebook, float* tables) {
  HWY_DYNAMIC_DISPATCH(FloatTables)(x, columns, codebook, tables);
}

namespace scalar {

void float_tables(const float* x, std::int64_t columns, const TransposedCodebook& codebook, float* tables) {
  for (std::int64_t c = 0; c < columns; ++c) {
    for (std::int64_t k = 0; k < codebook.entries; ++k) {
      float sum = 0;
      for (std::int64_t j = 0; j < codebook.d; ++j) {
        sum += x[c * codebook.d + j] * codebook.data[j * codebook.entries + k];
      }
      tables[c * codebook.entries + k] = sum;
    }
  }
}

void quantized_tables(const float* x, std::int64_t columns, const TransposedCodebook& codebook, int planes,
                      std::int32_t least_level, std::uint8_t* tables, float* low, std::int32_t* level) {
  const std::int64_t entries = codebook.entries, bytes = plane_bytes(entries);
  float products[kMostEntries] = {};
  for (std::int64_t c = 0; c < columns; ++c, tables += planes * bytes) {
    scalar::float_tables(x + c * codebook.d, 1, codebook, products);
    const auto [least, most] = std::minmax_element(products, products + entries);
    low[c] = *least;
    level[c] = std::max(least_level, table_level(*most - *least));
    const float factor = largest_value(planes) / range_of(level[c]);
    for (std::int64_t k = 0; k < entries; ++k) {
      const float exact = (products[k] - low[c]) * factor;
      const auto value =
          std::min(static_cast<std::int32_t>(std::nearbyint(exact)), planes == 1 ? 255 : 65535);
      tables[k] = static_cast<std::uint8_t>(planes == 1 ? value : value >> 8);
      if (planes == 2) tables[bytes + k] = static_cast<std::uint8_t>(value & 255);
    }
  }
}

}  // namespace scalar
}  // namespace parsimony::kernels
#endif  // HWY_ONCE
