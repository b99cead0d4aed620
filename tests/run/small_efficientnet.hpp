// EfficientNets with the weights of tests/models/references/values.py, whose logits timm has computed.
#pragma once

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "parsimony/core/safetensors.hpp"
#include "places.hpp"
#include "reference_numbers.hpp"
#include "run/efficientnet_weights.hpp"

namespace parsimony::run {

inline data::EfficientNetVariant variant_named(std::string_view name) {
  for (const auto& [variant, known] : data::names_of(data::EfficientNetVariant{})) {
    if (known == name) return variant;
  }
  throw std::runtime_error(std::string(name));
}

/// Writes the tensors with their reference values, each of float32.
inline void write_reference_tensors(const std::filesystem::path& path,
                                    const std::vector<NamedShape>& shapes) {
  std::vector<std::vector<std::uint8_t>> bytes;
  std::vector<TensorView> views;
  bytes.reserve(shapes.size());
  for (const NamedShape& tensor : shapes) {
    bytes.push_back(tensor_bytes(references::reference_values(tensor.name, tensor.shape), DType::float32));
    views.push_back({{tensor.name, DType::float32, tensor.shape}, bytes.back()});
  }
  write_safetensors(path, views);
}

inline void write_efficientnet(const std::filesystem::path& path, data::EfficientNetVariant variant,
                               std::int64_t classes) {
  write_reference_tensors(path, efficientnet_tensors(data::efficientnet_shape(variant), classes));
}

inline nlohmann::json efficientnet_figures() {
  std::ifstream stream(places::source_folder() / "tests/models/references/efficientnet.json");
  return nlohmann::json::parse(stream);
}

}  // namespace parsimony::run
