// Safetensors files that live in memory.
#pragma once

#include <algorithm>
#include <span>
#include <string>
#include <vector>

#include "core/files/safetensors_header.hpp"
#include "parsimony/core/safetensors.hpp"

namespace parsimony::quant {

/// A file with copies of the tensors, whose names differ.
inline SafetensorsFile safetensors_in_memory(std::span<const TensorView> tensors, const std::string& name) {
  std::vector<const TensorView*> order;
  for (const TensorView& tensor : tensors) order.push_back(&tensor);
  std::sort(order.begin(), order.end(),
            [](const TensorView* a, const TensorView* b) { return stored_before(*a, *b); });
  std::string bytes = safetensors_header(std::vector<const TensorInfo*>(order.begin(), order.end()), {});
  for (const TensorView* tensor : order) {
    bytes.append(reinterpret_cast<const char*>(tensor->data.data()), tensor->data.size());
  }
  return {std::move(bytes), name};
}

}  // namespace parsimony::quant
