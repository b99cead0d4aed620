#include "kernels/row_dots.hpp"

// Sums are kept in arrays of vectors, which the sizeless vector types of SVE and RVV do not allow: those
// machines use NEON or scalar code. Builds with a sanitizer disable these targets and more.
#ifndef HWY_DISABLED_TARGETS
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#endif
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/row_dots.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
//
#include <hwy/cache_control.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>

#include "kernels/sums-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace parsimony::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET == HWY_SCALAR

void RowDots(const MatrixRows& matrix, std::int64_t first, std::int64_t outputs, const float* x,
             std::int64_t x_stride, std::int64_t rows, float* y, std::int64_t y_stride) {
  row_dots_scalar(matrix, first, outputs, x, x_stride, rows, y, y_stride);
}

#else

using RowFloats = hn::CappedTag<float, 16>;
using RowVector = hn::Vec<RowFloats>;
constexpr std::int64_t kRowLanes = hn::MaxLanes(RowFloats());
constexpr std::size_t kRowSums = 2;
constexpr std::int64_t kRowStep = kRowLanes * static_cast<std::int64_t>(kRowSums);
constexpr std::int64_t kRowOutputs = 4;

HWY_INLINE RowVector LoadRow(const float* from) {
  return hn::LoadU(RowFloats(), from);
}
template <class Half>
HWY_INLINE RowVector LoadRow(const Half* from) {
  return hn::PromoteTo(RowFloats(), hn::LoadU(hn::Rebind<Half, RowFloats>(), from));
}

template <std::int64_t kOutputs, class T>
HWY_INLINE void Dot(const T* HWY_RESTRICT row, std::int64_t columns, const float* HWY_RESTRICT x,
                    float* HWY_RESTRICT y) {
  const RowFloats d;
  RowVector sum[kOutputs][kRowSums];
  for (std::int64_t o = 0; o < kOutputs; ++o) {
    for (std::size_t v = 0; v < kRowSums; ++v) sum[o][v] = hn::Zero(d);
  }
  const std::int64_t whole = columns / kRowStep * kRowStep, rest = columns - whole;
  for (std::int64_t i = 0; i < whole; i += kRowStep) {
    RowVector factor[kRowSums];
    for (std::size_t v = 0; v < kRowSums; ++v) factor[v] = hn::LoadU(d, x + i + v * kRowLanes);
    for (std::int64_t o = 0; o < kOutputs; ++o) {
      const T* from = row + o * columns + i;
      hwy::Prefetch(from + kOutputs * columns);  // the same values of the rows that come next
      if constexpr (kRowStep * sizeof(T) > 64) hwy::Prefetch(from + kOutputs * columns + kRowLanes);
      for (std::size_t v = 0; v < kRowSums; ++v) {
        sum[o][v] = hn::MulAdd(LoadRow(from + v * kRowLanes), factor[v], sum[o][v]);
      }
    }
  }
  if (rest > 0) {
    std::array<float, kRowStep> last_x{};
    std::copy_n(x + whole, rest, last_x.data());
    for (std::int64_t o = 0; o < kOutputs; ++o) {
      alignas(64) std::array<T, kRowStep> last;
      std::memset(static_cast<void*>(last.data()), 0, sizeof(last));
      std::memcpy(static_cast<void*>(last.data()), row + o * columns + whole,
                  static_cast<std::size_t>(rest) * sizeof(T));
      for (std::size_t v = 0; v < kRowSums; ++v) {
        sum[o][v] = hn::MulAdd(LoadRow(last.data() + v * kRowLanes),
                               hn::LoadU(d, last_x.data() + v * kRowLanes), sum[o][v]);
      }
    }
  }
  RowVector all[kOutputs];
  for (std::int64_t o = 0; o < kOutputs; ++o) {
    all[o] = sum[o][0];
    for (std::size_t v = 1; v < kRowSums; ++v) all[o] = hn::Add(all[o], sum[o][v]);
  }
  StoreSums(d, all, y);
}

