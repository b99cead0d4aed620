#include "kernels/centroid_bytes.hpp"

// Highway builds for AVX-512 with VBMI only if this is defined.
#define HWY_WANT_AVX3_DL
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/centroid_bytes.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <array>
#include <cstring>
#include <utility>

#include "kernels/integer_product.hpp"
#include "kernels/table_lookup.hpp"

#ifndef PARSIMONY_KERNELS_CENTROID_BYTES_ONCE
#define PARSIMONY_KERNELS_CENTROID_BYTES_ONCE
namespace parsimony::kernels {
namespace {

constexpr std::int64_t kFour = 4 * kIntegerOutputs;  // four values of all outputs

// The codes of a column lie a row of the weight after those of the last one, where the processor does not
// expect them. A prefetch past the end does no harm.
constexpr std::int64_t kColumnsAhead = 8;

inline void fetch_codes(const std::uint8_t* codes, std::int64_t width) {
  __builtin_prefetch(codes + kColumnsAhead * width);
}

template <class Word>
Word word_at(const std::int8_t* values) {
  Word word;
  std::memcpy(&word, values, sizeof(word));
  return word;
}

inline void put_word(std::uint64_t word, std::int8_t* values) {
  std::memcpy(values, &word, sizeof(word));
}

// The values of two centroids, by fours beside each other.
template <std::int64_t kD>
void copy_two(const std::int8_t* left, const std::int8_t* right, std::int64_t d, std::int8_t* tile) {
  constexpr std::uint64_t kLow = 0xffffffff;
  if constexpr (kD > 0 && kD % 8 == 0) {
    for (std::int64_t j = 0; j < kD; j += 8, tile += 2 * kFour) {
      const auto l = word_at<std::uint64_t>(left + j), r = word_at<std::uint64_t>(right + j);
      put_word((l & kLow) | r << 32, tile);
      put_word(l >> 32 | (r & ~kLow), tile + kFour);
    }
  } else {
    for (std::int64_t j = 0; j < d; j += 4, tile += kFour) {
      put_word(word_at<std::uint32_t>(left + j) | std::uint64_t{word_at<std::uint32_t>(right + j)} << 32,
               tile);
    }
  }
}

// kD is d if it is known at compile time, and 0 otherwise.
template <std::int64_t kD>
void copy_centroids(const CentroidBytes& centroids, const std::uint8_t* codes, std::int64_t width,
                    std::int64_t columns, std::int8_t* tile) {
  const std::int64_t d = kD == 0 ? centroids.d() : kD;
  const std::int8_t* values = centroids.values();
  for (std::int64_t c = 0; c < columns; ++c, codes += width, tile += d / 4 * kFour) {
    fetch_codes(codes, width);
    for (std::int64_t half = 0; half < 2; ++half) {
      const std::int64_t first = half * kIntegerOutputs / 2;
      const std::uint8_t* code = codes + lookup_place(first);
      for (std::int64_t o = 0; o < kIntegerOutputs / 2; o += 2) {
        copy_two<kD>(values + code[2 * o] * d, values + code[2 * o + 2] * d, d, tile + 4 * (first + o));
      }
    }
  }
}

void copy_any_centroids(const CentroidBytes& centroids, const std::uint8_t* codes, std::int64_t width,
                        std::int64_t columns, std::int8_t* tile) {
  switch (centroids.d()) {
    case 4:
      return copy_centroids<4>(centroids, codes, width, columns, tile);
    case 8:
      return copy_centroids<8>(centroids, codes, width, columns, tile);
    case 16:
      return copy_centroids<16>(centroids, codes, width, columns, tile);
    default:
      return copy_centroids<0>(centroids, codes, width, columns, tile);
  }
}

}  // namespace
}  // namespace parsimony::kernels
#endif

