#include "kernels/depthwise.hpp"

// Sums are kept in arrays of vectors, see matrix_product.cpp.
#ifndef HWY_DISABLED_TARGETS
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#endif
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/depthwise.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/activation-inl.hpp"
#include "kernels/registers-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace parsimony::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Outputs whose sums stay in registers.
constexpr std::int64_t kOutputs = kManyRegisters ? 8 : 4;

struct Row {
  const float* x;
  std::int64_t x_row, x_pixel;
  float* y;
  std::int64_t y_pixel;
};

// kCount outputs of a vector of channels; returns their sum, added to `sum`.
template <std::int64_t kKernel, std::int64_t kCount, Activation kActivation, class D, class V>
HWY_INLINE V Outputs(D d, const Depthwise& layer, const float* weights, V bias, const Row& row,
                     std::int64_t x_step, V sum) {
  V sums[kCount];
  for (std::int64_t j = 0; j < kCount; ++j) sums[j] = bias;
  for (std::int64_t u = 0; u < kKernel; ++u) {
    const float* HWY_RESTRICT x = row.x + u * row.x_row;
    for (std::int64_t v = 0; v < kKernel; ++v, x += row.x_pixel) {
      const V weight = hn::LoadU(d, weights + (u * kKernel + v) * layer.weight_stride);
      for (std::int64_t j = 0; j < kCount; ++j) {
        sums[j] = hn::MulAdd(hn::LoadU(d, x + j * x_step), weight, sums[j]);
      }
    }
  }
  for (std::int64_t j = 0; j < kCount; ++j) {
    const V value = Activate<kActivation>(d, sums[j]);
    hn::StoreU(value, d, row.y + j * row.y_pixel);
    sum = hn::Add(sum, value);
  }
  return sum;
}

template <std::int64_t kKernel, Activation kActivation>
void RowAs(const Depthwise& layer, const Row& all, std::int64_t outputs, float* sums) {
  const hn::CappedTag<float, kDepthwisePadding> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const std::int64_t x_step = layer.stride * all.x_pixel;
  for (std::int64_t c = 0; c < layer.channels; c += lanes) {
    const auto bias = hn::LoadU(d, layer.bias + c);
    const float* weights = layer.weights + c;
    auto sum = hn::Zero(d);
    Row row = all;
    row.x += c, row.y += c;
    std::int64_t j = 0;
    for (; j + kOutputs <= outputs;
         j += kOutputs, row.x += kOutputs * x_step, row.y += kOutputs * row.y_pixel) {
      sum = Outputs<kKernel, kOutputs, kActivation>(d, layer, weights, bias, row, x_step, sum);
    }
    for (; j + 2 <= outputs; j += 2, row.x += 2 * x_step, row.y += 2 * row.y_pixel) {
      sum = Outputs<kKernel, 2, kActivation>(d, layer, weights, bias, row, x_step, sum);
    }
    if (j < outputs) sum = Outputs<kKernel, 1, kActivation>(d, layer, weights, bias, row, x_step, sum);
    if (sums != nullptr) hn::StoreU(hn::Add(hn::LoadU(d, sums + c), sum), d, sums + c);
  }
}

template <std::int64_t kKernel>
void RowOfKernel(const Depthwise& layer, const Row& row, std::int64_t outputs, float* sums) {
  switch (layer.activation) {
    case Activation::none:
      return RowAs<kKernel, Activation::none>(layer, row, outputs, sums);
    case Activation::relu6:
      return RowAs<kKernel, Activation::relu6>(layer, row, outputs, sums);
    case Activation::silu:
      return RowAs<kKernel, Activation::silu>(layer, row, outputs, sums);
    case Activation::sigmoid:
      return RowAs<kKernel, Activation::sigmoid>(layer, row, outputs, sums);
  }
}

void DepthwiseRow(const Depthwise& layer, const float* x, std::int64_t x_row, std::int64_t x_pixel,
                  std::int64_t outputs, float* y, std::int64_t y_pixel, float* sums) {
  const Row row{x, x_row, x_pixel, y, y_pixel};
  if (layer.kernel == 3) {
    RowOfKernel<3>(layer, row, outputs, sums);
  } else {
    RowOfKernel<5>(layer, row, outputs, sums);
  }
}

}  // namespace parsimony::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace parsimony::kernels {

HWY_EXPORT(DepthwiseRow);

void depthwise_row(const Depthwise& layer, const float* x, std::int64_t x_row, std::int64_t x_pixel,
                   std::int64_t outputs, float* y, std::int64_t y_pixel, float* sums) {
  HWY_DYNAMIC_DISPATCH(DepthwiseRow)(layer, x, x_row, x_pixel, outputs, y, y_pixel, sums);
}

void depthwise_row_scalar(const Depthwise& layer, const float* x, std::int64_t x_row, std::int64_t x_pixel,
                          std::int64_t outputs, float* y, std::int64_t y_pixel, float* sums) {
  for (std::int64_t c = 0; c < layer.channels; ++c) {
    for (std::int64_t j = 0; j < outputs; ++j) {
      float sum = layer.bias[c];
      for (std::int64_t u = 0; u < layer.kernel; ++u) {
        for (std::int64_t v = 0; v < layer.kernel; ++v) {
          sum += layer.weights[(u * layer.kernel + v) * layer.weight_stride + c] *
                 x[u * x_row + (j * layer.stride + v) * x_pixel + c];
        }
      }
      const float value = activate_scalar(layer.activation, sum);
      y[j * y_pixel + c] = value;
      if (sums != nullptr) sums[c] += value;
    }
  }
}

}  // namespace parsimony::kernels
#endif  // HWY_ONCE
