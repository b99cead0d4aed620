#include "kernels/outer_products.hpp"

// Sums are kept in arrays of vectors, which the sizeless vector types of SVE and RVV do not allow: those
// machines use NEON or scalar code. Builds with a sanitizer disable these targets and more.
#ifndef HWY_DISABLED_TARGETS
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#endif
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/outer_products.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <cstddef>

HWY_BEFORE_NAMESPACE();
namespace parsimony::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

template <class T>
void OuterProducts(const T* a, std::int64_t m, const T* b, std::int64_t n, std::int64_t depth, T* c,
                   bool accumulate) {
  const hn::CappedTag<T, 64 / sizeof(T)> d;
  using V = hn::Vec<decltype(d)>;
  constexpr std::size_t kLanes = hn::MaxLanes(d);
  constexpr std::size_t kVectors = kOuterColumns<T> / kLanes;
  // As many sums as there are registers for: 32 of 64 bytes, else 16.
  constexpr std::int64_t kRows = kVectors == 2 ? 8 : kVectors == 4 ? 2 : 1;

  for (std::int64_t j = 0; j < n; j += kOuterColumns<T>) {
    for (std::int64_t i = 0; i < m; i += kRows) {
      V sum[kRows][kVectors];
      for (std::int64_t r = 0; r < kRows; ++r) {
        for (std::size_t v = 0; v < kVectors; ++v) {
          sum[r][v] = accumulate ? hn::LoadU(d, c + (i + r) * n + j + v * kLanes) : hn::Zero(d);
        }
      }
      for (std::int64_t t = 0; t < depth; ++t) {
        const T* row = b + t * n + j;
        V values[kVectors];
        for (std::size_t v = 0; v < kVectors; ++v) values[v] = hn::LoadU(d, row + v * kLanes);
        for (std::int64_t r = 0; r < kRows; ++r) {
          const V factor = hn::Set(d, a[t * m + i + r]);
          for (std::size_t v = 0; v < kVectors; ++v) sum[r][v] = hn::MulAdd(factor, values[v], sum[r][v]);
        }
      }
      for (std::int64_t r = 0; r < kRows; ++r) {
        for (std::size_t v = 0; v < kVectors; ++v) {
          hn::StoreU(sum[r][v], d, c + (i + r) * n + j + v * kLanes);
        }
      }
    }
  }
}

void OuterProductsFloat(const float* a, std::int64_t m, const float* b, std::int64_t n, std::int64_t depth,
                        float* c, bool accumulate) {
  OuterProducts(a, m, b, n, depth, c, accumulate);
}

void OuterProductsDouble(const double* a, std::int64_t m, const double* b, std::int64_t n, std::int64_t depth,
                         double* c, bool accumulate) {
  OuterProducts(a, m, b, n, depth, c, accumulate);
}

}  // namespace parsimony::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace parsimony::kernels {

HWY_EXPORT(OuterProductsFloat);
HWY_EXPORT(OuterProductsDouble);

template <>
void outer_products(const float* a, std::int64_t m, const float* b, std::int64_t n, std::int64_t depth,
                    float* c, bool accumulate) {
  HWY_DYNAMIC_DISPATCH(OuterProductsFloat)(a, m, b, n, depth, c, accumulate);
}

template <>
void outer_products(const double* a, std::int64_t m, const double* b, std::int64_t n, std::int64_t depth,
                    double* c, bool accumulate) {
  HWY_DYNAMIC_DISPATCH(OuterProductsDouble)(a, m, b, n, depth, c, accumulate);
}

template <class T>
void outer_products_scalar(const T* a, std::int64_t m, const T* b, std::int64_t n, std::int64_t depth, T* c,
                           bool accumulate) {
  for (std::int64_t i = 0; i < m; ++i) {
    for (std::int64_t j = 0; j < n; ++j) {
      T sum = accumulate ? c[i * n + j] : T{};
      for (std::int64_t t = 0; t < depth; ++t) sum += a[t * m + i] * b[t * n + j];
      c[i * n + j] = sum;
    }
  }
}

template void outer_products_scalar(const float*, std::int64_t, const float*, std::int64_t, std::int64_t,
                                    float*, bool);
template void outer_products_scalar(const double*, std::int64_t, const double*, std::int64_t, std::int64_t,
                                    double*, bool);

}  // namespace parsimony::kernels
#endif  // HWY_ONCE
