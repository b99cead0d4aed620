#include "kernels/filter_bank.hpp"

// Sums are kept in arrays of vectors, which the sizeless vector types of SVE and RVV do not allow: those
// machines use NEON or scalar code. Builds with a sanitizer disable these targets and more.
#ifndef HWY_DISABLED_TARGETS
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#endif
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/filter_bank.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>
#include <cstddef>

#ifndef PARSIMONY_FILTER_BANK_PACKED
#define PARSIMONY_FILTER_BANK_PACKED
namespace parsimony::kernels {
// Filters per block of the forward packing; the number of rows u of the backward packing is a multiple of it.
inline constexpr std::int64_t kPacked = 8;
}  // namespace parsimony::kernels
#endif

HWY_BEFORE_NAMESPACE();
namespace parsimony::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
namespace {

using D = hn::CappedTag<float, 16>;
using Vector = hn::Vec<D>;
constexpr auto kLanes = static_cast<std::int64_t>(hn::MaxLanes(D()));
// AVX-512 and the targets that are not x86 have 32 registers, the others 16.
constexpr bool kManyRegisters = kLanes == 16 || !HWY_ARCH_X86;
constexpr std::int64_t kRows = kManyRegisters ? 8 : 4;
constexpr std::int64_t kTaps = kManyRegisters ? 4 : 2;
static_assert(kPacked % kRows == 0);

// Loads the first `used` lanes and sets the others to 0. Uses a copy on targets whose masked loads may touch
// the memory of masked-out lanes.
HWY_INLINE Vector load_first(const float* from, std::int64_t used) {
  const D d;
#if HWY_MEM_OPS_MIGHT_FAULT
  HWY_ALIGN float lanes[kLanes] = {};
  std::copy_n(from, used, lanes);
  return hn::Load(d, lanes);
#else
  return hn::MaskedLoad(hn::FirstN(d, static_cast<std::size_t>(used)), d, from);
#endif
}

HWY_INLINE void store_first(Vector value, float* to, std::int64_t used) {
  const D d;
#if HWY_MEM_OPS_MIGHT_FAULT
  HWY_ALIGN float lanes[kLanes];
  hn::Store(value, d, lanes);
  std::copy_n(lanes, used, to);
#else
  hn::BlendedStore(value, hn::FirstN(d, static_cast<std::size_t>(used)), d, to);
#endif
}

// Calls body.template operator()<vectors, whole>(first column, used columns) over all columns.
template <class Body>
HWY_INLINE void for_column_blocks(std::int64_t columns, const Body& body) {
  std::int64_t c = 0;
  for (; c + 2 * kLanes <= columns; c += 2 * kLanes) body.template operator()<2, true>(c, 2 * kLanes);
  if (columns - c > kLanes) {
    body.template operator()<2, false>(c, columns - c);
  } else if (columns - c == kLanes) {
    body.template operator()<1, true>(c, kLanes);
  } else if (columns > c) {
    body.template operator()<1, false>(c, columns - c);
  }
}

// kRows filters (of which `filters` exist) on kVectors vectors of positions.
template <std::int64_t kVectors, bool kWhole>
HWY_INLINE void correlate_block(const float* HWY_RESTRICT weights, std::int64_t side,
                                const float* HWY_RESTRICT image, std::int64_t stride, std::int64_t used,
                                float* HWY_RESTRICT r, std::int64_t r_stride, std::int64_t filters) {
  const D d;
  const std::int64_t last = used - (kVectors - 1) * kLanes;
  Vector sum[kRows][kVectors];
  for (std::int64_t i = 0; i < kRows; ++i) {
    for (std::int64_t k = 0; k < kVectors; ++k) sum[i][k] = hn::Zero(d);
  }
  for (std::int64_t u = 0; u < side; ++u) {
    for (std::int64_t v = 0; v < side; ++v, weights += kPacked) {
      const float* pixels = image + u * stride + v;
      Vector values[kVectors];
      for (std::int64_t k = 0; k < kVectors; ++k) {
        values[k] = kWhole || k + 1 < kVectors ? hn::LoadU(d, pixels + k * kLanes)
                                               : load_first(pixels + k * kLanes, last);
      }
      for (std::int64_t i = 0; i < kRows; ++i) {
        const Vector factor = hn::Set(d, weights[i]);
        for (std::int64_t k = 0; k < kVectors; ++k) sum[i][k] = hn::MulAdd(factor, values[k], sum[i][k]);
      }
    }
  }
  for (std::int64_t i = 0; i < kRows; ++i) {
    if (i >= filters) return;
    for (std::int64_t k = 0; k < kVectors; ++k) {
      float* to = r + i * r_stride + k * kLanes;
      if (kWhole || k + 1 < kVectors) {
        hn::StoreU(sum[i][k], d, to);
      } else {
        store_first(sum[i][k], to, last);
      }
    }
  }
}

// kCount image rows (of which `rows` exist) on kVectors vectors of pixels; the sums stay in registers for all
// filters.
template <std::int64_t kCount, std::int64_t kVectors, bool kWhole>
HWY_INLINE void adjoint_block(const float* HWY_RESTRICT weights, std::int64_t padded, std::int64_t filters,
                              std::int64_t side, const float* HWY_RESTRICT s, std::int64_t s_stride,
                              std::int64_t used, float* HWY_RESTRICT image, std::int64_t stride,
                              std::int64_t rows) {
  const D d;
  const std::int64_t last = used - (kVectors - 1) * kLanes;
  Vector sum[kCount][kVectors];
  for (std::int64_t u = 0; u < kCount; ++u) {
    for (std::int64_t k = 0; k < kVectors; ++k) sum[u][k] = hn::Zero(d);
  }
  for (std::int64_t i = 0; i < filters; ++i) {
    for (std::int64_t v = 0; v < side; ++v, weights += padded) {
      const float* coefficients = s + i * s_stride - v;
      Vector values[kVectors];
      for (std::int64_t k = 0; k < kVectors; ++k) values[k] = hn::LoadU(d, coefficients + k * kLanes);
      for (std::int64_t u = 0; u < kCount; ++u) {
        const Vector factor = hn::Set(d, weights[u]);
        for (std::int64_t k = 0; k < kVectors; ++k) sum[u][k] = hn::MulAdd(factor, values[k], sum[u][k]);
      }
    }
  }
  for (std::int64_t u = 0; u < kCount; ++u) {
    if (u >= rows) return;
    for (std::int64_t k = 0; k < kVectors; ++k) {
      float* to = image + u * stride + k * kLanes;
      if (kWhole || k + 1 < kVectors) {
        hn::StoreU(hn::Add(hn::LoadU(d, to), sum[u][k]), d, to);
      } else {
        store_first(hn::Add(load_first(to, last), sum[u][k]), to, last);
      }
    }
  }
}

void Correlate(const float* weights, std::int64_t filters, std::int64_t side, const float* image,
               std::int64_t stride, std::int64_t columns, float* r, std::int64_t r_stride) {
  for_column_blocks(columns, [&]<std::int64_t kVectors, bool kWhole>(std::int64_t c, std::int64_t used) {
    for (std::int64_t i = 0; i < filters; i += kRows) {
      const float* block = weights + i / kPacked * kPacked * side * side + i % kPacked;
      correlate_block<kVectors, kWhole>(block, side, image + c, stride, used, r + i * r_stride + c, r_stride,
                                        filters - i);
    }
  });
}

template <std::int64_t kCount>
HWY_INLINE void AdjointRows(const float* weights, std::int64_t padded, std::int64_t filters,
                            std::int64_t side, const float* s, std::int64_t s_stride, std::int64_t columns,
                            float* image, std::int64_t stride, std::int64_t rows) {
  for_column_blocks(columns + side - 1,
                    [&]<std::int64_t kVectors, bool kWhole>(std::int64_t c, std::int64_t used) {
                      adjoint_block<kCount, kVectors, kWhole>(weights, padded, filters, side, s + c, s_stride,
                                                              used, image + c, stride, rows);
                    });
}

void Adjoint(const float* weights, std::int64_t padded, std::int64_t filters, std::int64_t side,
             const float* s, std::int64_t s_stride, std::int64_t columns, float* image, std::int64_t stride) {
  if (columns == 0) return;
  for (std::int64_t u = 0; u < side; u += kRows) {
    // Fewer rows than registers for them: an even number.
    const std::int64_t rows = std::min(kRows, side - u);
    const auto run = [&]<std::int64_t kCount>() {
      AdjointRows<kCount>(weights + u, padded, filters, side, s, s_stride, columns, image + u * stride,
                          stride, rows);
    };
    if (rows > 6) {  // NOLINT(bugprone-branch-clone): two are alike where the target has four rows
      run.template operator()<kRows>();
    } else if (rows > 4) {
      run.template operator()<std::min<std::int64_t>(kRows, 6)>();
    } else if (rows > 2) {
      run.template operator()<4>();
    } else {
      run.template operator()<2>();
    }
  }
}

constexpr std::int64_t kGradientFilters = 4;

void FilterGradient(const float* s, std::int64_t s_stride, std::int64_t filters, const float* image,
                    std::int64_t stride, std::int64_t side, std::int64_t columns, float* gradient) {
  const D d;
  const std::int64_t taps = side * side;
  for (std::int64_t i = 0; i < filters; i += kGradientFilters) {
    const float* rows[kGradientFilters];
    // After the last one, repeat it and drop its sums.
    for (std::int64_t k = 0; k < kGradientFilters; ++k) rows[k] = s + std::min(i + k, filters - 1) * s_stride;
    for (std::int64_t t = 0; t < taps; t += kTaps) {
      const float* pixels[kTaps];
      for (std::int64_t k = 0; k < kTaps; ++k) {
        const std::int64_t tap = std::min(t + k, taps - 1);
        pixels[k] = image + tap / side * stride + tap % side;
      }
      Vector sum[kGradientFilters][kTaps];
      for (auto& row : sum) {
        for (Vector& value : row) value = hn::Zero(d);
      }
      std::int64_t c = 0;
      for (; c + kLanes <= columns; c += kLanes) {
        Vector values[kTaps];
        for (std::int64_t k = 0; k < kTaps; ++k) values[k] = hn::LoadU(d, pixels[k] + c);
        for (std::int64_t f = 0; f < kGradientFilters; ++f) {
          const Vector factor = hn::LoadU(d, rows[f] + c);
          for (std::int64_t k = 0; k < kTaps; ++k) sum[f][k] = hn::MulAdd(factor, values[k], sum[f][k]);
        }
      }
      if (c < columns) {
        Vector values[kTaps];
        for (std::int64_t k = 0; k < kTaps; ++k) values[k] = load_first(pixels[k] + c, columns - c);
        for (std::int64_t f = 0; f < kGradientFilters; ++f) {
          const Vector factor = load_first(rows[f] + c, columns - c);
          for (std::int64_t k = 0; k < kTaps; ++k) sum[f][k] = hn::MulAdd(factor, values[k], sum[f][k]);
        }
      }
      for (std::int64_t f = 0; f < kGradientFilters && i + f < filters; ++f) {
        for (std::int64_t k = 0; k < kTaps && t + k < taps; ++k) {
          gradient[(i + f) * taps + t + k] += hn::GetLane(hn::SumOfLanes(d, sum[f][k]));
        }
      }
    }
  }
}

}  // namespace
}  // namespace parsimony::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace parsimony::kernels {

