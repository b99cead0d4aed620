#include "quant/plan/calibration.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>

#include "parsimony/core/error.hpp"

namespace parsimony::quant {
namespace {

// E[x²] of each channel of an input: samples come first, channels last for 2-D weights and second otherwise.
std::vector<float> second_moments(const TensorView& input, std::size_t weight_dimensions) {
  const std::vector<float> values = float32_values(input);
  const std::size_t axis = weight_dimensions == 2 ? input.shape.size() - 1 : 1;
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

}  // namespace

std::vector<float> importance_of(const TensorInfo& weight,
                                 const std::optional<SafetensorsFile>& calibration) {
  if (!calibration) return {};
  constexpr std::string_view kEnding = "weight";
  std::string prefix = weight.name;
  if (prefix.ends_with(kEnding)) {
    prefix.resize(prefix.size() - kEnding.size());
  } else {
    prefix += '.';
  }
  std::vector<float> importance;
  bool per_value = false;  // a moment for each value of an output
  std::string name = prefix + "input_second_moment";
  const auto fail = [&](const std::string& what) {
    throw Error(ErrorCode::format,
                fmt::format("{}: tensor {}: {}", calibration->name(), quoted_name(name), what));
  };
  if (const TensorView* moments = calibration->find(name)) {
    importance = float32_values(*moments);
    per_value = std::ssize(importance) == weight.values() / weight.shape[0];
  } else {
    name = prefix + "input";
    const TensorView* input = calibration->find(name);
    if (input == nullptr) return {};
    if (input->shape.size() < 2 || input->values() == 0) fail("must have samples and channels");
    importance = second_moments(*input, weight.shape.size());
  }
  const std::int64_t channels = weight.shape[1], count = std::ssize(importance), groups = count / channels;
  const bool grouped = !per_value && weight.shape.size() > 2 && groups > 1 && count % channels == 0 &&
                       weight.shape[0] % groups == 0;
  if (!per_value && count != channels && !grouped) {
    fail(fmt::format("has {} channels; {} of shape ({}) has {}", importance.size(), quoted_name(weight.name),
                     fmt::join(weight.shape, ", "), channels));
  }
  bool any = false;
  for (const float value : importance) {
    if (!(value >= 0 && std::isfinite(value)))
      fail(fmt::format("a second moment is {}; must be finite and at least 0", value));
    any = any || value > 0;
  }
  if (!any) fail("all second moments are 0; at least one must be positive");
  return grouped ? spread_over_groups(importance, weight) : importance;
}

}  // namespace parsimony::quant
