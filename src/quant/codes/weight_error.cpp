#include "quant/codes/weight_error.hpp"

#include <cstdint>
#include <limits>

#include "quant/codes/importance.hpp"

namespace parsimony::quant {

double WeightError::relative() const {
  if (norm > 0) return error / norm;
  return error > 0 ? std::numeric_limits<double>::infinity() : 0;
}

WeightError weight_error(const WeightView& weight, std::span<const float> decoded) {
  const Importance importance(weight);
  const std::int64_t outputs = weight.shape[0], n = std::ssize(weight.values) / outputs;
  WeightError out;
  for (std::int64_t o = 0; o < outputs; ++o) {
    WeightError of_output;
    for (std::int64_t i = 0; i < n; ++i) {
      const double value = weight.values[o * n + i], apart = value - decoded[o * n + i];
      const double counts = importance(o, i);
      of_output.error += counts * apart * apart;
      of_output.norm += counts * value * value;
    }
    out.error += of_output.error;
    out.norm += of_output.norm;
  }
  return out;
}

}  // namespace parsimony::quant
