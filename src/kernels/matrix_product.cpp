#include "kernels/matrix_product.hpp"

// Sums are kept in arrays of vectors, which the sizeless vector types of SVE and RVV do not allow: those
// machines use NEON or scalar code. Builds with a sanitizer disable these targets and more.
#ifndef HWY_DISABLED_TARGETS
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#endif
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/matrix_product.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <cstddef>

#include "kernels/registers-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace parsimony::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

template <class T>
using Line = hn::CappedTag<T, 64 / sizeof(T)>;

// Rows of a tile: as many sums of two vectors as there are registers for.
constexpr std::int64_t kTileRows = kManyRegisters ? 8 : 4;

// kRows rows of c from row i on, its kVectors vectors of columns from j on.
template <std::int64_t kRows, std::size_t kVectors, class T>
HWY_INLINE void Tile(const ProductFactor<T>& a, std::int64_t i, std::int64_t depth, const T* HWY_RESTRICT b,
                     std::int64_t columns, std::int64_t j, T* HWY_RESTRICT c, bool accumulate) {
  const Line<T> d;
  using V = hn::Vec<decltype(d)>;
  constexpr std::size_t kLanes = hn::MaxLanes(d);
  T* HWY_RESTRICT out = c + i * columns + j;
  V sum[kRows][kVectors];
  for (std::int64_t r = 0; r < kRows; ++r) {
    for (std::size_t v = 0; v < kVectors; ++v) {
      sum[r][v] = accumulate ? hn::LoadU(d, out + r * columns + v * kLanes) : hn::Zero(d);
    }
  }
  const T* HWY_RESTRICT left = a.data + i * a.row;
  const T* HWY_RESTRICT right = b + j;
  for (std::int64_t t = 0; t < depth; ++t, left += a.column, right += columns) {
    V values[kVectors];
    for (std::size_t v = 0; v < kVectors; ++v) values[v] = hn::LoadU(d, right + v * kLanes);
    for (std::int64_t r = 0; r < kRows; ++r) {
      const V factor = hn::Set(d, left[r * a.row]);
      for (std::size_t v = 0; v < kVectors; ++v) sum[r][v] = hn::MulAdd(factor, values[v], sum[r][v]);
    }
  }
  for (std::int64_t r = 0; r < kRows; ++r) {
    for (std::size_t v = 0; v < kVectors; ++v) hn::StoreU(sum[r][v], d, out + r * columns + v * kLanes);
  }
}

template <std::size_t kVectors, class T>
void Columns(const ProductFactor<T>& a, std::int64_t rows, std::int64_t depth, const T* b,
             std::int64_t columns, std::int64_t j, T* c, bool accumulate) {
  std::int64_t i = 0;
  for (; i + kTileRows <= rows; i += kTileRows) {
    Tile<kTileRows, kVectors>(a, i, depth, b, columns, j, c, accumulate);
  }
  for (; i + 2 <= rows; i += 2) Tile<2, kVectors>(a, i, depth, b, columns, j, c, accumulate);
  if (i < rows) Tile<1, kVectors>(a, i, depth, b, columns, j, c, accumulate);
}

template <class T>
void MatrixProduct(const ProductFactor<T>& a, std::int64_t rows, std::int64_t depth, const T* b,
                   std::int64_t columns, T* c, bool accumulate) {
  constexpr std::int64_t kLanes = hn::MaxLanes(Line<T>());
  std::int64_t j = 0;
  for (; j + 2 * kLanes <= columns; j += 2 * kLanes) {
    Columns<2>(a, rows, depth, b, columns, j, c, accumulate);
  }
  if (j < columns) Columns<1>(a, rows, depth, b, columns, j, c, accumulate);
}

void MatrixProductFloat(const ProductFactor<float>& a, std::int64_t rows, std::int64_t depth, const float* b,
                        std::int64_t columns, float* c, bool accumulate) {
  MatrixProduct(a, rows, depth, b, columns, c, accumulate);
}

void MatrixProductDouble(const ProductFactor<double>& a, std::int64_t rows, std::int64_t depth,
                         const double* b, std::int64_t columns, double* c, bool accumulate) {
  MatrixProduct(a, rows, depth, b, columns, c, accumulate);
}

}  // namespace parsimony::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace parsimony::kernels {

HWY_EXPORT(MatrixProductFloat);
HWY_EXPORT(MatrixProductDouble);

template <>
void matrix_product(const ProductFactor<float>& a, std::int64_t rows, std::int64_t depth, const float* b,
                    std::int64_t columns, float* c, bool accumulate) {
  HWY_DYNAMIC_DISPATCH(MatrixProductFloat)(a, rows, depth, b, columns, c, accumulate);
}

template <>
void matrix_product(const ProductFactor<double>& a, std::int64_t rows, std::int64_t depth, const double* b,
                    std::int64_t columns, double* c, bool accumulate) {
  HWY_DYNAMIC_DISPATCH(MatrixProductDouble)(a, rows, depth, b, columns, c, accumulate);
}

template <class T>
void matrix_product_scalar(const ProductFactor<T>& a, std::int64_t rows, std::int64_t depth, const T* b,
                           std::int64_t columns, T* c, bool accumulate) {
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t j = 0; j < columns; ++j) {
      T sum = accumulate ? c[i * columns + j] : T{};
      for (std::int64_t t = 0; t < depth; ++t) {
        sum += a.data[i * a.row + t * a.column] * b[t * columns + j];
      }
      c[i * columns + j] = sum;
    }
  }
}

template void matrix_product_scalar(const ProductFactor<float>&, std::int64_t, std::int64_t, const float*,
                                    std::int64_t, float*, bool);
template void matrix_product_scalar(const ProductFactor<double>&, std::int64_t, std::int64_t, const double*,
                                    std::int64_t, double*, bool);

}  // namespace parsimony::kernels
#endif  // HWY_ONCE
