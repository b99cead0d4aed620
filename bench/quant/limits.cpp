#include "bench/quant/limits.hpp"

#include <algorithm>

// Highway builds for AVX-512 with VBMI only where asked to.
#define HWY_WANT_AVX3_DL
#ifndef HWY_DISABLED_TARGETS
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#endif
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "bench/quant/limits.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/byte_products-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace parsimony::bench::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

double BytePermutes(int64_t rounds, std::uint8_t& result) {
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3_DL
  const auto start = [](int value) HWY_ATTR { return _mm512_set1_epi8(static_cast<char>(value)); };
  const __m512i low = start(result), high = start(result + 77);
  __m512i a = start(0), b = start(1), c = start(2), d = start(3);
  __m512i e = start(4), f = start(5), g = start(6), h = start(7);
  for (int64_t round = 0; round < rounds; ++round) {
    a = _mm512_permutex2var_epi8(low, a, high);
    b = _mm512_permutex2var_epi8(low, b, high);
    c = _mm512_permutex2var_epi8(low, c, high);
    d = _mm512_permutex2var_epi8(low, d, high);
    e = _mm512_permutex2var_epi8(low, e, high);
    f = _mm512_permutex2var_epi8(low, f, high);
    g = _mm512_permutex2var_epi8(low, g, high);
    h = _mm512_permutex2var_epi8(low, h, high);
  }
  const __m512i left = _mm512_xor_si512(_mm512_xor_si512(a, b), _mm512_xor_si512(c, d));
  const __m512i right = _mm512_xor_si512(_mm512_xor_si512(e, f), _mm512_xor_si512(g, h));
  result = static_cast<std::uint8_t>(_mm512_reduce_add_epi32(_mm512_xor_si512(left, right)));
  return 8.0 * static_cast<double>(rounds);
#else
  (void)rounds;
  (void)result;
  return 0;
#endif
}

#if HWY_TARGET == HWY_SCALAR
double ByteProducts(int64_t, kernels::IntegerRange, std::int32_t&) {
  return 0;
}
#else
template <kernels::IntegerRange kRange>
double ByteProductsOf(int64_t rounds, std::int32_t& result) {
  namespace in = parsimony::kernels::HWY_NAMESPACE;
  constexpr std::size_t kSums = 12;
  const in::Lanes d;
  in::VI sums[kSums];
  for (std::size_t i = 0; i < kSums; ++i) sums[i] = hn::Set(d, static_cast<std::int32_t>(i));
  in::VI a = hn::Set(d, 0x01020304 + result), b = hn::Set(d, 0x05060708 + result);
  for (int64_t round = 0; round < rounds; ++round) {
#pragma GCC unroll 12
    for (auto& sum : sums) {
      asm volatile("" : "+v"(a.raw), "+v"(b.raw));  // unknown to the compiler, which would keep their product
      if constexpr (kRange == kernels::IntegerRange::rows7tiles6) {
        sum = in::AddHalves(sum, hn::Add(in::Pairs(a, b), in::Pairs(b, a)), 1);
      } else {
        sum = in::AddProducts<kRange>(sum, a, b);
      }
    }
  }
  in::VI all = sums[0];
  for (std::size_t i = 1; i < kSums; ++i) all = hn::Add(all, sums[i]);
  result = hn::GetLane(hn::SumOfLanes(d, all));
  const double products = kRange == kernels::IntegerRange::rows7tiles6 ? 8 : 4;
  return products * static_cast<double>(kSums) * static_cast<double>(hn::Lanes(d)) *
         static_cast<double>(rounds);
}

double ByteProducts(int64_t rounds, kernels::IntegerRange range, std::int32_t& result) {
  switch (range) {
    case kernels::IntegerRange::rows8:
      return ByteProductsOf<kernels::IntegerRange::rows8>(rounds, result);
    case kernels::IntegerRange::rows7:
      return ByteProductsOf<kernels::IntegerRange::rows7>(rounds, result);
    case kernels::IntegerRange::rows7tiles6:
      return ByteProductsOf<kernels::IntegerRange::rows7tiles6>(rounds, result);
  }
  return 0;
}
#endif

void DenseProduct(const float* HWY_RESTRICT w, int64_t rows, int64_t cols, const float* HWY_RESTRICT x,
                  float* HWY_RESTRICT y) {
  const hn::ScalableTag<float> f;
  const auto lanes = static_cast<int64_t>(hn::Lanes(f));
  for (int64_t i = 0; i < rows; i += 4) {
    const float *r0 = w + i * cols, *r1 = w + std::min(i + 1, rows - 1) * cols,
                *r2 = w + std::min(i + 2, rows - 1) * cols, *r3 = w + std::min(i + 3, rows - 1) * cols;
    auto a0 = hn::Zero(f), a1 = a0, a2 = a0, a3 = a0, b0 = a0, b1 = a0, b2 = a0, b3 = a0;
    int64_t j = 0;
    for (; j + 2 * lanes <= cols; j += 2 * lanes) {
      const auto p = hn::LoadU(f, x + j), q = hn::LoadU(f, x + j + lanes);
      a0 = hn::MulAdd(hn::LoadU(f, r0 + j), p, a0);
      a1 = hn::MulAdd(hn::LoadU(f, r1 + j), p, a1);
      a2 = hn::MulAdd(hn::LoadU(f, r2 + j), p, a2);
      a3 = hn::MulAdd(hn::LoadU(f, r3 + j), p, a3);
      b0 = hn::MulAdd(hn::LoadU(f, r0 + j + lanes), q, b0);
      b1 = hn::MulAdd(hn::LoadU(f, r1 + j + lanes), q, b1);
      b2 = hn::MulAdd(hn::LoadU(f, r2 + j + lanes), q, b2);
      b3 = hn::MulAdd(hn::LoadU(f, r3 + j + lanes), q, b3);
    }
    float sum[4] = {
        hn::GetLane(hn::SumOfLanes(f, hn::Add(a0, b0))), hn::GetLane(hn::SumOfLanes(f, hn::Add(a1, b1))),
        hn::GetLane(hn::SumOfLanes(f, hn::Add(a2, b2))), hn::GetLane(hn::SumOfLanes(f, hn::Add(a3, b3)))};
    for (; j < cols; ++j) {
      sum[0] += r0[j] * x[j];
      sum[1] += r1[j] * x[j];
      sum[2] += r2[j] * x[j];
      sum[3] += r3[j] * x[j];
    }
    for (int64_t r = 0; r < 4 && i + r < rows; ++r) y[i + r] = sum[r];
  }
}

}  // namespace parsimony::bench::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace parsimony::bench {

HWY_EXPORT(BytePermutes);
HWY_EXPORT(ByteProducts);
HWY_EXPORT(DenseProduct);

double byte_permutes(std::int64_t rounds, std::uint8_t& result) {
  return HWY_DYNAMIC_DISPATCH(BytePermutes)(rounds, result);
}

double byte_products(std::int64_t rounds, kernels::IntegerRange range, std::int32_t& result) {
  return HWY_DYNAMIC_DISPATCH(ByteProducts)(rounds, range, result);
}

void dense_product(const float* w, std::int64_t rows, std::int64_t cols, const float* x, float* y) {
  HWY_DYNAMIC_DISPATCH(DenseProduct)(w, rows, cols, x, y);
}

}  // namespace parsimony::bench
#endif
