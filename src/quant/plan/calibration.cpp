#include "quant/plan/calibration.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <set>
#include <string_view>
#include <utility>

#include "core/count_of.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/core/nearest_name.hpp"
#include "quant/plan/axes.hpp"

namespace parsimony::quant {
namespace {

// Samples come first, channels last for 2-D weights and second otherwise.
std::size_t channel_axis(const TensorInfo& input, std::size_t weight_dimensions) {
  return weight_dimensions == 2 ? input.shape.size() - 1 : 1;
}

// E[x²] of each channel of an input.
std::vector<float> second_moments(const TensorView& input, std::size_t weight_dimensions) {
  const std::vector<float> values = float32_values(input);
  const std::size_t axis = channel_axis(input, weight_dimensions);
  const auto channels = input.shape[axis];
  std::int64_t inner = 1;
  for (std::size_t i = axis + 1; i < input.shape.size(); ++i) inner *= input.shape[i];
  std::vector<double> sums(channels);
  for (std::int64_t i = 0; i < std::ssize(values); ++i) {
    sums[i / inner % channels] += static_cast<double>(values[i]) * values[i];
  }
  std::vector<float> moments(channels);
  const double count = static_cast<double>(values.size()) / static_cast<double>(channels);
  for (std::int64_t c = 0; c < channels; ++c) moments[c] = static_cast<float>(sums[c] / count);
  return moments;
}

// Moments of the channels of all groups, spread over the values of the weight: each output of a convolution
// in groups sees the channels of its own group only.
std::vector<float> spread_over_groups(const std::vector<float>& moments, const TensorInfo& weight) {
  const std::int64_t outputs = weight.shape[0], channels = weight.shape[1];
  const std::int64_t positions = weight.values() / outputs / channels;
  const std::int64_t per_group = outputs * channels / std::ssize(moments);
  std::vector<float> out;
  out.reserve(static_cast<std::size_t>(weight.values()));
  for (std::int64_t o = 0; o < outputs; ++o) {
    for (std::int64_t c = 0; c < channels; ++c) {
      out.insert(out.end(), static_cast<std::size_t>(positions), moments[o / per_group * channels + c]);
    }
  }
  return out;
}

// Moments of the inputs of a weight that has them first, as the Conv1D of GPT-2.
std::vector<float> spread_over_rows(const std::vector<float>& moments, const TensorInfo& weight) {
  std::vector<float> out;
  out.reserve(static_cast<std::size_t>(weight.values()));
  for (const float moment : moments) out.insert(out.end(), static_cast<std::size_t>(weight.shape[1]), moment);
  return out;
}

constexpr std::string_view kInput = "input", kMoments = "input_second_moment";

// "m." of m.weight and of any other name m.
std::string prefix_of(const std::string& weight) {
  constexpr std::string_view kEnding = "weight";
  return weight.ends_with(kEnding) ? weight.substr(0, weight.size() - kEnding.size()) : weight + '.';
}

std::string list(const std::vector<std::string>& names) {
  constexpr std::size_t kMost = 8;
  std::string text;
  for (std::size_t i = 0; i < std::min(kMost, names.size()); ++i) {
    text += (i == 0 ? "" : ", ") + quoted_name(names[i]);
  }
  return names.size() > kMost ? text + fmt::format(" and {} more", names.size() - kMost) : text;
}

// Embeddings look rows up: they have no input.
bool looks_like_embedding(const std::string& name) {
  for (const char* part : {"embed", "wte.", "wpe."}) {
    if (name.find(part) != std::string::npos) return true;
  }
  return false;
}

// Inputs of the calibration that belong to no tensor of the model, each with the name that was meant,
// perhaps.
std::vector<std::string> strays(const ModelTensors& model, const SafetensorsFile& calibration) {
  std::set<std::string> known;
  for (const TensorView& tensor : model.tensors()) {
    for (const std::string_view ending : {kInput, kMoments})
      known.insert(prefix_of(tensor.name) + std::string(ending));
  }
  std::vector<std::string> out;
  for (const TensorView& tensor : calibration.tensors()) {
    if (!known.contains(tensor.name)) out.push_back(tensor.name);
  }
  return out;
}

}  // namespace

LayerInputs inputs_of(const TensorInfo& weight, const SafetensorsFile& calibration) {
  const std::string prefix = prefix_of(weight.name);
  LayerInputs inputs;
  std::vector<float>& importance = inputs.importance;
  bool per_value = false;  // a moment for each value of an output
  std::string& name = inputs.found;
  const auto fail = [&](const std::string& what) {
    throw Error(ErrorCode::format,
                fmt::format("{}: tensor {}: {}", calibration.name(), quoted_name(name), what));
  };
  if (const TensorView* moments = calibration.find(prefix + std::string(kMoments))) {
    name = moments->name;
    importance = float32_values(*moments);
    per_value = std::ssize(importance) == weight.values() / weight.shape[0];
  } else if (const TensorView* input = calibration.find(prefix + std::string(kInput))) {
    name = input->name;
    if (input->shape.size() < 2 || input->values() == 0) fail("must have samples and channels");
    importance = second_moments(*input, weight.shape.size());
  } else {
    return {};
  }
  const std::int64_t channels = weight.shape[1], count = std::ssize(importance), groups = count / channels;
  const bool grouped = !per_value && weight.shape.size() > 2 && groups > 1 && count % channels == 0 &&
                       weight.shape[0] % groups == 0;
  const bool rows = weight.shape.size() == 2 && count == weight.shape[0];
  if (!per_value && count != channels && !grouped && !rows) {
    fail(fmt::format("has {}; {} of shape ({}) has {}", count_of(importance.size(), "channel"),
                     quoted_name(weight.name), fmt::join(weight.shape, ", "), channels));
  }
  for (const float value : importance) {
    if (!(value >= 0 && std::isfinite(value)))
      fail(fmt::format("a second moment is {}; must be finite and at least 0", value));
  }
  const TensorView* samples = calibration.find(prefix + std::string(kInput));
  if (samples != nullptr && samples->shape.size() >= 2 && weight.values() == weight.shape[0] * channels) {
    inputs.axis = channel_axis(*samples, weight.shape.size());
    if (samples->shape[inputs.axis] == channels && samples->values() > 0) inputs.samples = samples;
  }
  if (std::all_of(importance.begin(), importance.end(), [](float value) { return value == 0; })) {
    inputs.dead = true;
    inputs.samples = nullptr;
    importance.clear();
  } else if (!per_value && count != channels) {
    importance = grouped ? spread_over_groups(importance, weight) : spread_over_rows(importance, weight);
  }
  return inputs;
}

LayerInputs inputs_of(const CompactRecipe& recipe, std::size_t w, const ModelTensors& model,
                      const SafetensorsFile& calibration) {
  TensorInfo weight = coded_info(model.at(recipe.weights[w].name), recipe.weights[w].axes);
  LayerInputs inputs = inputs_of(weight, calibration);
  for (const auto& [alias, target] : recipe.aliases) {
    if (!inputs.found.empty() || target != recipe.weights[w].name) continue;
    weight.name = alias;
    inputs = inputs_of(weight, calibration);
  }
  return inputs;
}

std::optional<ErrorFeedback> feedback_of(const CompactRecipe& recipe, std::size_t w,
                                         const ModelTensors& model, const CompressOptions& options,
                                         const Context& context) {
  if (!options.feedback || !options.calibration) return {};
  const LayerInputs inputs = inputs_of(recipe, w, model, *options.calibration);
  if (inputs.samples == nullptr || inputs.samples->shape[inputs.axis] > kMostFeedbackInputs) return {};
  return ErrorFeedback(input_moments(*inputs.samples, inputs.axis, context));
}

std::vector<std::vector<float>> importance_of_weights(const CompactRecipe& recipe, const ModelTensors& model,
                                                      const std::optional<SafetensorsFile>& calibration,
                                                      const Context& context) {
  std::vector<std::vector<float>> out(recipe.weights.size());
  if (!calibration) return out;
  std::vector<std::string> without, dead;
  std::size_t found = 0, embeddings = 0;
  for (std::size_t w = 0; w < recipe.weights.size(); ++w) {
    context.check_cancelled();
    LayerInputs inputs = inputs_of(recipe, w, model, *calibration);
    if (!inputs.found.empty()) {
      ++found;
      if (inputs.dead) dead.push_back(recipe.weights[w].name);
    } else if (looks_like_embedding(recipe.weights[w].name)) {
      ++embeddings;
    } else {
      without.push_back(recipe.weights[w].name);
    }
    out[w] = std::move(inputs.importance);
  }
  const std::vector<std::string> stray = strays(model, *calibration);
  if (found == 0) {
    throw Error(
        ErrorCode::format,
        fmt::format("{}: has no input or input_second_moment for any weight of {}{}", calibration->name(),
                    model.name(), stray.empty() ? "" : fmt::format(", but {}", list(stray))));
  }
  const auto warn = [&](const std::string& text) {
    context.log(LogLevel::warning, fmt::format("{}: {}", calibration->name(), text));
  };
  if (!without.empty()) {
    warn(fmt::format("has no inputs for {} of {}; errors of all their values count the same: {}",
                     without.size(), count_of(recipe.weights.size(), "weight"), list(without)));
  }
  if (embeddings > 0) {
    context.log(LogLevel::info, fmt::format("{}: {} embedding{} without inputs, as embeddings are",
                                            calibration->name(), embeddings, embeddings == 1 ? "" : "s"));
  }
  if (!dead.empty()) {
    warn(
        fmt::format("the inputs of {} are all 0, as of an expert that no sample reached; errors of all "
                    "values count the same there",
                    list(dead)));
  }
  if (!stray.empty()) {
    std::vector<std::string> expected;
    expected.reserve(without.size());
    for (const std::string& name : without) expected.push_back(prefix_of(name) + std::string(kInput));
    warn(fmt::format("{} tensor{} no weight of the model: {}{}", stray.size(),
                     stray.size() == 1 ? " belongs to" : "s belong to", list(stray),
                     nearest_name(stray.front(), expected)));
  }
  return out;
}

}  // namespace parsimony::quant
