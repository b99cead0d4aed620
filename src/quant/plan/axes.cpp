#include "quant/plan/axes.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <string_view>

#include "core/count_of.hpp"
#include "core/name_pattern.hpp"
#include "parsimony/core/error.hpp"
#include "quant/plan/rule_text.hpp"

namespace parsimony::quant {
namespace {

// The axes with these outputs. Where they come last, the channels come just before them, as in kernels of
// TensorFlow and JAX.
WeightAxes axes_with(std::vector<int> outputs, int dimensions) {
  WeightAxes axes;
  for (int d = 0; d < dimensions; ++d) {
    if (std::find(outputs.begin(), outputs.end(), d) == outputs.end()) axes.inputs.push_back(d);
  }
  if (outputs.back() == dimensions - 1 && outputs.size() == 1) {
    std::rotate(axes.inputs.begin(), axes.inputs.end() - 1, axes.inputs.end());
  }
  axes.outputs = std::move(outputs);
  if (axes.outputs == std::vector<int>{0}) return {};
  return axes;
}

// The error of one scale for each output, up to a factor: Σ of the squares of their largest values.
double scale_cost(std::span<const float> values, std::span<const std::int64_t> shape,
                  const WeightAxes& axes) {
  const std::vector<float> coded = to_coded_order(values, shape, axes);
  const std::int64_t outputs = coded_shape(shape, axes)[0], n = std::ssize(coded) / outputs;
  double cost = 0;
  for (std::int64_t o = 0; o < outputs; ++o) {
    double largest = 0;
    for (std::int64_t i = o * n; i < (o + 1) * n; ++i) {
      largest = std::max(largest, static_cast<double>(std::abs(coded[i])));
    }
    cost += largest * largest;
  }
  return cost * static_cast<double>(n);
}

bool has_gpt2_name(std::string_view name) {
  return name.ends_with("c_attn.weight") || name.ends_with("c_fc.weight") || name.ends_with("c_proj.weight");
}

std::vector<int> parse_outputs(const std::string& text) {
  std::vector<int> outputs;
  bool valid = text.size() % 2 == 1;  // digits at even places, + between them
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool digit = text[i] >= '0' && text[i] <= '4';
    valid = valid && (i % 2 == 0 ? digit : text[i] == '+');
    if (digit) outputs.push_back(text[i] - '0');
  }
  if (!valid) {
    refuse(
        fmt::format("axis: '{}'; must be auto, a dimension from 0 to 4, or several with + between them: "
                    "0+1 for stacked matrices",
                    text));
  }
  return outputs;
}

}  // namespace

TensorInfo coded_info(const TensorInfo& weight, const WeightAxes& axes) {
  return {weight.name, weight.dtype, coded_shape(weight.shape, axes)};
}

AxisRules::AxisRules(const CompressOptions& options, const ModelTensors& model) {
  for (const TextRule& rule : text_rules(options.axis)) {
    rules_.emplace_back(name_pattern("axis", rule.selector == "*" ? "" : rule.selector),
                        rule.word == "auto" ? std::vector<int>() : parse_outputs(rule.word));
  }
  for (const TensorView& tensor : model.tensors()) {
    if (tensor.shape.size() == 1) vectors_.emplace(tensor.name, tensor.shape[0]);
  }
  // Layers of the same names in other programs are nn.Linear. Their shapes tell, but for square ones.
  for (const TensorView& tensor : model.tensors()) {
    if (tensor.shape.size() != 2 || !has_gpt2_name(tensor.name)) continue;
    const std::int64_t rows = tensor.shape[0], columns = tensor.shape[1];
    const std::int64_t bias = bias_of(tensor.name);
    const bool attention = tensor.name.ends_with("c_attn.weight"), up = tensor.name.ends_with("c_fc.weight");
    const bool ratio = (attention && columns == 3 * rows) || (up && columns == 4 * rows);
    inputs_first_ = inputs_first_ || ratio || (bias == columns && bias != rows);
  }
}

std::int64_t AxisRules::bias_of(const std::string& name) const {
  constexpr std::string_view kEnding = "weight";
  if (!name.ends_with(kEnding)) return 0;
  const auto found = vectors_.find(name.substr(0, name.size() - kEnding.size()) + "bias");
  return found == vectors_.end() ? 0 : found->second;
}

WeightAxes AxisRules::axes_of(const TensorView& weight) const {
  const auto dimensions = static_cast<int>(weight.shape.size());
  for (const auto& [pattern, outputs] : rules_) {
    if (!std::regex_search(weight.name, pattern)) continue;
    if (outputs.empty()) break;
    const bool beyond = *std::max_element(outputs.begin(), outputs.end()) >= dimensions;
    if (beyond || static_cast<int>(outputs.size()) >= dimensions) {
      refuse(fmt::format("axis: dimensions {} are not outputs of {}, which has {}",
                         fmt::join(outputs, " and "), quoted_name(weight.name),
                         count_of(dimensions, "dimension")));
    }
    WeightAxes axes = axes_with(outputs, dimensions);
    coded_shape(weight.shape, axes);  // refuses a dimension that is there twice
    return axes;
  }
  return found_axes(weight);
}

WeightAxes AxisRules::found_axes(const TensorView& weight) const {
  const std::vector<std::int64_t>& shape = weight.shape;
  const auto dimensions = static_cast<int>(shape.size());
  const std::string& name = weight.name;
  if (name.ends_with("depthwise_kernel") && dimensions == 4) return axes_with({2, 3}, dimensions);
  if (name.ends_with("kernel")) return axes_with({dimensions - 1}, dimensions);
  if (dimensions == 2 && has_gpt2_name(name)) {
    return inputs_first_ ? axes_with({1}, dimensions) : WeightAxes{};
  }
  const std::int64_t bias = bias_of(name);
  if (bias > 0 && bias == shape[1] && bias != shape[0]) return axes_with({1}, dimensions);
  constexpr std::int64_t kLargestKernelSide = 11, kLeastSide = 64, kMostMatrices = 128;
  if (dimensions == 4 && shape[0] == shape[1] && shape[0] <= kLargestKernelSide && shape[2] > shape[0] &&
      shape[3] > kLargestKernelSide) {
    return axes_with({3}, dimensions);
  }
  const bool named = name.find("expert") != std::string::npos || name.find("moe") != std::string::npos;
  const bool large = dimensions == 3 && shape[1] >= kLeastSide && shape[2] >= kLeastSide;
  if (dimensions == 3 && bias == 0 && (named || (large && shape[0] <= kMostMatrices))) {
    const WeightAxes rows = axes_with({0, 1}, dimensions), columns = axes_with({0, 2}, dimensions);
    const std::vector<float> values = float32_values(weight);
    constexpr double kClearly = 0.95;
    return scale_cost(values, shape, columns) < kClearly * scale_cost(values, shape, rows) ? columns : rows;
  }
  return {};
}

}  // namespace parsimony::quant
