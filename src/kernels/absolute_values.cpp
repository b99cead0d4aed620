#include "kernels/absolute_values.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/absolute_values.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>
#include <cmath>
#include <type_traits>

HWY_BEFORE_NAMESPACE();
namespace parsimony::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

template <class T, bool kSign>
double AbsoluteSum(const T* r, std::int64_t count, T* sign) {
  const hn::ScalableTag<T> d;
  const hn::ScalableTag<double> dd;
  [[maybe_unused]] const hn::Rebind<T, decltype(dd)> half;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  [[maybe_unused]] const auto wide = static_cast<std::int64_t>(hn::Lanes(dd));
  [[maybe_unused]] const auto zero = hn::Zero(d), one = hn::Set(d, T{1});
  auto low = hn::Zero(dd), high = hn::Zero(dd);
  std::int64_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    const auto value = hn::LoadU(d, r + i);
    if constexpr (std::is_same_v<T, float>) {
      low = hn::Add(low, hn::Abs(hn::PromoteTo(dd, hn::LoadU(half, r + i))));
      if (wide < lanes) high = hn::Add(high, hn::Abs(hn::PromoteTo(dd, hn::LoadU(half, r + i + wide))));
    } else {
      low = hn::Add(low, hn::Abs(value));
    }
    if constexpr (kSign) {
      hn::StoreU(hn::IfThenElse(hn::Eq(value, zero), zero, hn::CopySign(one, value)), d, sign + i);
    }
  }
  double sum = hn::GetLane(hn::SumOfLanes(dd, hn::Add(low, high)));
  for (; i < count; ++i) {
    const T value = r[i];
    sum += std::abs(static_cast<double>(value));
    if constexpr (kSign) sign[i] = value == 0 ? T{0} : std::copysign(T{1}, value);
  }
  return sum;
}

template <class T>
void ClipAndReflect(const T* v, std::int64_t count, T bound, T* clipped, T* reflected) {
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const auto upper = hn::Set(d, bound), lower = hn::Set(d, -bound), two = hn::Set(d, T{2});
  std::int64_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    const auto value = hn::LoadU(d, v + i);
    const auto inside = hn::Min(hn::Max(value, lower), upper);
    hn::StoreU(inside, d, clipped + i);
    hn::StoreU(hn::NegMulAdd(two, inside, value), d, reflected + i);
  }
  for (; i < count; ++i) {
    const T value = v[i], inside = std::min(std::max(value, -bound), bound);
    clipped[i] = inside;
    reflected[i] = value - 2 * inside;
  }
}

double AbsoluteSumFloat(const float* r, std::int64_t count, float* sign) {
  return sign ? AbsoluteSum<float, true>(r, count, sign) : AbsoluteSum<float, false>(r, count, sign);
}
double AbsoluteSumDouble(const double* r, std::int64_t count, double* sign) {
  return sign ? AbsoluteSum<double, true>(r, count, sign) : AbsoluteSum<double, false>(r, count, sign);
}
void ClipFloat(const float* v, std::int64_t count, float bound, float* clipped, float* reflected) {
  ClipAndReflect(v, count, bound, clipped, reflected);
}
void ClipDouble(const double* v, std::int64_t count, double bound, double* clipped, double* reflected) {
  ClipAndReflect(v, count, bound, clipped, reflected);
}

}  // namespace parsimony::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace parsimony::kernels {

HWY_EXPORT(AbsoluteSumFloat);
HWY_EXPORT(AbsoluteSumDouble);
HWY_EXPORT(ClipFloat);
HWY_EXPORT(ClipDouble);

template <>
double absolute_sum(const float* r, std::int64_t count, float* sign) {
  return HWY_DYNAMIC_DISPATCH(AbsoluteSumFloat)(r, count, sign);
}

template <>
double absolute_sum(const double* r, std::int64_t count, double* sign) {
  return HWY_DYNAMIC_DISPATCH(AbsoluteSumDouble)(r, count, sign);
}

template <>
void clip_and_reflect(const float* v, std::int64_t count, float bound, float* clipped, float* reflected) {
  HWY_DYNAMIC_DISPATCH(ClipFloat)(v, count, bound, clipped, reflected);
}

template <>
void clip_and_reflect(const double* v, std::int64_t count, double bound, double* clipped, double* reflected) {
  HWY_DYNAMIC_DISPATCH(ClipDouble)(v, count, bound, clipped, reflected);
}

template <class T>
double absolute_sum_scalar(const T* r, std::int64_t count, T* sign) {
  double sum = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    const T value = r[i];
    sum += std::abs(static_cast<double>(value));
    if (sign) sign[i] = static_cast<T>((value > 0) - (value < 0));
  }
  return sum;
}

template <class T>
void clip_and_reflect_scalar(const T* v, std::int64_t count, T bound, T* clipped, T* reflected) {
  for (std::int64_t i = 0; i < count; ++i) {
    const T value = v[i], inside = std::clamp(value, -bound, bound);
    clipped[i] = inside;
    reflected[i] = value - 2 * inside;
  }
}

template double absolute_sum_scalar(const float*, std::int64_t, float*);
template double absolute_sum_scalar(const double*, std::int64_t, double*);
template void clip_and_reflect_scalar(const float*, std::int64_t, float, float*, float*);
template void clip_and_reflect_scalar(const double*, std::int64_t, double, double*, double*);

}  // namespace parsimony::kernels
#endif  // HWY_ONCE
