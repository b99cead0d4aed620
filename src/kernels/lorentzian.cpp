#include "kernels/lorentzian.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/lorentzian.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>

HWY_BEFORE_NAMESPACE();
namespace parsimony::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// A last vector that is not full goes through a copy that is.
constexpr std::int64_t kMostLanes = 16;

void LorentzianInfluence(float* r, std::int64_t count, float weight) {
  const hn::CappedTag<float, kMostLanes> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const auto one = hn::Set(d, 1.0f), factor = hn::Set(d, 2 * weight);
  const auto at = [&](float* values) {
    const auto value = hn::LoadU(d, values);
    hn::StoreU(hn::Div(hn::Mul(factor, value), hn::MulAdd(value, value, one)), d, values);
  };
  std::int64_t i = 0;
  for (; i + lanes <= count; i += lanes) at(r + i);
  if (i < count) {
    HWY_ALIGN float rest[kMostLanes] = {};
    std::copy(r + i, r + count, rest);
    at(rest);
    std::copy_n(rest, count - i, r + i);
  }
}

double LorentzianBackward(float* r, float* tangent, std::int64_t count, float weight) {
  const hn::CappedTag<float, kMostLanes> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const auto one = hn::Set(d, 1.0f), factor = hn::Set(d, 2 * weight);
  auto sum = hn::Zero(d);
  const auto at = [&](float* values, float* tangents) {
    const auto value = hn::LoadU(d, values), direction = hn::LoadU(d, tangents);
    const auto inverse = hn::Div(one, hn::MulAdd(value, value, one));
    const auto slope = hn::Mul(factor, inverse);
    const auto influence = hn::Mul(slope, value);
    sum = hn::MulAdd(influence, direction, sum);
    // (1 − r²) / (1 + r²) = 2 / (1 + r²) − 1
    const auto ratio = hn::MulSub(hn::Add(one, one), inverse, one);
    hn::StoreU(influence, d, values);
    hn::StoreU(hn::Mul(hn::Mul(slope, ratio), direction), d, tangents);
  };
  std::int64_t i = 0;
  for (; i + lanes <= count; i += lanes) at(r + i, tangent + i);
  if (i < count) {
    HWY_ALIGN float values[kMostLanes] = {}, tangents[kMostLanes] = {};
    std::copy(r + i, r + count, values);
    std::copy(tangent + i, tangent + count, tangents);
    at(values, tangents);
    std::copy_n(values, count - i, r + i);
    std::copy_n(tangents, count - i, tangent + i);
  }
  return static_cast<double>(hn::GetLane(hn::SumOfLanes(d, sum)));
}

}  // namespace parsimony::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace parsimony::kernels {

HWY_EXPORT(LorentzianInfluence);
HWY_EXPORT(LorentzianBackward);

void lorentzian_influence(float* r, std::int64_t count, float weight) {
  HWY_DYNAMIC_DISPATCH(LorentzianInfluence)(r, count, weight);
}

double lorentzian_backward(float* r, float* tangent, std::int64_t count, float weight) {
  return HWY_DYNAMIC_DISPATCH(LorentzianBackward)(r, tangent, count, weight);
}

void lorentzian_influence_scalar(float* r, std::int64_t count, float weight) {
  for (std::int64_t i = 0; i < count; ++i) r[i] = 2 * weight * r[i] / (1 + r[i] * r[i]);
}

double lorentzian_backward_scalar(float* r, float* tangent, std::int64_t count, float weight) {
  double sum = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    const float square = r[i] * r[i], influence = 2 * weight * r[i] / (1 + square);
    sum += static_cast<double>(influence) * tangent[i];
    tangent[i] *= 2 * weight * (1 - square) / ((1 + square) * (1 + square));
    r[i] = influence;
  }
  return sum;
}

}  // namespace parsimony::kernels
#endif  // HWY_ONCE
