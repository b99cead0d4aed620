// The values of a tensor as float32, without a copy where they are that already.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "parsimony/core/safetensors.hpp"
#include "parsimony/quant/weight_axes.hpp"

namespace parsimony::quant {

/// The bytes of the tensor must outlive this object. Throws unsupported as float32_values does. With axes, in
/// the order of the codes, outputs first.
class FloatValues {
 public:
  explicit FloatValues(const TensorView& tensor, const WeightAxes& axes = {}) {
    const auto address = reinterpret_cast<std::uintptr_t>(tensor.data.data());
    if (tensor.dtype == DType::float32 && address % alignof(float) == 0) {
      values_ = {reinterpret_cast<const float*>(tensor.data.data()), tensor.data.size() / sizeof(float)};
    } else {
      copy_ = float32_values(tensor);
      values_ = copy_;
    }
    if (axes.standard()) return;
    copy_ = to_coded_order(values_, tensor.shape, axes);
    values_ = copy_;
  }
  FloatValues(const FloatValues&) = delete;
  FloatValues& operator=(const FloatValues&) = delete;

  std::span<const float> operator()() const { return values_; }

 private:
  std::vector<float> copy_;
  std::span<const float> values_;
};

}  // namespace parsimony::quant
