#include "train/named_tensors.hpp"

#include <algorithm>

namespace parsimony::train {

std::vector<NamedTensor> named_tensors(const torch::nn::Module& model) {
  std::vector<NamedTensor> out;
  const auto add = [&](const std::string& name, const torch::Tensor& tensor, bool buffer) {
    if (!tensor.defined()) return;
    const auto same =
        std::find_if(out.begin(), out.end(), [&](const NamedTensor& e) { return e.tensor.is_same(tensor); });
    if (same != out.end()) {
      same->names.push_back(name);
    } else {
      out.push_back({{name}, tensor, buffer});
    }
  };
  for (const auto& item : model.named_parameters()) add(item.key(), item.value(), false);
  for (const auto& item : model.named_buffers()) add(item.key(), item.value(), true);
  return out;
}

}  // namespace parsimony::train
