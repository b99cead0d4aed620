// Implements plan_compression of parsimony/quant/compress.hpp.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>

#include "core/count_of.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/quant/compress.hpp"
#include "quant/file/compact_recipe.hpp"
#include "quant/plan/axes.hpp"
#include "quant/plan/batch_norm_fold.hpp"
#include "quant/plan/budget.hpp"
#include "quant/plan/calibration.hpp"
#include "quant/plan/candidates.hpp"
#include "quant/plan/compress_weight.hpp"
#include "quant/plan/error_share.hpp"
#include "quant/plan/float_values.hpp"
#include "quant/plan/layer_filter.hpp"
#include "quant/plan/layer_scheme.hpp"
#include "quant/plan/measure.hpp"

namespace parsimony::quant {
namespace {

// Norms that were never trained and counters are equal constants. Training may change one of them alone, so
// they are not tied.
bool constant(const TensorView& tensor) {
  const auto width = static_cast<std::size_t>(std::max(1, bits_of(tensor.dtype) / 8));
  return tensor.data.size() <= width || std::equal(tensor.data.begin() + static_cast<std::ptrdiff_t>(width),
                                                   tensor.data.end(), tensor.data.begin());
}

// The epsilon of TensorFlow's batch norms, and of networks that were trained there; PyTorch's is 1e-5.
constexpr double kOtherEpsilon = 1e-3;

class Planner {
 public:
  Planner(const ModelTensors& model, const CompressOptions& options, const Context& context)
      : model_(model),
        filter_(options),
        axes_(options, model),
        roles_(roles_of_model()),
        options_(with_preset(options, roles_)),
        schemes_(options, roles_),
        context_(context) {}

  CompressionPlan plan() {
    check_budget();
    plan_.options = options_;
    for (const auto& [key, value] : model_.metadata()) plan_.recipe.metadata.emplace(key, value);
    plan_.recipe.deflated = options_.deflate_header;
    if (options_.fold_batch_norm) fold_batch_norms();
    for (const TensorView& tensor : model_.tensors()) {
      context_.check_cancelled();
      if (auto reason = filter_.reason_to_leave(tensor)) {
        leave(tensor, std::move(*reason));
      } else {
        take(tensor);
      }
    }
    if (!plan_.recipe.weights.empty() || !roles_.empty()) schemes_.check_all_used(context_);
    if (options_.strict) check_nothing_unexpected();
    check_names();
    if (options_.budget > 0) choose();  // refuses a budget below the least at once
    // May take long: after everything that refuses sooner.
    plan_.importance = importance_of_weights(plan_.recipe, model_, options_.calibration, context_);
    if (options_.calibration) options_.calibration->check_unchanged();
    if (options_.budget > 0) spend_budget();
    return std::move(plan_);
  }

 private:
  using ByContent = std::unordered_map<std::size_t, std::vector<const TensorView*>>;

  std::set<Role> roles_of_model() const {
    std::set<Role> roles;
    for (const TensorView& tensor : model_.tensors()) {
      if (filter_.reason_to_leave(tensor)) continue;
      roles.insert(role_of(coded_info(tensor, axes_.axes_of(tensor))));
    }
    return roles;
  }

  void check_budget() const {
    const bool chosen =
        schemes_.any(LayerScheme::Kind::automatic) || schemes_.any(LayerScheme::Kind::product);
    if (options_.budget == 0 || chosen) return;
    refuse(fmt::format("scheme: {} leaves a budget nothing to choose; must be auto or pq with one",
                       options_.scheme));
  }

  void fold_batch_norms() {
    const std::vector<std::string> names = foldable_norms(model_, epsilon());
    const auto means = std::count_if(model_.tensors().begin(), model_.tensors().end(),
                                     [](const auto& tensor) { return tensor.name.ends_with(kRunningMean); });
    if (std::ssize(names) < means || means == 0) {
      context_.log(
          LogLevel::warning,
          fmt::format("option fold_batch_norm: folds {} of {} batch norms; the others lack F32 tensors "
                      "weight, bias, running_mean and running_var of one size and of finite values",
                      names.size(), means));
    }
    double most = 0;
    for (const std::string& name : names) {
      const BatchNorm norm = batch_norm(model_, name);
      const BatchNorm made = folded(norm, epsilon(), false);
      for (const float variance : norm.variance) most = std::max(most, other_epsilon(variance));
      const auto put = [&](std::string_view ending, const std::vector<float>* values) {
        OtherRecipe& other = folded_[name + std::string(ending)];
        other = {static_cast<const TensorInfo&>(model_.at(name + std::string(ending))), DType::float32};
        other.implied = values == nullptr;
        if (options_.half && values != nullptr && fits_half(*values)) other.stored_dtype = DType::float16;
      };
      put(".weight", &made.weight);
      put(".bias", &made.bias);
      put(kRunningMean, nullptr);
      put(kRunningVariance, nullptr);
    }
    constexpr double kNoticeable = 0.01;
    if (options_.batch_norm_epsilon > 0 || most <= kNoticeable) return;
    context_.log(
        LogLevel::warning,
        fmt::format("batch norms are folded for an epsilon of {:g}; if the network has {:g}, channels "
                    "are off by up to {:.0f} %; set option batch_norm_epsilon to that of the network",
                    epsilon(), kOtherEpsilon, 100 * most));
  }
  double epsilon() const { return epsilon_of(options_); }
  // The relative change of a channel by the other usual epsilon.
  double other_epsilon(double variance) const {
    return std::abs(1 - std::sqrt((variance + epsilon()) / (variance + kOtherEpsilon)));
  }

