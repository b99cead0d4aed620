#include "kernels/philox.hpp"

// Vectors are kept in a struct, see matrix_product.cpp.
#ifndef HWY_DISABLED_TARGETS
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#endif
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/philox.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>

HWY_BEFORE_NAMESPACE();
namespace parsimony::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET != HWY_SCALAR  // it cannot multiply to 64 bits

using Words = hn::ScalableTag<std::uint32_t>;

// Both halves of 64-bit products of words by a constant.
template <class V>
struct Product {
  V high, low;
};
template <class V>
HWY_INLINE Product<V> Multiply(V a, V constant) {
  const Words d;
  const hn::RepartitionToWide<Words> wide;
  const auto even = hn::MulEven(a, constant);
  const auto odd = hn::MulEven(hn::BitCast(d, hn::ShiftRight<32>(hn::BitCast(wide, a))), constant);
  return {hn::OddEven(hn::BitCast(d, odd), hn::BitCast(d, hn::ShiftRight<32>(even))),
          hn::OddEven(hn::BitCast(d, hn::ShiftLeft<32>(odd)), hn::BitCast(d, even))};
}

// As many blocks as there are lanes.
HWY_INLINE void Rounds(std::uint64_t seed, std::uint64_t stream, std::uint64_t first, std::uint32_t* words) {
  constexpr int kRounds = 10;
  const Words d;
  const auto word = [&](std::uint64_t value) { return hn::Set(d, static_cast<std::uint32_t>(value)); };
  const auto zeroth = word(PHILOX_M4x32_0), second = word(PHILOX_M4x32_1);
  const auto low = hn::Iota(d, static_cast<std::uint32_t>(first));
  // Where the low word wraps, the high word grows.
  const auto carry = hn::Lt(low, word(first));
  auto a = low, b = hn::IfThenElse(carry, word((first >> 32) + 1), word(first >> 32));
  auto c = word(stream), e = word(stream >> 32);
  auto key = static_cast<std::uint32_t>(seed), other = static_cast<std::uint32_t>(seed >> 32);
  for (int round = 0; round < kRounds; ++round) {
    const auto of_a = Multiply(a, zeroth), of_c = Multiply(c, second);
    a = hn::Xor(hn::Xor(of_c.high, b), word(key));
    c = hn::Xor(hn::Xor(of_a.high, e), word(other));
    b = of_c.low;
    e = of_a.low;
    key += PHILOX_W32_0;
    other += PHILOX_W32_1;
  }
  hn::StoreInterleaved4(a, b, c, e, d, words);
}

#endif

void Philox(std::uint64_t seed, std::uint64_t stream, std::uint64_t first, std::int64_t count,
            std::uint32_t* words) {
  std::int64_t block = 0;
#if HWY_TARGET != HWY_SCALAR
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(Words()));
  for (; block + lanes <= count; block += lanes) {
    Rounds(seed, stream, first + static_cast<std::uint64_t>(block), words + 4 * block);
  }
#endif
  for (; block < count; ++block) {
    const auto four = philox_block(seed, stream, first + static_cast<std::uint64_t>(block));
    std::copy(four.begin(), four.end(), words + 4 * block);
  }
}

}  // namespace parsimony::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace parsimony::kernels {

HWY_EXPORT(Philox);

void philox_blocks(std::uint64_t seed, std::uint64_t stream, std::uint64_t first, std::int64_t count,
                   std::uint32_t* words) {
  HWY_DYNAMIC_DISPATCH(Philox)(seed, stream, first, count, words);
}

}  // namespace parsimony::kernels
#endif  // HWY_ONCE