HWY_BEFORE_NAMESPACE();
namespace parsimony::kernels::HWY_NAMESPACE {

#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3_DL

// Value j of 64 blocks, from tables of 64 bytes in registers.
template <int kRegisters>
HWY_INLINE __m512i ValueOfBlocks(const __m512i* table, __m512i codes, __mmask64 upper) {
  if constexpr (kRegisters == 1) return _mm512_permutexvar_epi8(codes, table[0]);
  if constexpr (kRegisters == 2) return _mm512_permutex2var_epi8(table[0], codes, table[1]);
  if constexpr (kRegisters == 4) {
    return _mm512_mask_blend_epi8(upper, _mm512_permutex2var_epi8(table[0], codes, table[1]),
                                  _mm512_permutex2var_epi8(table[2], codes, table[3]));
  }
}

// Four values of all blocks at a time: their tables take up to 16 registers.
template <int kRegisters>
void DecodeFour(const std::int8_t* planes, const std::uint8_t* HWY_RESTRICT codes, std::int64_t width,
                std::int64_t columns, __m512i order, std::int64_t step, std::int8_t* HWY_RESTRICT tile) {
  __m512i table[4][kRegisters];
  for (int j = 0; j < 4; ++j) {
    for (int r = 0; r < kRegisters; ++r) {
      table[j][r] = _mm512_loadu_si512(planes + 64 * (kRegisters * j + r));
    }
  }
  for (std::int64_t c = 0; c < columns; ++c, codes += width, tile += step) {
    fetch_codes(codes, width);
    const __m512i some = _mm512_permutexvar_epi8(order, _mm512_loadu_si512(codes));
    const __mmask64 upper = _mm512_movepi8_mask(some);
    const __m512i v0 = ValueOfBlocks<kRegisters>(table[0], some, upper),
                  v1 = ValueOfBlocks<kRegisters>(table[1], some, upper),
                  v2 = ValueOfBlocks<kRegisters>(table[2], some, upper),
                  v3 = ValueOfBlocks<kRegisters>(table[3], some, upper);
    const __m512i low01 = _mm512_unpacklo_epi8(v0, v1), high01 = _mm512_unpackhi_epi8(v0, v1),
                  low23 = _mm512_unpacklo_epi8(v2, v3), high23 = _mm512_unpackhi_epi8(v2, v3);
    _mm512_storeu_si512(tile, _mm512_unpacklo_epi16(low01, low23));
    _mm512_storeu_si512(tile + 64, _mm512_unpackhi_epi16(low01, low23));
    _mm512_storeu_si512(tile + 128, _mm512_unpacklo_epi16(high01, high23));
    _mm512_storeu_si512(tile + 192, _mm512_unpackhi_epi16(high01, high23));
  }
}

void DecodeCentroids(const CentroidBytes& centroids, const std::uint8_t* codes, std::int64_t width,
                     std::int64_t columns, std::int8_t* tile) {
  // Unpacking leaves place 16 a + 4 b + i in lane 4 a + i of vector b, which holds output 16 b + 4 a + i.
  alignas(64) std::array<std::uint8_t, 64> places;
  for (std::int64_t a = 0; a < 4; ++a) {
    for (std::int64_t b = 0; b < 4; ++b) {
      for (std::int64_t i = 0; i < 4; ++i) {
        places[16 * a + 4 * b + i] = static_cast<std::uint8_t>(lookup_place(16 * b + 4 * a + i));
      }
    }
  }
  const __m512i order = _mm512_load_si512(places.data());
  const std::int64_t size = centroids.plane_size(), step = centroids.d() / 4 * kFour;
  const auto decode = size == 64 ? DecodeFour<1> : size == 128 ? DecodeFour<2> : DecodeFour<4>;
  for (std::int64_t j = 0; j < centroids.d(); j += 4, tile += kFour) {
    decode(centroids.planes() + j * size, codes, width, columns, order, step, tile);
  }
}

double CentroidCost(std::int64_t d) {
  return 2.5 * static_cast<double>(d);
}

#else

void DecodeCentroids(const CentroidBytes& centroids, const std::uint8_t* codes, std::int64_t width,
                     std::int64_t columns, std::int8_t* tile) {
  copy_any_centroids(centroids, codes, width, columns, tile);
}

double CentroidCost(std::int64_t /*d*/) {
  return 28;
}

#endif

}  // namespace parsimony::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace parsimony::kernels {

HWY_EXPORT(DecodeCentroids);
HWY_EXPORT(CentroidCost);

CentroidBytes::CentroidBytes(std::vector<std::int8_t> values, std::int64_t d)
    : d_(d), values_(std::move(values)) {
  const std::int64_t k = count();
  plane_size_ = k <= 64 ? 64 : k <= 128 ? 128 : 256;
  planes_.assign(static_cast<std::size_t>(d * plane_size_), 0);
  for (std::int64_t i = 0; i < k; ++i) {
    for (std::int64_t j = 0; j < d; ++j) planes_[j * plane_size_ + i] = values_[i * d + j];
  }
}

void centroid_bytes(const CentroidBytes& centroids, const std::uint8_t* codes, std::int64_t width,
                    std::int64_t columns, std::int8_t* tile) {
  HWY_DYNAMIC_DISPATCH(DecodeCentroids)(centroids, codes, width, columns, tile);
}

double centroid_bytes_cost(std::int64_t d) {
  return HWY_DYNAMIC_DISPATCH(CentroidCost)(d);
}

void centroid_bytes_scalar(const CentroidBytes& centroids, const std::uint8_t* codes, std::int64_t width,
                           std::int64_t columns, std::int8_t* tile) {
  const std::int64_t d = centroids.d();
  for (std::int64_t c = 0; c < columns; ++c) {
    for (std::int64_t o = 0; o < kIntegerOutputs; ++o) {
      const std::int64_t code = codes[c * width + lookup_place(o)];
      for (std::int64_t j = 0; j < d; ++j) {
        tile[(c * d + j) / 4 * kFour + 4 * o + j % 4] = centroids.values()[code * d + j];
      }
    }
  }
}

}  // namespace parsimony::kernels
#endif  // HWY_ONCE
