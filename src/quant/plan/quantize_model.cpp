// Implements quantize_model of parsimony/quant/compress.hpp.
#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/count_of.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/quant/compress.hpp"
#include "parsimony/quant/decode.hpp"
#include "quant/codes/error_feedback.hpp"
#include "quant/codes/weight_error.hpp"
#include "quant/file/compact_recipe.hpp"
#include "quant/file/memory_file.hpp"
#include "quant/plan/batch_norm_fold.hpp"
#include "quant/plan/bias_correction.hpp"
#include "quant/plan/calibration.hpp"
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
                 const std::optional<ErrorFeedback>& feedback, const CompressOptions& options,
                 const Context& context) {
  const FloatValues values(tensor, recipe.axes);
  const std::vector<std::int64_t> shape = coded_shape(tensor.shape, recipe.axes);
  const WeightView view{.values = values(), .shape = shape, .importance = importance};
  QuantizedTensor codes = quantize_weight(view, recipe, options, context);
  if (feedback) feedback->apply(view, codes, context);
  const WeightError error = weight_error(view, decode(codes, context));
  set_axes(codes, recipe);
  return {std::move(codes), error};
}

void tell_feedback(std::int64_t layers, QuantizedModel& out, const Context& context) {
  out.report.figures.emplace_back("fed_back_layers", layers);
  if (layers > 0) return;
  context.log(
      LogLevel::warning,
      "option feedback: changed no layer; it needs samples m.input of linear layers or of convolutions "
      "with kernels of one value, in integers or levels");
}

// Tensors of one dimension that take the place of the model's, by name.
using Replacements = std::map<std::string, std::vector<float>, std::less<>>;

void correct(const ModelTensors& model, const CompactRecipe& recipe, QuantizedModel& out,
             Replacements& replacements, const Context& context) {
  const Corrections corrections = correct_biases(model, recipe, out.model.weights, context);
  out.report.figures.emplace_back("corrected_layers", std::ssize(corrections));
  if (corrections.empty()) {
    context.log(LogLevel::warning,
                "option bias_correction: found no batch norm whose inputs it knows; docs/quantizing.md lists "
                "the networks");
  }
  replacements.insert(corrections.begin(), corrections.end());
}

// With the corrected means where there are some.
void fold(const ModelTensors& model, const CompactRecipe& recipe, double epsilon, QuantizedModel& out,
          Replacements& replacements) {
  std::map<std::string_view, DType> stored;
  for (const OtherRecipe& other : recipe.others) stored.emplace(other.name, other.stored_dtype);
  std::int64_t norms = 0;
  for (const OtherRecipe& other : recipe.others) {
    if (!other.implied || !other.name.ends_with(kRunningMean)) continue;
    const std::string name = other.name.substr(0, other.name.size() - kRunningMean.size());
    BatchNorm norm = batch_norm(model, name);
    const auto take = [&](std::string_view part, std::vector<float>& values) {
      const auto corrected = replacements.find(name + std::string(part));
      if (corrected != replacements.end()) values = corrected->second;
    };
    take(kRunningMean, norm.mean);
    take(kRunningVariance, norm.variance);
    norm = folded(norm, epsilon, stored.at(name + ".weight") == DType::float16);
    replacements.insert_or_assign(name + ".weight", std::move(norm.weight));
    replacements.insert_or_assign(name + ".bias", std::move(norm.bias));
    replacements.insert_or_assign(name + std::string(kRunningMean), std::move(norm.mean));
    replacements.insert_or_assign(name + std::string(kRunningVariance), std::move(norm.variance));
    ++norms;
  }
  out.report.figures.emplace_back("folded_norms", norms);
}

void check_replaceable(const std::string& name, const std::vector<float>& values, const CompactModel& model) {
  const auto other = std::find_if(model.others.begin(), model.others.end(),
                                  [&](const TensorView& tensor) { return tensor.name == name; });
  const bool shared = std::any_of(model.recipe.aliases.begin(), model.recipe.aliases.end(),
                                  [&](const auto& alias) { return alias.second == name; });
  if (other != model.others.end() && !shared && other->dtype == DType::float32 &&
      other->values() == std::ssize(values)) {
    return;
  }
  refuse(fmt::format("correct: {} is not a float32 tensor of {} that is stored alone, not in codes",
                     quoted_name(name), count_of(values.size(), "value")));
}

void replace(const Replacements& replacements, CompactModel& model) {
  if (replacements.empty()) return;
  std::vector<TensorView> views;
  for (const auto& [name, values] : replacements) {
    views.push_back({{name, DType::float32, {std::ssize(values)}},
                     {reinterpret_cast<const std::uint8_t*>(values.data()), values.size() * sizeof(float)}});
  }
  const SafetensorsFile replaced = safetensors_in_memory(views, "corrected and folded batch norms");
  for (TensorView& other : model.others) {
    if (const TensorView* tensor = replaced.find(other.name)) other.data = tensor->data;
  }
  model.storage.push_back(replaced);
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
  std::int64_t fed_back = 0;
  for (std::size_t w = 0; w < count; ++w) {
    context.check_cancelled();
    const WeightRecipe& recipe = plan.recipe.weights[w];
    const TensorView& tensor = model.at(recipe.name);
    const bool integers = recipe.scheme == Scheme::integer;
    const std::optional<ErrorFeedback> feedback =
        integers ? feedback_of(plan.recipe, w, model, plan.options, context) : std::nullopt;
    if (feedback) ++fed_back;
    Codes codes = make_codes(tensor, recipe, plan.importance[w], feedback, plan.options, context);
    plan.importance[w] = std::vector<float>();  // may have been as large as the weight
    error += error_share(tensor) * codes.error.relative();
    out.relative_mse.push_back(codes.error.relative());
    out.model.weights.push_back(std::move(codes.tensor));
    context.progress("quantize", std::ssize(out.model.weights), static_cast<std::int64_t>(count));
  }
  quantizing.finish();
  if (plan.options.feedback) tell_feedback(fed_back, out, context);
  for (const OtherRecipe& other : plan.recipe.others) out.model.others.push_back(model.at(other.name));
  if (model.file()) out.model.storage.push_back(*model.file());
  Replacements replacements;
  if (plan.options.bias_correction) correct(model, plan.recipe, out, replacements, context);
  out.model.recipe = std::move(plan.recipe);
  if (plan.options.correct) {
    const StageTimer correcting(out.report, "correct");
    for (auto& [name, values] : plan.options.correct(out.model)) {
      check_replaceable(name, values, out.model);
      replacements.insert_or_assign(name, std::move(values));
    }
  }
  if (plan.options.fold_batch_norm) {
    fold(model, out.model.recipe, epsilon_of(plan.options), out, replacements);
  }
  replace(replacements, out.model);
  out.report.figures.emplace_back("budget_error", error);
  return out;
}

}  // namespace parsimony::quant
