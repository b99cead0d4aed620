// Implements quantize_model of parsimony/quant/compress.hpp.
#include <utility>

#include "parsimony/core/error.hpp"
#include "parsimony/quant/compress.hpp"
#include "parsimony/quant/decode.hpp"
#include "quant/codes/weight_error.hpp"
#include "quant/plan/compress_weight.hpp"

namespace parsimony::quant {
namespace {

MeasuredCodes make_codes(const TensorView& tensor, const WeightRecipe& recipe,
                         std::span<const float> importance, const CompressOptions& options,
                         const Context& context) {
  const std::vector<float> values = float32_values(tensor);
  const WeightView view{.values = values, .shape = tensor.shape, .importance = importance};
  QuantizedTensor codes = quantize_weight(view, recipe, options, context);
  const WeightError error = weight_error(view, decode(codes, context));
  return {std::move(codes), error.error, error.norm};
}

}  // namespace

QuantizedModel quantize_model(const ModelTensors& model, CompressionPlan plan, const Context& context) {
  const std::size_t count = plan.recipe.weights.size();
  if (plan.importance.size() != count || plan.measured.size() != count) {
    refuse("plan: must have one importance and one place for measured codes for each weight");
  }
  QuantizedModel out;
  out.report = make_report("quantize", context, plan.options.seed);
  record_options(out.report, plan.options);
  StageTimer quantizing(out.report, "quantize");
  double error = 0;
  for (std::size_t w = 0; w < count; ++w) {
    context.check_cancelled();
    const WeightRecipe& recipe = plan.recipe.weights[w];
    const TensorView& tensor = model.at(recipe.name);
    MeasuredCodes codes = plan.measured[w]
                              ? std::move(*plan.measured[w])
                              : make_codes(tensor, recipe, plan.importance[w], plan.options, context);
    plan.importance[w] = std::vector<float>();  // may have been as large as the weight
    error += codes.error;
    out.relative_mse.push_back(WeightError{codes.error, codes.norm}.relative());
    out.model.weights.push_back(std::move(codes.tensor));
    context.progress("quantize", std::ssize(out.model.weights), static_cast<std::int64_t>(count));
  }
  quantizing.finish();
  for (const OtherRecipe& other : plan.recipe.others) out.model.others.push_back(model.at(other.name));
  if (model.file()) out.model.storage.push_back(*model.file());
  out.model.recipe = std::move(plan.recipe);
  out.report.figures.emplace_back("squared_error", error);
  return out;
}

}  // namespace parsimony::quant