HWY_EXPORT(Correlate);
HWY_EXPORT(Adjoint);
HWY_EXPORT(FilterGradient);

FilterBank::FilterBank(const float* rows, std::int64_t filters, std::int64_t side)
    : filters_(filters), side_(side) {
  const std::int64_t taps = side * side;
  const std::int64_t blocks = (filters + kPacked - 1) / kPacked;
  const std::int64_t padded = (side + kPacked - 1) / kPacked * kPacked;
  forward_.assign(blocks * taps * kPacked, 0.0f);
  backward_.assign(filters * side * padded, 0.0f);
  for (std::int64_t i = 0; i < filters; ++i) {
    for (std::int64_t u = 0; u < side; ++u) {
      for (std::int64_t v = 0; v < side; ++v) {
        const float weight = rows[i * taps + u * side + v];
        forward_[(i / kPacked * taps + u * side + v) * kPacked + i % kPacked] = weight;
        backward_[(i * side + v) * padded + u] = weight;
      }
    }
  }
}

void FilterBank::correlate(const float* image, std::int64_t stride, std::int64_t columns, float* r,
                           std::int64_t r_stride) const {
  HWY_DYNAMIC_DISPATCH(Correlate)(forward_.data(), filters_, side_, image, stride, columns, r, r_stride);
}

