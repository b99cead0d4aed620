// Weights that tests/models/references/values.py and the tests compute alike.
#pragma once

#include <cmath>
#include <cstdint>
#include <string_view>
#include <vector>

namespace parsimony::references {

/// `count` numbers in [−1, 1), multiples of 2⁻²³, that depend on the name alone.
inline std::vector<double> reference_numbers(std::string_view name, std::int64_t count) {
  std::uint32_t seed = 2166136261U;
  for (const char letter : name) seed = (seed ^ static_cast<unsigned char>(letter)) * 16777619U;
  std::vector<double> out;
  for (std::int64_t i = 0; i < count; ++i) {
    std::uint32_t x = seed + static_cast<std::uint32_t>(i) * 2654435761U;
    x = (x ^ (x >> 16)) * 73244475U;
    x ^= x >> 16;
    out.push_back(static_cast<double>(x >> 8) / 8388608 - 1);
  }
  return out;
}

/// The values of a tensor, by its name and shape.
inline std::vector<float> reference_values(std::string_view name, const std::vector<std::int64_t>& shape) {
  std::int64_t count = 1, inputs = 1;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    count *= shape[i];
    if (i > 0) inputs *= shape[i];
  }
  const double gain = std::sqrt(5.5 / static_cast<double>(inputs));
  std::vector<float> out;
  for (const double value : reference_numbers(name, count)) {
    double scaled = value / 4;
    if (shape.size() >= 2) {
      scaled = value * gain;
    } else if (name.ends_with("running_var")) {
      scaled = 1 + value / 2;
    } else if (name.ends_with("weight")) {
      scaled = 1 + value / 4;
    }
    out.push_back(static_cast<float>(scaled));
  }
  return out;
}

}  // namespace parsimony::references
