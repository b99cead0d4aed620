// Root mean square of the values of each output.
#pragma once

#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

namespace parsimony::quant {

/// The root mean square of the values of each output, or 1 if that is 0.
inline std::vector<float> root_mean_squares(std::span<const float> values, std::int64_t outputs) {
  const std::int64_t n = std::ssize(values) / outputs;
  std::vector<float> factors(outputs);
  for (std::int64_t o = 0; o < outputs; ++o) {
    double squares = 0;
    for (const float value : values.subspan(o * n, n)) squares += static_cast<double>(value) * value;
    factors[o] = static_cast<float>(std::sqrt(squares / static_cast<double>(n)));
    if (!(factors[o] > 0)) factors[o] = 1;
  }
  return factors;
}

}  // namespace parsimony::quant
