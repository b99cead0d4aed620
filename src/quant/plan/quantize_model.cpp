// Implements quantize_model of parsimony/quant/compress.hpp.
#include <utility>

#include "core/files/safetensors_header.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/quant/compress.hpp"
#include "parsimony/quant/decode.hpp"
#include "quant/codes/weight_error.hpp"
#include "quant/plan/bias_correction.hpp"
#include "quant/plan/compress_weight.hpp"
#include "quant/plan/error_share.hpp"
#include "quant/plan/float_values.hpp"

namespace parsimony::quant {
namespace {

struct Codes {
  QuantizedTensor tensor;
  WeightError error;
};

Codes make_codes(const TensorView& tensor, const WeightRecipe& recipe, std::span<const float> importance,
                 const CompressOptions& options, const Context& context) {
  const FloatValues values(tensor, recipe.axes);
  const std::vector<std::int64_t> shape = coded_shape(tensor.shape, recipe.axes);
  const WeightView view{.values = values(), .shape = shape, .importance = importance};
  QuantizedTensor codes = quantize_weight(view, recipe, options, context);
  const WeightError error = weight_error(view, decode(codes, context));
  set_axes(codes, recipe);
  return {std::move(codes), error};
}

// A file in memory of one-dimensional tensors.
SafetensorsFile file_of(const Corrections& corrections) {
  std::vector<TensorInfo> infos;
  std::vector<const TensorInfo*> in_order;
  for (const auto& [name, values] : corrections)
    infos.push_back({name, DType::float32, {std::ssize(values)}});
  for (const TensorInfo& info : infos) in_order.push_back(&info);
  std::string bytes = safetensors_header(in_order, {});
  for (const auto& [name, values] : corrections) {
    bytes.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
  }
  return {std::move(bytes), "corrected means"};
}

void correct(const ModelTensors& model, const CompactRecipe& recipe, QuantizedModel& out,
             const Context& context) {
  const Corrections corrections = correct_biases(model, recipe, out.model.weights, context);
  out.report.figures.emplace_back("corrected_layers", std::ssize(corrections));
  if (corrections.empty()) {
    context.log(LogLevel::warning,
                "option bias_correction: found no batch norm whose inputs it knows; docs/quantizing.md lists "
                "the networks");
    return;
  }
  const SafetensorsFile corrected = file_of(corrections);
  for (TensorView& other : out.model.others) {
    if (const TensorView* tensor = corrected.find(other.name)) other.data = tensor->data;
  }
  out.model.storage.push_back(corrected);
}

}  // namespace

QuantizedModel quantize_model(const ModelTensors& model, CompressionPlan plan, const Context& context) {
  const std::size_t count = plan.recipe.weights.size();
  if (plan.importance.size() != count) refuse("plan: must have one importance for each weight");
  QuantizedModel out;
  out.report = make_report("quantize", context, plan.options.seed);
  record_options(out.report, plan.options);
  StageTimer quantizing(out.report, "quantize");
  double error = 0;
  for (std::size_t w = 0; w < count; ++w) {
    context.check_cancelled();
    const WeightRecipe& recipe = plan.recipe.weights[w];
    const TensorView& tensor = model.at(recipe.name);
    Codes codes = make_codes(tensor, recipe, plan.importance[w], plan.options, context);
    plan.importance[w] = std::vector<float>();  // may have been as large as the weight
    error += error_share(tensor) * codes.error.relative();
    out.relative_mse.push_back(codes.error.relative());
    out.model.weights.push_back(std::move(codes.tensor));
    context.progress("quantize", std::ssize(out.model.weights), static_cast<std::int64_t>(count));
  }
  quantizing.finish();
  for (const OtherRecipe& other : plan.recipe.others) out.model.others.push_back(model.at(other.name));
  if (model.file()) out.model.storage.push_back(*model.file());
  if (plan.options.bias_correction) correct(model, plan.recipe, out, context);
  out.model.recipe = std::move(plan.recipe);
  out.report.figures.emplace_back("budget_error", error);
  return out;
}

}  // namespace parsimony::quant
