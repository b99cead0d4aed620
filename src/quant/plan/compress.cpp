#include "parsimony/quant/compress.hpp"

#include "parsimony/quant/decode.hpp"
#include "quant/codes/weight_error.hpp"
#include "quant/plan/compress_weight.hpp"

namespace parsimony::quant {

Compression compress(const SafetensorsFile& model, const CompressionPlan& plan,
                     const CompressOptions& options, const SafetensorsFile* calibration,
                     const Context& context) {
  validate_fields(options);
  Compression out;
  out.report = make_report("quantize", context, options.seed);
  record_options(out.report, options);
  out.model.recipe = plan.recipe;
  out.model.storage.push_back(model);
  StageTimer quantizing(out.report, "quantize");
  double error = 0;
  for (const WeightRecipe& recipe : plan.recipe.weights) {
    context.check_cancelled();
    const TensorView& tensor = model.at(recipe.name);
    const std::vector<float> values = float32_values(tensor);
    const std::vector<float> importance = importance_of(tensor, calibration);
    const WeightView view{.values = values, .shape = tensor.shape, .importance = importance};
    out.model.weights.push_back(quantize_weight(view, recipe, options, context));
    const std::vector<float> decoded = decode(out.model.weights.back(), context);
    const WeightError of_weight = weight_error(view, decoded);
    out.relative_mse.push_back(of_weight.relative());
    error += of_weight.error;
    context.progress("quantize", std::ssize(out.model.weights), std::ssize(plan.recipe.weights));
  }
  quantizing.finish();
  for (const OtherRecipe& other : plan.recipe.others) out.model.others.push_back(model.at(other.name));
  out.report.figures.emplace_back("squared_error", error);
  return out;
}

}  // namespace parsimony::quant
