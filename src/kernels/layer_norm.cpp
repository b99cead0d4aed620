#include "kernels/layer_norm.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/layer_norm.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <cmath>

HWY_BEFORE_NAMESPACE();
namespace parsimony::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

void Normalize(float* HWY_RESTRICT x, const float* y, const LayerNorm& norm) {
  const hn::CappedTag<float, 16> d;
  const auto step = static_cast<std::int64_t>(hn::Lanes(d)), whole = norm.count / step * step;
  auto sums = hn::Zero(d);
  for (std::int64_t i = 0; i < whole; i += step) {
    auto value = hn::LoadU(d, x + i);
    if (y != nullptr) {
      value = hn::Add(value, hn::LoadU(d, y + i));
      hn::StoreU(value, d, x + i);
    }
    sums = hn::Add(sums, value);
  }
  float sum = hn::GetLane(hn::SumOfLanes(d, sums));
  for (std::int64_t i = whole; i < norm.count; ++i) {
    if (y != nullptr) x[i] += y[i];
    sum += x[i];
  }
  const float mean = sum / static_cast<float>(norm.count);
  const auto means = hn::Set(d, mean);
  auto squares = hn::Zero(d);
  for (std::int64_t i = 0; i < whole; i += step) {
    const auto apart = hn::Sub(hn::LoadU(d, x + i), means);
    squares = hn::MulAdd(apart, apart, squares);
  }
  float square = hn::GetLane(hn::SumOfLanes(d, squares));
  for (std::int64_t i = whole; i < norm.count; ++i) square += (x[i] - mean) * (x[i] - mean);
  const float inverse = 1 / std::sqrt(square / static_cast<float>(norm.count) + norm.epsilon);
  const auto factor = hn::Set(d, inverse);
  for (std::int64_t i = 0; i < whole; i += step) {
    const auto apart = hn::Mul(hn::Sub(hn::LoadU(d, x + i), means), factor);
    hn::StoreU(hn::MulAdd(apart, hn::LoadU(d, norm.weight + i), hn::LoadU(d, norm.bias + i)), d, x + i);
  }
  for (std::int64_t i = whole; i < norm.count; ++i) {
    x[i] = (x[i] - mean) * inverse * norm.weight[i] + norm.bias[i];
  }
}

}  // namespace parsimony::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace parsimony::kernels {

HWY_EXPORT(Normalize);

void layer_norm(float* x, const float* y, const LayerNorm& norm) {
  HWY_DYNAMIC_DISPATCH(Normalize)(x, y, norm);
}

void layer_norm_scalar(float* x, const float* y, const LayerNorm& norm) {
  double sum = 0, square = 0;
  for (std::int64_t i = 0; i < norm.count; ++i) {
    if (y != nullptr) x[i] += y[i];
    sum += x[i];
  }
  const double mean = sum / static_cast<double>(norm.count);
  for (std::int64_t i = 0; i < norm.count; ++i) square += (x[i] - mean) * (x[i] - mean);
  const double inverse = 1 / std::sqrt(square / static_cast<double>(norm.count) + norm.epsilon);
  for (std::int64_t i = 0; i < norm.count; ++i) {
    x[i] = static_cast<float>((x[i] - mean) * inverse * norm.weight[i] + norm.bias[i]);
  }
}

}  // namespace parsimony::kernels
#endif  // HWY_ONCE
