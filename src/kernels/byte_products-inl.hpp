// Sums of products of bytes in lanes of 32 bits. The including file is compiled once per target; the include
// guard therefore toggles.
#include <hwy/highway.h>

#include <cstdint>

#include "kernels/integer_product.hpp"

#if defined(PARSIMONY_BYTE_PRODUCTS_INL_HPP) == defined(HWY_TARGET_TOGGLE)
#ifdef PARSIMONY_BYTE_PRODUCTS_INL_HPP
#undef PARSIMONY_BYTE_PRODUCTS_INL_HPP
#else
#define PARSIMONY_BYTE_PRODUCTS_INL_HPP
#endif

HWY_BEFORE_NAMESPACE();
namespace parsimony::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET != HWY_SCALAR

using Lanes = hn::CappedTag<std::int32_t, 16>;
using Halves = hn::Repartition<std::int16_t, Lanes>;
using Values = hn::Repartition<std::int8_t, Lanes>;
using Floats = hn::RebindToFloat<Lanes>;
using VI = hn::Vec<Lanes>;
using VH = hn::Vec<Halves>;
using VF = hn::Vec<Floats>;
constexpr std::int64_t kLanes = hn::MaxLanes(Lanes());

// Products of two bytes added in 16 bits, which must hold them: unsigned bytes of a with signed bytes of b.
HWY_INLINE VH Pairs(VI a, VI b) {
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3
  return VH{_mm512_maddubs_epi16(a.raw, b.raw)};
#elif HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX2
  return VH{_mm256_maddubs_epi16(a.raw, b.raw)};
#elif HWY_ARCH_X86 && HWY_TARGET <= HWY_SSSE3
  return VH{_mm_maddubs_epi16(a.raw, b.raw)};
#else
  const Halves d;
  const hn::RebindToUnsigned<Halves> du;
  const VH left = hn::BitCast(d, a), right = hn::BitCast(d, b);
  const VH upper = hn::BitCast(d, hn::ShiftRight<8>(hn::BitCast(du, a)));
  const VH low = hn::Mul(hn::And(left, hn::Set(d, 0xFF)), hn::ShiftRight<8>(hn::ShiftLeft<8>(right)));
  return hn::Add(low, hn::Mul(upper, hn::ShiftRight<8>(right)));
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

// sum + the four products of the bytes of each lane: unsigned bytes of a with signed bytes of b. But for
// rows8 two products must fit 16 bits.
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

#endif

}  // namespace parsimony::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
