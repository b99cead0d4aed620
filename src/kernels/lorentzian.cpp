#include "kernels/lorentzian.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/lorentzian.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>

HWY_BEFORE_NAMESPACE();
namespace parsimony::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// A last vector that is not full is copied to a full one.
constexpr std::int64_t kMostLanes = 16;
constexpr float kMost = 1e6f;  // its sixth power is a float32
constexpr float kSquare1 = kLorentzianWidths[1] * kLorentzianWidths[1];
constexpr float kSquare2 = kLorentzianWidths[2] * kLorentzianWidths[2];
static_assert(kLorentzianWidths[0] == 1);

using D = hn::CappedTag<float, kMostLanes>;
using V = hn::Vec<D>;

void LorentzianInfluence(float* r, std::int64_t count, const LorentzianWeights& weights) {
  const D d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const V square0 = hn::Set(d, 1.0f), square1 = hn::Set(d, kSquare1), square2 = hn::Set(d, kSquare2);
  const V factor0 = hn::Set(d, 2 * weights[0]), factor1 = hn::Set(d, 2 * kLorentzianWidths[1] * weights[1]),
          factor2 = hn::Set(d, 2 * kLorentzianWidths[2] * weights[2]);
  const V most = hn::Set(d, kMost), least = hn::Set(d, -kMost);
  const auto at = [&](float* values) {
    const V value = hn::Min(hn::Max(hn::LoadU(d, values), least), most), square = hn::Mul(value, value);
    const V sum0 = hn::Add(square0, square), sum1 = hn::Add(square1, square), sum2 = hn::Add(square2, square);
    // All three parts share one division.
    const V product = hn::Mul(sum1, sum2);
    const V others = hn::MulAdd(factor1, sum2, hn::Mul(factor2, sum1));
    const V numerator = hn::MulAdd(factor0, product, hn::Mul(others, sum0));
    hn::StoreU(hn::Div(hn::Mul(value, numerator), hn::Mul(product, sum0)), d, values);
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

void LorentzianBackward(float* r, float* tangent, std::int64_t count, const LorentzianWeights& weights,
                        double* by_weights) {
  const D d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const V one = hn::Set(d, 1.0f), square1 = hn::Set(d, kSquare1), square2 = hn::Set(d, kSquare2);
  const V width0 = hn::Set(d, 2.0f), width1 = hn::Set(d, 2 * kLorentzianWidths[1]),
          width2 = hn::Set(d, 2 * kLorentzianWidths[2]);
  const V weight0 = hn::Set(d, weights[0]), weight1 = hn::Set(d, weights[1]),
          weight2 = hn::Set(d, weights[2]);
  const V most = hn::Set(d, kMost), least = hn::Set(d, -kMost);
  V by0 = hn::Zero(d), by1 = by0, by2 = by0;
  const auto at = [&](float* values, float* tangents) {
    const V value = hn::Min(hn::Max(hn::LoadU(d, values), least), most);
    const V direction = hn::LoadU(d, tangents), square = hn::Mul(value, value);
    const V sum0 = hn::Add(one, square), sum1 = hn::Add(square1, square), sum2 = hn::Add(square2, square);
    const V product = hn::Mul(sum1, sum2);
    const V inverse = hn::Div(one, hn::Mul(product, sum0));
    // 1 / (κ² + r²) of each, and 2 κ times it.
    const V part0 = hn::Mul(inverse, product), rest = hn::Mul(inverse, sum0);
    const V part1 = hn::Mul(rest, sum2), part2 = hn::Mul(rest, sum1);
    const V scaled0 = hn::Mul(width0, part0), scaled1 = hn::Mul(width1, part1),
            scaled2 = hn::Mul(width2, part2);
    const V along = hn::Mul(value, direction);
    by0 = hn::MulAdd(scaled0, along, by0);
    by1 = hn::MulAdd(scaled1, along, by1);
    by2 = hn::MulAdd(scaled2, along, by2);
    const V term0 = hn::Mul(weight0, scaled0), term1 = hn::Mul(weight1, scaled1),
            term2 = hn::Mul(weight2, scaled2);
    hn::StoreU(hn::Mul(value, hn::Add(term0, hn::Add(term1, term2))), d, values);
    // (κ² − r²) / (κ² + r²) = 2 κ² / (κ² + r²) − 1
    const V two = hn::Add(one, one);
    const V slope = hn::MulAdd(term0, hn::MulSub(two, part0, one),
                               hn::MulAdd(term1, hn::MulSub(hn::Mul(two, square1), part1, one),
                                          hn::Mul(term2, hn::MulSub(hn::Mul(two, square2), part2, one))));
    hn::StoreU(hn::Mul(slope, direction), d, tangents);
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
  by_weights[0] = static_cast<double>(hn::GetLane(hn::SumOfLanes(d, by0)));
  by_weights[1] = static_cast<double>(hn::GetLane(hn::SumOfLanes(d, by1)));
  by_weights[2] = static_cast<double>(hn::GetLane(hn::SumOfLanes(d, by2)));
}

}  // namespace parsimony::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace parsimony::kernels {

HWY_EXPORT(LorentzianInfluence);
HWY_EXPORT(LorentzianBackward);

void lorentzian_influence(float* r, std::int64_t count, const LorentzianWeights& weights) {
  HWY_DYNAMIC_DISPATCH(LorentzianInfluence)(r, count, weights);
}

std::array<double, 3> lorentzian_backward(float* r, float* tangent, std::int64_t count,
                                          const LorentzianWeights& weights) {
  std::array<double, 3> by_weights{};
  HWY_DYNAMIC_DISPATCH(LorentzianBackward)(r, tangent, count, weights, by_weights.data());
  return by_weights;
}

void lorentzian_influence_scalar(float* r, std::int64_t count, const LorentzianWeights& weights) {
  for (std::int64_t i = 0; i < count; ++i) {
    float sum = 0;
    for (std::size_t k = 0; k < weights.size(); ++k) {
      const float width = kLorentzianWidths[k];
      sum += weights[k] * width / (width * width + r[i] * r[i]);
    }
    r[i] *= 2 * sum;
  }
}

std::array<double, 3> lorentzian_backward_scalar(float* r, float* tangent, std::int64_t count,
                                                 const LorentzianWeights& weights) {
  std::array<double, 3> by_weights{};
  for (std::int64_t i = 0; i < count; ++i) {
    float influence = 0, slope = 0;
    for (std::size_t k = 0; k < weights.size(); ++k) {
      const float width = kLorentzianWidths[k], sum = width * width + r[i] * r[i];
      const float part = 2 * width * r[i] / sum;
      influence += weights[k] * part;
      slope += weights[k] * 2 * width * (width * width - r[i] * r[i]) / (sum * sum);
      by_weights[k] += static_cast<double>(part) * tangent[i];
    }
    tangent[i] *= slope;
    r[i] = influence;
  }
  return by_weights;
}

}  // namespace parsimony::kernels
#endif  // HWY_ONCE