  void leave(const TensorView& tensor, LayerFilter::Reason reason) {
    plan_.left_alone.push_back({tensor.name, std::move(reason.text), reason.expected});
    if (const auto folded = folded_.find(tensor.name); folded != folded_.end()) {
      plan_.recipe.others.push_back(folded->second);
      return;
    }
    if (!constant(tensor) && tie(tensor, others_)) return;
    const TensorInfo& info = tensor;  // networks divide by the roots of variances, so that small ones matter
    OtherRecipe other{info, info.dtype};
    if (options_.half && tensor.dtype == DType::float32 &&
        fits_half(FloatValues(tensor)(), tensor.name.ends_with("running_var"))) {
      other.stored_dtype = DType::float16;
    }
    plan_.recipe.others.push_back(std::move(other));
  }

  void take(const TensorView& tensor) {
    const WeightAxes axes = axes_.axes_of(tensor);
    const TensorInfo coded = coded_info(tensor, axes);
    const LayerScheme scheme = schemes_.scheme_for(coded, role_of(coded));
    if (scheme.kind == LayerScheme::Kind::floats) return leave(tensor, {"left as floats by option scheme"});
    const WeightRange range = range_of(FloatValues(tensor, axes)(), coded.shape[0]);
    if (!range.usable) {
      leave(tensor, {"holds values that are not finite or above 1e15", false});
      return;
    }
    WeightRecipe recipe = with_axes(uniform_recipe(coded, range, scheme, options_), tensor, axes);
    const std::int64_t codes = file_bytes(recipe);
    const std::int64_t floats = tensor.bytes() + std::ssize(tensor.name) + kHeaderEntry;
    if (codes >= floats) {
      leave(tensor,
            {fmt::format("too small: codes, with their scales or codebook, would take {} instead of {}",
                         count_of(codes, "byte"), floats),
             false});
      return;
    }
    if (!range.constant && tie(tensor, weights_)) return;
    if (options_.budget > 0) {
      auto& points = points_.emplace_back();
      auto& candidates = candidates_.emplace_back(candidates_of(coded, range, scheme, options_));
      for (WeightRecipe& candidate : candidates) {
        candidate = with_axes(std::move(candidate), tensor, axes);
        points.push_back({0, file_bytes(candidate)});
      }
    }
    plan_.recipe.weights.push_back(std::move(recipe));
  }

  static WeightRecipe with_axes(WeightRecipe recipe, const TensorInfo& tensor, const WeightAxes& axes) {
    recipe.shape = tensor.shape;
    recipe.axes = axes;
    return recipe;
  }

  // Makes the tensor an alias of an earlier one of the same bytes. Weights and other tensors are never tied
  // to each other, since the others keep their floats.
  bool tie(const TensorView& tensor, ByContent& known) {
    const std::string_view bytes(reinterpret_cast<const char*>(tensor.data.data()), tensor.data.size());
    auto& same = known[std::hash<std::string_view>{}(bytes)];
    for (const TensorView* other : same) {
      const bool equal = other->dtype == tensor.dtype && other->shape == tensor.shape &&
                         std::equal(tensor.data.begin(), tensor.data.end(), other->data.begin());
      if (equal) {
        plan_.recipe.aliases.emplace(tensor.name, other->name);
        return true;
      }
    }
    same.push_back(&tensor);
    return false;
  }

  void check_nothing_unexpected() const {
    std::vector<const LeftAlone*> unexpected;
    for (const LeftAlone& left : plan_.left_alone) {
      if (!left.expected) unexpected.push_back(&left);
    }
    if (unexpected.empty()) return;
    throw Error(
        ErrorCode::unsupported,
        fmt::format("strict: {} tensor{} would be left alone, {} first: {}; option exclude leaves a tensor "
                    "alone on purpose",
                    unexpected.size(), unexpected.size() == 1 ? "" : "s",
                    quoted_name(unexpected.front()->name), unexpected.front()->reason));
  }

