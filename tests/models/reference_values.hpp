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
#include "reference_numbers.hpp"

namespace parsimony::models {

using references::reference_numbers;

inline torch::Tensor reference_tensor(std::string_view name, const std::vector<std::int64_t>& shape) {
  return torch::tensor(references::reference_values(name, shape)).reshape(shape);
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
