#include "kernels/log_penalty.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/log_penalty.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

HWY_BEFORE_NAMESPACE();
namespace parsimony::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// A product of this many mantissas of [1, 2) stays far from overflow.
constexpr std::size_t kVectorsInProduct = 64;
// With this many, the sums of exponents stay within 32 bits.
constexpr std::int64_t kMostVectors = 1 << 22;

// At most kMostVectors vectors.
template <class T, bool kDerivative>
double SomePenalty(const T* r, std::int64_t count, T nu, T* derivative) {
  const hn::ScalableTag<T> d;
  const hn::RebindToSigned<decltype(d)> di;
  using TI = hn::TFromD<decltype(di)>;
  constexpr int kMantissa = std::numeric_limits<T>::digits - 1;
  const auto one = hn::Set(d, T{1}), zero = hn::Zero(d), scale = hn::Set(d, nu);
  const auto ones = hn::BitCast(di, one);
  const auto mantissa = hn::Set(di, (TI{1} << kMantissa) - 1);
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));

  auto exponents = hn::Zero(di);
  auto product = one, finite = zero;
  // value > 0 as 2^(exponent - bias) · mantissa: the exponent is added up, the mantissa returned.
  const auto split = [&](auto value) HWY_ATTR {
    const auto bits = hn::BitCast(di, value);
    exponents = hn::Add(exponents, hn::ShiftRight<kMantissa>(bits));
    return hn::BitCast(d, hn::Or(hn::And(bits, mantissa), ones));
  };
  const auto add = [&](auto value) HWY_ATTR {
    const auto scaled = hn::Mul(scale, value);
    const auto whole = hn::MulAdd(scaled, value, one);
    product = hn::Mul(product, split(whole));
    finite = hn::MulAdd(whole, zero, finite);
    if constexpr (kDerivative) {
      return hn::Div(hn::Add(scaled, scaled), whole);
    } else {
      return zero;
    }
  };

  std::int64_t splits = 0, i = 0;
  while (i + lanes <= count) {
    const std::int64_t end =
        std::min(count - lanes, i + (static_cast<std::int64_t>(kVectorsInProduct) - 1) * lanes);
    for (; i <= end; i += lanes, ++splits) {
      const auto slope = add(hn::LoadU(d, r + i));
      if constexpr (kDerivative) hn::StoreU(slope, d, derivative + i);
    }
    product = split(product);
    ++splits;
  }
  HWY_ALIGN T mantissas[hn::MaxLanes(d)] = {};
  if (i < count) {
    std::copy(r + i, r + count, mantissas);
    const auto slope = add(hn::Load(d, mantissas));
    ++splits;
    if constexpr (kDerivative) {
      hn::Store(slope, d, mantissas);
      std::copy_n(mantissas, count - i, derivative + i);
    }
  }

  HWY_ALIGN TI sums[hn::MaxLanes(d)];
  hn::Store(product, d, mantissas);
  hn::Store(exponents, di, sums);
  double factor = 1;
  std::int64_t exponent = 0;
  for (std::int64_t l = 0; l < lanes; ++l) {
    factor *= static_cast<double>(mantissas[l]);
    exponent += static_cast<std::int64_t>(sums[l]) - splits * (std::numeric_limits<T>::max_exponent - 1);
  }
  const double wrong = static_cast<double>(hn::GetLane(hn::SumOfLanes(d, finite)));
  return std::log(factor) + static_cast<double>(exponent) * 0.69314718055994530942 + wrong;
}

template <class T>
double LogPenalty(const T* r, std::int64_t count, T nu, T* derivative) {
  const auto most = kMostVectors / 2 * static_cast<std::int64_t>(hn::Lanes(hn::ScalableTag<T>()));
  double sum = 0;
  for (std::int64_t i = 0; i < count; i += most) {
    const std::int64_t some = std::min(most, count - i);
    sum += derivative ? SomePenalty<T, true>(r + i, some, nu, derivative + i)
                      : SomePenalty<T, false>(r + i, some, nu, nullptr);
  }
  return sum;
}

double LogPenaltyFloat(const float* r, std::int64_t count, float nu, float* derivative) {
  return LogPenalty(r, count, nu, derivative);
}

double LogPenaltyDouble(const double* r, std::int64_t count, double nu, double* derivative) {
  return LogPenalty(r, count, nu, derivative);
}

}  // namespace parsimony::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace parsimony::kernels {

HWY_EXPORT(LogPenaltyFloat);
HWY_EXPORT(LogPenaltyDouble);

template <>
double log_penalty(const float* r, std::int64_t count, float nu, float* derivative) {
  return HWY_DYNAMIC_DISPATCH(LogPenaltyFloat)(r, count, nu, derivative);
}

template <>
double log_penalty(const double* r, std::int64_t count, double nu, double* derivative) {
  return HWY_DYNAMIC_DISPATCH(LogPenaltyDouble)(r, count, nu, derivative);
}

template <class T>
double log_penalty_scalar(const T* r, std::int64_t count, T nu, T* derivative) {
  double sum = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    const double scaled = static_cast<double>(nu) * r[i], square = scaled * r[i];
    sum += std::log1p(square);
    if (derivative) derivative[i] = static_cast<T>(2 * scaled / (1 + square));
  }
  return sum;
}

template double log_penalty_scalar(const float*, std::int64_t, float, float*);
template double log_penalty_scalar(const double*, std::int64_t, double, double*);

}  // namespace parsimony::kernels
#endif  // HWY_ONCE
