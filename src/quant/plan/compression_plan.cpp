#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <regex>
#include <set>
#include <unordered_map>

#include "core/name_pattern.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/quant/decode.hpp"
#include "quant/codes/check_weight.hpp"
#include "quant/codes/weight_error.hpp"
#include "quant/plan/budget.hpp"
#include "quant/plan/compress_weight.hpp"

namespace parsimony::quant {
namespace {

// Regular expressions recurse with the length of a text: they see so much of a name.
constexpr std::size_t kLongestName = 1024;
constexpr std::int64_t kMeasuredValues = std::int64_t{1} << 22;

std::optional<std::regex> expression(const char* option, const std::string& text) {
  if (text.empty()) return std::nullopt;
  return name_pattern(option, text);
}

// Of a tensor in the header, about, beside its name.
constexpr std::int64_t kEntry = 62;

std::int64_t file_bytes(const WeightRecipe& weight) {
  std::int64_t bytes = std::ssize(weight.name) + 5;  // in the recipe
  for (const TensorInfo& tensor : stored_tensors({.weights = {weight}})) {
    bytes += tensor.bytes() + std::ssize(tensor.name) + kEntry;
  }
  return bytes;
}

// Equal constants (norms that were never trained, counters) are not tied.
bool constant(const TensorView& tensor) {
  const auto width = static_cast<std::size_t>(std::max(1, bits_of(tensor.dtype) / 8));
  return tensor.data.size() <= width || std::equal(tensor.data.begin() + static_cast<std::ptrdiff_t>(width),
                                                   tensor.data.end(), tensor.data.begin());
}

int bits_of(CompressionScheme scheme) {
  switch (scheme) {
    case CompressionScheme::int4:
      return 4;
    case CompressionScheme::int3:
      return 3;
    case CompressionScheme::int2:
      return 2;
    default:
      return 8;
  }
}

std::int64_t positions_of(const TensorInfo& weight) {
  return weight.values() / weight.shape[0] / weight.shape[1];
}

std::int64_t default_block(const TensorInfo& weight) {
  constexpr std::int64_t kLargestKernel = 32;
  if (weight.shape.size() == 2) return 8;
  const std::int64_t positions = positions_of(weight);
  return positions == 1 ? 4 : positions <= kLargestKernel ? positions : 8;
}

WeightRecipe without_budget(const TensorInfo& weight, const WeightRange& range,
                            const CompressOptions& options) {
  if (options.scheme != CompressionScheme::pq)
    return integer_recipe(weight, bits_of(options.scheme), range, options);
  const WeightRecipe product =
      product_recipe(weight, options.block_size > 0 ? options.block_size : default_block(weight),
                     options.centroids, options.layout, range, options);
  const WeightRecipe integer = integer_recipe(weight, 8, range, options);
  return file_bytes(product) > file_bytes(integer) ? integer : product;
}

// Products that take more than int8 have no place among them.
std::vector<WeightRecipe> candidates_of(const TensorInfo& weight, const WeightRange& range,
                                        const CompressOptions& options) {
  std::vector<WeightRecipe> out;
  if (options.scheme == CompressionScheme::automatic) {
    for (int bits = 2; bits <= 8; ++bits) out.push_back(integer_recipe(weight, bits, range, options));
  }
  const WeightRecipe int8 = integer_recipe(weight, 8, range, options);
  const std::int64_t most = file_bytes(int8);
  std::set<std::pair<BlockLayout, std::int64_t>> tried;  // blocks longer than an output all come to one
  const auto add = [&](std::int64_t block, BlockLayout layout) {
    std::int64_t last = 0;
    const WeightRecipe first = product_recipe(weight, block, 1, layout, range, options);
    if (!tried.emplace(first.layout, first.block_size).second) return;
    for (const std::int64_t centroids : {16, 64, 256, 1024}) {
      WeightRecipe recipe = product_recipe(weight, block, centroids, layout, range, options);
      if (recipe.centroids == last) continue;  // as many as there may be
      last = recipe.centroids;
      if (file_bytes(recipe) <= most) out.push_back(std::move(recipe));
    }
  };
  const std::int64_t positions = positions_of(weight);
  if (positions == 1) {
    for (const std::int64_t block : {2, 4, 8, 16}) add(block, BlockLayout::row);
  } else {
    add(default_block(weight), BlockLayout::row);
    if (weight.shape[1] > 1) {
      for (const std::int64_t block : {2, 4, 8}) add(block, BlockLayout::input_channels);
    }
  }
  if (out.empty()) out.push_back(int8);
  return out;
}

// Σ a (w − ŵ)² of the weight in codes; of a large one by every so manieth output.
double measured_error(const TensorView& weight, const WeightRecipe& recipe, std::span<const float> importance,
                      const CompressOptions& options, const Context& context, std::span<const float> values) {
  const std::int64_t outputs = weight.shape[0], n = std::ssize(values) / outputs;
  const std::int64_t step = std::max<std::int64_t>(1, std::ssize(values) / kMeasuredValues);
  std::vector<std::int64_t> shape = weight.shape;
  std::vector<float> part, part_importance;
  if (step > 1) {
    const auto part_of = [&](std::span<const float> all) {
      std::vector<float> out;
      for (std::int64_t o = 0; o < outputs; o += step) {
        out.insert(out.end(), all.begin() + o * n, all.begin() + (o + 1) * n);
      }
      return out;
    };
    shape[0] = (outputs + step - 1) / step;
    part = part_of(values);
    if (importance.size() == values.size()) importance = part_importance = part_of(importance);
    values = part;
  }
  const WeightView view{.values = values, .shape = shape, .importance = importance};
  const std::vector<float> decoded = decode(quantize_weight(view, recipe, options, context), context);
  return weight_error(view, decoded).error * static_cast<double>(outputs) / static_cast<double>(shape[0]);
}

class Planner {
 public:
  Planner(const SafetensorsFile& model, const CompressOptions& options, const LayerFilter& filter,
          const SafetensorsFile* calibration, const Context& context)
      : model_(model),
        options_(options),
        layers_(expression("layers", filter.layers)),
        exclude_(expression("exclude", filter.exclude)),
        calibration_(calibration),
        context_(context) {}

