#include "quant/plan/batch_norm_fold.hpp"

#include <algorithm>
#include <cmath>

#include "parsimony/core/half.hpp"
#include "quant/file/compact_recipe.hpp"

namespace parsimony::quant {
namespace {

const TensorView* tensor_of(const ModelTensors& model, const std::string& name) {
  const auto tensors = model.tensors();
  const auto found = std::lower_bound(tensors.begin(), tensors.end(), name,
                                      [](const TensorView& a, const std::string& b) { return a.name < b; });
  return found != tensors.end() && found->name == name ? &*found : nullptr;
}

bool usable(const BatchNorm& norm, double epsilon) {
  const auto finite = [](const std::vector<float>& values) {
    return std::all_of(values.begin(), values.end(), [](float value) { return std::isfinite(value); });
  };
  const BatchNorm made = folded(norm, epsilon, false);
  return finite(made.weight) && finite(made.bias) &&
         std::all_of(norm.variance.begin(), norm.variance.end(),
                     [&](float value) { return value + epsilon > 0; });
}

}  // namespace

std::vector<std::string> foldable_norms(const ModelTensors& model, double epsilon) {
  std::vector<std::string> names;
  for (const TensorView& mean : model.tensors()) {
    if (!mean.name.ends_with(kRunningMean) || mean.name.size() == kRunningMean.size()) continue;
    const std::string name = mean.name.substr(0, mean.name.size() - kRunningMean.size());
    const auto fits = [&](std::string_view ending) {
      const TensorView* tensor = tensor_of(model, name + std::string(ending));
      return tensor != nullptr && tensor->dtype == DType::float32 && tensor->shape == mean.shape;
    };
    const bool whole = mean.dtype == DType::float32 && mean.shape.size() == 1 && fits(".weight") &&
                       fits(".bias") && fits(kRunningVariance);
    if (whole && usable(batch_norm(model, name), epsilon)) names.push_back(name);
  }
  return names;
}

BatchNorm batch_norm(const ModelTensors& model, const std::string& name) {
  const auto values = [&](std::string_view ending) {
    return float32_values(model.at(name + std::string(ending)));
  };
  return {values(".weight"), values(".bias"), values(kRunningMean), values(kRunningVariance)};
}

BatchNorm folded(const BatchNorm& norm, double epsilon, bool half) {
  const std::size_t channels = norm.weight.size();
  BatchNorm out{std::vector<float>(channels), std::vector<float>(channels), std::vector<float>(channels, 0),
                std::vector<float>(channels, 1)};
  for (std::size_t c = 0; c < channels; ++c) {
    const auto weight =
        static_cast<float>(norm.weight[c] * std::sqrt((1 + epsilon) / (norm.variance[c] + epsilon)));
    out.weight[c] = half ? from_half(to_half(weight)) : weight;
    // Readers divide by √(1 + ε), which is not 1 exactly.
    out.bias[c] =
        static_cast<float>(norm.bias[c] - double{out.weight[c]} * norm.mean[c] / std::sqrt(1 + epsilon));
  }
  return out;
}

}  // namespace parsimony::quant
