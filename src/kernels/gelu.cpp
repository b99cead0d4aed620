#include "kernels/gelu.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/gelu.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
//
#include <hwy/contrib/math/math-inl.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <numbers>

#include "kernels/activation-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace parsimony::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// 1 − Φ(|x|) = polynomial(t) · exp(−x² / 2) / 2 with t = 1 / (1 + p |x| / √2).
template <class D, class V>
HWY_INLINE V Gelu(D d, V x) {
  const V size = hn::Abs(x);
  const V t =
      Inverse(d, hn::MulAdd(size, hn::Set(d, 0.3275911F / std::numbers::sqrt2_v<float>), hn::Set(d, 1)));
  V sum = hn::Set(d, 0.5F * 1.061405429F);
  sum = hn::MulAdd(sum, t, hn::Set(d, 0.5F * -1.453152027F));
  sum = hn::MulAdd(sum, t, hn::Set(d, 0.5F * 1.421413741F));
  sum = hn::MulAdd(sum, t, hn::Set(d, 0.5F * -0.284496736F));
  sum = hn::MulAdd(sum, t, hn::Set(d, 0.5F * 0.254829592F));
  const V tail = hn::Mul(hn::Mul(sum, t), hn::Exp(d, hn::Mul(hn::Mul(size, size), hn::Set(d, -0.5F))));
  // max(x, 0) − |x| · tail
  return hn::NegMulAdd(size, tail, hn::Max(x, hn::Zero(d)));
}

void GeluAll(float* HWY_RESTRICT x, std::int64_t count) {
  constexpr std::int64_t kLine = 16;
  const hn::CappedTag<float, kLine> d;
  const auto step = static_cast<std::int64_t>(hn::Lanes(d));
  std::int64_t i = 0;
  for (; i + step <= count; i += step) hn::StoreU(Gelu(d, hn::LoadU(d, x + i)), d, x + i);
  if (i == count) return;
  std::array<float, kLine> rest{};
  std::copy(x + i, x + count, rest.begin());
  hn::StoreU(Gelu(d, hn::LoadU(d, rest.data())), d, rest.data());
  std::copy_n(rest.begin(), count - i, x + i);
}

}  // namespace parsimony::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace parsimony::kernels {

HWY_EXPORT(GeluAll);

void gelu(float* x, std::int64_t count) {
  HWY_DYNAMIC_DISPATCH(GeluAll)(x, count);
}

void gelu_scalar(float* x, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) {
    const double value = x[i];
    x[i] = static_cast<float>(0.5 * value * std::erfc(-value / std::numbers::sqrt2));
  }
}

}  // namespace parsimony::kernels
#endif  // HWY_ONCE