  CompressionPlan plan() {
    for (const auto& [key, value] : model_.metadata()) plan_.recipe.metadata.emplace(key, value);
    plan_.recipe.deflated = options_.deflate_header;
    for (const TensorView& tensor : model_.tensors()) {
      context_.check_cancelled();
      if (auto reason = reason_to_leave(tensor)) {
        leave(tensor, std::move(*reason));
      } else {
        take(tensor);
      }
    }
    check_names();
    if (options_.budget > 0) spend_budget();
    return std::move(plan_);
  }

 private:
  using ByContent = std::unordered_map<std::size_t, std::vector<const TensorView*>>;
  struct Reason {
    std::string text;
    bool expected = true;
  };

  std::optional<Reason> reason_to_leave(const TensorView& tensor) const {
    const std::string name = tensor.name.substr(0, kLongestName);
    const std::size_t dimensions = tensor.shape.size();
    if (exclude_ && std::regex_search(name, *exclude_)) return Reason{"excluded"};
    if (dimensions < 2) return Reason{dimensions == 1 ? "one dimension" : "a single value"};
    if (layers_ && !std::regex_search(name, *layers_)) return Reason{"not among the layers asked for"};
    if (!has_float32_values(tensor.dtype)) {
      const bool floats = enum_name(tensor.dtype).find('F') != std::string_view::npos;
      return Reason{fmt::format("dtype {}; codes are made of F32, F16 and BF16", enum_name(tensor.dtype)),
                    !floats};
    }
    if (name.size() < tensor.name.size()) {
      return Reason{
          fmt::format("its name has {} bytes; must have at most {}", tensor.name.size(), kLongestName),
          false};
    }
    if (dimensions > 5)
      return Reason{fmt::format("{} dimensions; codes are made of 2 to 5", dimensions), false};
    if (!layers_ && !name.ends_with("weight")) {
      return Reason{"its name does not end in weight, and it is not among the layers asked for", false};
    }
    if (tensor.values() == 0) return Reason{"empty"};
    if (tensor.values() > kMostValues) return Reason{"too large", false};
    return std::nullopt;
  }

  void leave(const TensorView& tensor, Reason reason) {
    plan_.left_alone.push_back({tensor.name, std::move(reason.text), reason.expected});
    if (!constant(tensor) && tie(tensor, others_)) return;
    OtherRecipe other{tensor, tensor.dtype};
    if (options_.half && tensor.dtype == DType::float32 && fits_half(float32_values(tensor))) {
      other.stored_dtype = DType::float16;
    }
    plan_.recipe.others.push_back(std::move(other));
  }

  void take(const TensorView& tensor) {
    const std::vector<float> values = float32_values(tensor);
    const WeightRange range = range_of(values, tensor.shape[0]);
    if (!range.usable) {
      leave(tensor, {"holds values that are not finite or above 1e15", false});
      return;
    }
    WeightRecipe recipe = without_budget(tensor, range, options_);
    const std::int64_t codes = file_bytes(recipe);
    const std::int64_t floats = tensor.bytes() + std::ssize(tensor.name) + kEntry;
    if (codes >= floats) {
      leave(tensor,
            {fmt::format("too small: with what belongs to them, codes would take {} bytes instead of {}",
                         codes, floats),
             false});
      return;
    }
    if (!range.constant && tie(tensor, weights_)) return;
    if (options_.budget > 0) {
      std::vector<WeightRecipe> candidates = candidates_of(tensor, range, options_);
      candidates_.push_back(std::move(candidates));
    }
    plan_.recipe.weights.push_back(std::move(recipe));
  }

