#include "kernels/softmax.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/softmax.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
//
#include <hwy/contrib/math/math-inl.h>

#include <algorithm>
#include <cmath>
#include <limits>

HWY_BEFORE_NAMESPACE();
namespace parsimony::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

void Softmax(float* HWY_RESTRICT x, std::int64_t count, std::int64_t padded, float scale) {
  const hn::CappedTag<float, kSoftmaxPadding> d;
  const auto step = static_cast<std::int64_t>(hn::Lanes(d));
  std::fill(x + count, x + padded, -std::numeric_limits<float>::infinity());
  auto most = hn::Set(d, -std::numeric_limits<float>::infinity());
  for (std::int64_t i = 0; i < padded; i += step) most = hn::Max(most, hn::LoadU(d, x + i));
  const auto largest = hn::MaxOfLanes(d, most), factor = hn::Set(d, scale);
  auto sum = hn::Zero(d);
  for (std::int64_t i = 0; i < padded; i += step) {
    const auto value = hn::Exp(d, hn::Mul(factor, hn::Sub(hn::LoadU(d, x + i), largest)));
    sum = hn::Add(sum, value);
    hn::StoreU(value, d, x + i);
  }
  const auto inverse = hn::Div(hn::Set(d, 1), hn::SumOfLanes(d, sum));
  for (std::int64_t i = 0; i < padded; i += step) {
    hn::StoreU(hn::Mul(hn::LoadU(d, x + i), inverse), d, x + i);
  }
}

}  // namespace parsimony::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace parsimony::kernels {

HWY_EXPORT(Softmax);

void softmax(float* x, std::int64_t count, std::int64_t padded, float scale) {
  HWY_DYNAMIC_DISPATCH(Softmax)(x, count, padded, scale);
}

void softmax_scalar(float* x, std::int64_t count, std::int64_t padded, float scale) {
  const float largest = *std::max_element(x, x + count);
  float sum = 0;
  for (std::int64_t i = 0; i < count; ++i) sum += x[i] = std::exp(scale * (x[i] - largest));
  for (std::int64_t i = 0; i < count; ++i) x[i] /= sum;
  std::fill(x + count, x + padded, 0.0F);
}

}  // namespace parsimony::kernels
#endif  // HWY_ONCE
