// Activations of vectors. The including file is compiled once per target; the include guard therefore
// toggles.
#include <hwy/highway.h>

#include "kernels/activation.hpp"

#if defined(PARSIMONY_ACTIVATION_INL_HPP) == defined(HWY_TARGET_TOGGLE)
#ifdef PARSIMONY_ACTIVATION_INL_HPP
#undef PARSIMONY_ACTIVATION_INL_HPP
#else
#define PARSIMONY_ACTIVATION_INL_HPP
#endif

HWY_BEFORE_NAMESPACE();
namespace parsimony::kernels::HWY_NAMESPACE {

// exp(x) for |x| ≤ 87, 2ⁿ · 2ᶠ with |f| ≤ 1/2: a relative error below 1e-7 · (1 + |x|).
template <class D, class V>
HWY_INLINE V BoundedExp(D d, V x) {
  namespace hn = hwy::HWY_NAMESPACE;
  const hn::RebindToSigned<D> whole;
  const V power = hn::Mul(x, hn::Set(d, 1.44269504088896341F)), n = hn::Round(power);
  const V f = hn::Sub(power, n);
  // The terms ln(2)ⁱ / i! of 2ᶠ, the last one moved for the least error.
  V sum = hn::Set(d, 1.54353e-4F);
  sum = hn::MulAdd(sum, f, hn::Set(d, 1.3333558e-3F));
  sum = hn::MulAdd(sum, f, hn::Set(d, 9.6181291e-3F));
  sum = hn::MulAdd(sum, f, hn::Set(d, 5.5504109e-2F));
  sum = hn::MulAdd(sum, f, hn::Set(d, 2.4022651e-1F));
  sum = hn::MulAdd(sum, f, hn::Set(d, 6.9314718e-1F));
  sum = hn::MulAdd(sum, f, hn::Set(d, 1.0F));
  const auto scale = hn::ShiftLeft<23>(hn::Add(hn::ConvertTo(whole, n), hn::Set(whole, 127)));
  return hn::Mul(sum, hn::BitCast(d, scale));
}

// 1 / x. Processors of x86 divide slowly: a step of Newton's method doubles the 12 to 14 bits of their
// approximation.
template <class D, class V>
HWY_INLINE V Inverse([[maybe_unused]] D d, V x) {
  namespace hn = hwy::HWY_NAMESPACE;
#if HWY_ARCH_X86 && HWY_TARGET != HWY_EMU128 && HWY_TARGET != HWY_SCALAR
  const V first = hn::ApproximateReciprocal(x);
  return hn::Mul(first, hn::NegMulAdd(x, first, hn::Set(d, 2)));
#else
  return hn::Div(hn::Set(d, 1), x);
#endif
}

template <class D, class V>
HWY_INLINE V Sigmoid(D d, V x) {
  namespace hn = hwy::HWY_NAMESPACE;
  const V bounded = hn::Max(hn::Min(hn::Neg(x), hn::Set(d, 87)), hn::Set(d, -87));
  return Inverse(d, hn::Add(BoundedExp(d, bounded), hn::Set(d, 1)));
}

template <Activation kActivation, class D, class V>
HWY_INLINE V Activate(D d, V x) {
  namespace hn = hwy::HWY_NAMESPACE;
  if constexpr (kActivation == Activation::relu6) {
    return hn::Min(hn::Max(x, hn::Zero(d)), hn::Set(d, 6));
  } else if constexpr (kActivation == Activation::silu) {
    return hn::Mul(x, Sigmoid(d, x));
  } else if constexpr (kActivation == Activation::sigmoid) {
    return Sigmoid(d, x);
  } else {
    return x;
  }
}

}  // namespace parsimony::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