void FilterBank::adjoint(const float* s, std::int64_t s_stride, std::int64_t columns, float* image,
                         std::int64_t stride) const {
  const std::int64_t padded = (side_ + kPacked - 1) / kPacked * kPacked;
  HWY_DYNAMIC_DISPATCH(Adjoint)
  (backward_.data(), padded, filters_, side_, s, s_stride, columns, image, stride);
}

void filter_gradient(const float* s, std::int64_t s_stride, std::int64_t filters, const float* image,
                     std::int64_t stride, std::int64_t side, std::int64_t columns, float* gradient) {
  HWY_DYNAMIC_DISPATCH(FilterGradient)(s, s_stride, filters, image, stride, side, columns, gradient);
}

void correlate_scalar(const float* rows, std::int64_t filters, std::int64_t side, const float* image,
                      std::int64_t stride, std::int64_t columns, float* r, std::int64_t r_stride) {
  for (std::int64_t i = 0; i < filters; ++i) {
    for (std::int64_t c = 0; c < columns; ++c) {
      float sum = 0;
      for (std::int64_t t = 0; t < side * side; ++t) {
        sum += rows[i * side * side + t] * image[t / side * stride + t % side + c];
      }
      r[i * r_stride + c] = sum;
    }
  }
}

void adjoint_scalar(const float* rows, std::int64_t filters, std::int64_t side, const float* s,
                    std::int64_t s_stride, std::int64_t columns, float* image, std::int64_t stride) {
  for (std::int64_t i = 0; i < filters; ++i) {
    for (std::int64_t t = 0; t < side * side; ++t) {
      for (std::int64_t c = 0; c < columns; ++c) {
        image[t / side * stride + t % side + c] += rows[i * side * side + t] * s[i * s_stride + c];
      }
    }
  }
}

void filter_gradient_scalar(const float* s, std::int64_t s_stride, std::int64_t filters, const float* image,
                            std::int64_t stride, std::int64_t side, std::int64_t columns, float* gradient) {
  for (std::int64_t i = 0; i < filters; ++i) {
    for (std::int64_t t = 0; t < side * side; ++t) {
      for (std::int64_t c = 0; c < columns; ++c) {
        gradient[i * side * side + t] += s[i * s_stride + c] * image[t / side * stride + t % side + c];
      }
    }
  }
}

}  // namespace parsimony::kernels
#endif  // HWY_ONCE
