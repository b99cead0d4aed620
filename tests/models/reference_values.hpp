// Weights that references/values.py and the tests compute alike, and the figures that its scripts wrote.
#pragma once

#include <torch/torch.h>

#include <cmath>
#include <cstdint>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "places.hpp"

namespace parsimony::models {

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

inline torch::Tensor reference_tensor(std::string_view name, std::vector<std::int64_t> shape) {
  std::int64_t count = 1, inputs = 1;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    count *= shape[i];
    if (i > 0) inputs *= shape[i];
  }
  const double gain = std::sqrt(5.5 / static_cast<double>(inputs));
  const torch::Tensor out = torch::empty(shape);
  auto* to = out.data_ptr<float>();
  for (const double value : reference_numbers(name, count)) {
    double scaled = value / 4;
    if (shape.size() >= 2) {
      scaled = value * gain;
    } else if (name.ends_with("running_var")) {
      scaled = 1 + value / 2;
    } else if (name.ends_with("weight")) {
      scaled = 1 + value / 4;
    }
    *to++ = static_cast<float>(scaled);
  }
  return out;
}

/// Sets all parameters and buffers of floats.
inline void fill_with_reference(torch::nn::Module& model) {
  const torch::NoGradGuard no_gradient;
  const auto fill = [](const std::string& name, torch::Tensor tensor) {
    if (tensor.is_floating_point()) tensor.copy_(reference_tensor(name, tensor.sizes().vec()));
  };
  for (const auto& item : model.named_parameters()) fill(item.key(), item.value());
  for (const auto& item : model.named_buffers()) fill(item.key(), item.value());
}

inline nlohmann::json reference_figures(const std::string& file) {
  std::ifstream stream(places::source_folder() / "tests/models/references" / file);
  return nlohmann::json::parse(stream);
}

/// Largest difference divided by the largest reference value.
inline double reference_error(const torch::Tensor& values, const nlohmann::json& reference) {
  const auto expected = reference.get<std::vector<float>>();
  const torch::Tensor right =
      torch::from_blob(const_cast<float*>(expected.data()), values.sizes(), torch::kFloat);
  return ((values - right).abs().max() / right.abs().max()).item<double>();
}

}  // namespace parsimony::models
