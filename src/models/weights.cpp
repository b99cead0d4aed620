#include "parsimony/models/weights.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <torch/torch.h>

#include <algorithm>
#include <cstring>
#include <set>
#include <string>
#include <vector>

#include "parsimony/core/error.hpp"
#include "parsimony/core/safetensors.hpp"

namespace parsimony::models {
namespace {

struct Entry {
  std::vector<std::string> names;  // several of a tensor that is shared
  torch::Tensor tensor;
};

std::vector<Entry> entries(const torch::nn::Module& model) {
  std::vector<Entry> out;
  const auto add = [&](const std::string& name, const torch::Tensor& tensor) {
    if (!tensor.defined()) return;
    const auto same =
        std::find_if(out.begin(), out.end(), [&](const Entry& e) { return e.tensor.is_same(tensor); });
    if (same != out.end()) {
      same->names.push_back(name);
    } else {
      out.push_back({{name}, tensor});
    }
  };
  for (const auto& item : model.named_parameters()) add(item.key(), item.value());
  for (const auto& item : model.named_buffers()) add(item.key(), item.value());
  return out;
}

std::string shape_text(const std::vector<std::int64_t>& shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

bool may_be_missing(const std::string& name) {
  return name.ends_with("num_batches_tracked");
}

torch::Tensor from_file(const TensorView& view) {
  if (view.dtype == DType::int64) {
    torch::Tensor out = torch::empty(view.shape, torch::kLong);
    std::memcpy(out.data_ptr(), view.data.data(), view.data.size());
    return out;
  }
  std::vector<float> values = float32_values(view);
  return torch::from_blob(values.data(), view.shape, torch::kFloat).clone();
}

}  // namespace

void load_weights(torch::nn::Module& model, const std::filesystem::path& path) {
  const SafetensorsFile file(path);
  const auto fail = [&](const std::string& what) {
    throw Error(ErrorCode::format, fmt::format("{}: {}", file.name(), what));
  };
  std::vector<std::pair<torch::Tensor, torch::Tensor>> copies;
  std::set<std::string, std::less<>> known;
  for (const Entry& entry : entries(model)) {
    known.insert(entry.names.begin(), entry.names.end());
    const auto name = std::find_if(entry.names.begin(), entry.names.end(),
                                   [&](const std::string& n) { return file.find(n) != nullptr; });
    if (name == entry.names.end()) {
      if (may_be_missing(entry.names.front())) continue;
      fail(fmt::format("the model's tensor {} is missing", quoted_name(entry.names.front())));
    }
    const TensorView& view = file.at(*name);
    if (view.shape != entry.tensor.sizes().vec()) {
      fail(fmt::format("tensor {} has the shape {}; the model needs {}", quoted_name(*name),
                       shape_text(view.shape), shape_text(entry.tensor.sizes().vec())));
    }
    if (!has_float32_values(view.dtype) &&
        !(view.dtype == DType::int64 && entry.tensor.scalar_type() == torch::kLong)) {
      fail(fmt::format("tensor {} is {}, which the model cannot take", quoted_name(*name),
                       enum_name(view.dtype)));
    }
    copies.emplace_back(entry.tensor, from_file(view));
  }
  for (const TensorView& view : file.tensors()) {
    if (!known.contains(view.name)) fail(fmt::format("the model has no tensor {}", quoted_name(view.name)));
  }
  const torch::NoGradGuard no_gradient;
  for (auto& [to, from] : copies) to.copy_(from);
}

void save_weights(const torch::nn::Module& model, const std::filesystem::path& path) {
  std::vector<TensorView> views;
  std::vector<torch::Tensor> kept;  // what the views show
  for (const Entry& entry : entries(model)) {
    TensorView view;
    view.name = entry.names.front();
    view.shape = entry.tensor.sizes().vec();
    const bool whole = entry.tensor.scalar_type() == torch::kLong;
    view.dtype = whole ? DType::int64 : DType::float32;
    kept.push_back(entry.tensor.detach().to(torch::kCPU, whole ? torch::kLong : torch::kFloat).contiguous());
    view.data = {static_cast<const std::uint8_t*>(kept.back().data_ptr()), kept.back().nbytes()};
    views.push_back(std::move(view));
  }
  write_safetensors(path, views);
}

}  // namespace parsimony::models