template <class T>
void Rows(const MatrixRows& matrix, std::int64_t first, std::int64_t outputs, const float* x,
          std::int64_t x_stride, std::int64_t rows, float* y, std::int64_t y_stride) {
  // Only its address is taken: elements may lie at odd ones, and are loaded as vectors without alignment.
  const T* at = static_cast<const T*>(matrix.data) + first * matrix.columns;
  std::int64_t o = 0;
  for (; o + kRowOutputs <= outputs; o += kRowOutputs, at += kRowOutputs * matrix.columns) {
    for (std::int64_t r = 0; r < rows; ++r) {
      Dot<kRowOutputs>(at, matrix.columns, x + r * x_stride, y + r * y_stride + o);
    }
  }
  for (; o < outputs; ++o, at += matrix.columns) {
    for (std::int64_t r = 0; r < rows; ++r)
      Dot<1>(at, matrix.columns, x + r * x_stride, y + r * y_stride + o);
  }
}

void RowDots(const MatrixRows& matrix, std::int64_t first, std::int64_t outputs, const float* x,
             std::int64_t x_stride, std::int64_t rows, float* y, std::int64_t y_stride) {
  switch (matrix.type) {
    case RowType::float32:
      return Rows<float>(matrix, first, outputs, x, x_stride, rows, y, y_stride);
    case RowType::float16:
      return Rows<hwy::float16_t>(matrix, first, outputs, x, x_stride, rows, y, y_stride);
    case RowType::bfloat16:
      return Rows<hwy::bfloat16_t>(matrix, first, outputs, x, x_stride, rows, y, y_stride);
  }
}

#endif

}  // namespace parsimony::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace parsimony::kernels {

HWY_EXPORT(RowDots);

namespace {

float plain_half(std::uint16_t bits) {
  const std::uint32_t sign = std::uint32_t{bits & 0x8000U} << 16, exponent = bits >> 10 & 31U,
                      fraction = bits & 0x3FFU;
  if (exponent == 0) {
    const float size = static_cast<float>(fraction) * 0x1p-24F;
    return sign == 0 ? size : -size;
  }
  const std::uint32_t upper = exponent == 31 ? 255 : exponent + 112;
  const std::uint32_t all = sign | upper << 23 | fraction << 13;
  float value;
  std::memcpy(&value, &all, sizeof(value));
  return value;
}

float plain_value(const MatrixRows& matrix, std::int64_t index) {
  const auto* data = static_cast<const std::uint8_t*>(matrix.data);
  float value = 0;
  if (matrix.type == RowType::float32) {
    std::memcpy(&value, data + 4 * index, sizeof(value));
    return value;
  }
  std::uint16_t bits = 0;
  std::memcpy(&bits, data + 2 * index, sizeof(bits));
  if (matrix.type == RowType::float16) return plain_half(bits);
  const std::uint32_t all = std::uint32_t{bits} << 16;
  std::memcpy(&value, &all, sizeof(value));
  return value;
}

}  // namespace

void row_dots(const MatrixRows& matrix, std::int64_t first, std::int64_t outputs, const float* x,
              std::int64_t x_stride, std::int64_t rows, float* y, std::int64_t y_stride) {
  HWY_DYNAMIC_DISPATCH(RowDots)(matrix, first, outputs, x, x_stride, rows, y, y_stride);
}

void row_dots_scalar(const MatrixRows& matrix, std::int64_t first, std::int64_t outputs, const float* x,
                     std::int64_t x_stride, std::int64_t rows, float* y, std::int64_t y_stride) {
  for (std::int64_t o = 0; o < outputs; ++o) {
    for (std::int64_t r = 0; r < rows; ++r) {
      float sum = 0;
      for (std::int64_t i = 0; i < matrix.columns; ++i) {
        sum += x[r * x_stride + i] * plain_value(matrix, (first + o) * matrix.columns + i);
      }
      y[r * y_stride + o] = sum;
    }
  }
}

}  // namespace parsimony::kernels
#endif  // HWY_ONCE