  // The tensors of a weight are named after it, and another tensor of the model may have such a name.
  void check_names() const {
    std::set<std::string_view> names;
    for (const OtherRecipe& other : plan_.recipe.others) names.insert(other.name);
    for (const auto& [alias, target] : plan_.recipe.aliases) names.insert(alias);
    const auto check = [&](const WeightRecipe& weight) {
      for (const TensorInfo& tensor : stored_tensors({.weights = {weight}})) {
        if (!names.contains(tensor.name)) continue;
        std::string part = tensor.name.substr(weight.name.size() + 1);
        std::replace(part.begin(), part.end(), '_', ' ');
        throw Error(
            ErrorCode::format,
            fmt::format("{}: {} is also the name of the {} of {}; option exclude leaves that weight alone",
                        model_.name(), quoted_name(tensor.name), part, quoted_name(weight.name)));
      }
    };
    for (const WeightRecipe& weight : plan_.recipe.weights) check(weight);
    for (const auto& candidates : candidates_) std::for_each(candidates.begin(), candidates.end(), check);
  }

  void apply(const Choices& choices) {
    auto& weights = plan_.recipe.weights;
    for (std::size_t w = 0; w < weights.size(); ++w) weights[w] = candidates_[w][choices[w]];
  }

  // Uses the errors that are known so far.
  Choices choose() {
    return choose_under_budget(points_, options_.budget, [&](const Choices& choices) {
      apply(choices);
      return planned_size(plan_.recipe);
    });
  }

  void spend_budget() {
    const std::int64_t weights = std::ssize(plan_.recipe.weights);
    for (std::int64_t w = 0; w < weights; ++w) {
      const TensorView& tensor = model_.at(plan_.recipe.weights[w].name);
      const WeightAxes& axes = plan_.recipe.weights[w].axes;
      const FloatValues values(tensor, axes);
      const std::vector<std::int64_t> shape = coded_shape(tensor.shape, axes);
      const std::optional<ErrorFeedback> feedback = feedback_of(plan_.recipe, w, model_, options_, context_);
      const std::vector<double> errors =
          estimate_errors({.values = values(), .shape = shape, .importance = plan_.importance[w]},
                          candidates_[w], options_, feedback ? &*feedback : nullptr, context_);
      for (std::size_t c = 0; c < errors.size(); ++c) points_[w][c].error = error_share(tensor) * errors[c];
      context_.progress("measure", w + 1, weights);
    }
    apply(choose());
  }

  const ModelTensors& model_;
  LayerFilter filter_;
  AxisRules axes_;
  std::set<Role> roles_;
  CompressOptions options_;
  SchemeRules schemes_;
  const Context& context_;
  CompressionPlan plan_;
  std::vector<std::vector<WeightRecipe>> candidates_;  // one list per weight; empty without a budget
  std::vector<std::vector<Candidate>> points_;         // their bytes and errors, which are 0 until measured
  ByContent weights_, others_;
  std::map<std::string, OtherRecipe, std::less<>> folded_;  // batch norms, by the names of their tensors
};

// Combinations that no field can refuse alone. A value that is the default says nothing and is always valid.
void check_options(const CompressOptions& options) {
  validate_fields(options);
  if (options.feedback && !options.calibration) {
    refuse("feedback: needs option calibration, a file with inputs m.input of the layers");
  }
  const bool budget = options.budget > 0;
  const bool products = options.scheme.find("pq") != std::string::npos || options.preset != Preset::none;
  if (products && !budget) return;
  const CompressOptions standard;
  const auto refuse_option = [&](const char* option) {
    refuse(fmt::format(
        "{}: {}", option,
        budget ? "not with option budget, which chooses it for each layer" : "only with scheme pq"));
  };
  if (options.block_size != standard.block_size) refuse_option("block_size");
  if (options.centroids != standard.centroids) refuse_option("centroids");
  if (options.layout != standard.layout) refuse_option("layout");
}

}  // namespace

CompressionPlan plan_compression(const ModelTensors& model, const CompressOptions& options,
                                 const Context& context) {
  check_options(options);
  if (has_compact_metadata(model.metadata())) {
    throw Error(ErrorCode::format,
                fmt::format("{}: is a compact file already; dequantize it before it is quantized anew",
                            model.name()));
  }
  return Planner(model, options, context).plan();
}

}  // namespace parsimony::quant