  // To one before it of the same bytes. What is left alone stays as it is, so that the two kinds do not mix.
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

  // What belongs to a weight is named after it, as another tensor of the model may be.
  void check_names() const {
    std::set<std::string_view> names;
    for (const OtherRecipe& other : plan_.recipe.others) names.insert(other.name);
    for (const auto& [alias, target] : plan_.recipe.aliases) names.insert(alias);
    const auto check = [&](const WeightRecipe& weight) {
      for (const TensorInfo& tensor : stored_tensors({.weights = {weight}})) {
        if (!names.contains(tensor.name)) continue;
        std::string part = tensor.name.substr(weight.name.size() + 1);
        std::replace(part.begin(), part.end(), '_', ' ');
        throw Error(ErrorCode::format,
                    fmt::format("{}: {} is also the name of the {} of {}, which option exclude leaves alone",
                                model_.name(), quoted_name(tensor.name), part, quoted_name(weight.name)));
      }
    };
    for (const WeightRecipe& weight : plan_.recipe.weights) check(weight);
    for (const auto& candidates : candidates_) std::for_each(candidates.begin(), candidates.end(), check);
  }

  void spend_budget() {
    auto& weights = plan_.recipe.weights;
    const auto apply = [&](const Choices& choices) {
      for (std::size_t w = 0; w < weights.size(); ++w) weights[w] = candidates_[w][choices[w]];
    };
    const auto size = [&](const Choices& choices) {
      apply(choices);
      return planned_size(plan_.recipe);
    };
    std::vector<std::vector<Candidate>> measured(weights.size());
    for (std::size_t w = 0; w < weights.size(); ++w) {
      for (const WeightRecipe& recipe : candidates_[w]) measured[w].push_back({0, file_bytes(recipe)});
    }
    choose_under_budget(measured, options_.budget, size);  // a budget below the least is refused at once
    for (std::size_t w = 0; w < weights.size(); ++w) {
      const TensorView& tensor = model_.at(weights[w].name);
      const std::vector<float> values = float32_values(tensor);
      const std::vector<float> importance = importance_of(tensor, calibration_);
      for (std::size_t c = 0; c < candidates_[w].size(); ++c) {
        context_.check_cancelled();
        measured[w][c].error =
            measured_error(tensor, candidates_[w][c], importance, options_, context_, values);
      }
      context_.progress("measure", static_cast<std::int64_t>(w) + 1, std::ssize(weights));
    }
    apply(choose_under_budget(measured, options_.budget, size));
  }

  const SafetensorsFile& model_;
  const CompressOptions& options_;
  std::optional<std::regex> layers_, exclude_;
  const SafetensorsFile* calibration_;
  const Context& context_;
  CompressionPlan plan_;
  std::vector<std::vector<WeightRecipe>> candidates_;  // of each weight, with a budget
  ByContent weights_, others_;
};

}  // namespace

CompressionPlan plan_compression(const SafetensorsFile& model, const CompressOptions& options,
                                 const LayerFilter& filter, const SafetensorsFile* calibration,
                                 const Context& context) {
  validate_fields(options);
  if (is_compact_file(model)) {
    throw Error(
        ErrorCode::format,
        fmt::format("{}: is a compact file already; decompress it to compress it anew", model.name()));
  }
  const bool products =
      options.scheme == CompressionScheme::automatic || options.scheme == CompressionScheme::pq;
  if (options.scheme == CompressionScheme::automatic && options.budget == 0) {
    refuse("scheme: auto chooses under a budget, which must be given");
  }
  if (!products && options.budget > 0) {
    refuse(fmt::format("budget: scheme {} leaves nothing to choose; must be auto or pq",
                       enum_name(options.scheme)));
  }
  CompressionPlan plan = Planner(model, options, filter, calibration, context).plan();
  if (calibration != nullptr) {
    const auto fits = [&](const WeightRecipe& weight) {
      return !importance_of(model.at(weight.name), calibration).empty();
    };
    if (std::none_of(plan.recipe.weights.begin(), plan.recipe.weights.end(), fits)) {
      throw Error(ErrorCode::format,
                  fmt::format("{}: has no input or input_second_moment of any weight of {}",
                              calibration->name(), model.name()));
    }
  }
  return plan;
}

}  // namespace parsimony::quant
