#include "quant/plan/bias_correction.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <numbers>
#include <optional>

#include "parsimony/quant/decode.hpp"
#include "quant/plan/float_values.hpp"

namespace parsimony::quant {
namespace {

double activate(double x, Activation activation) {
  switch (activation) {
    case Activation::relu:
      return std::max(x, 0.0);
    case Activation::relu6:
      return std::clamp(x, 0.0, 6.0);
    case Activation::silu:
      return x / (1 + std::exp(-x));
    default:
      return x;
  }
}

class Corrector {
 public:
  Corrector(const ModelTensors& model, const CompactRecipe& recipe,
            const std::vector<QuantizedTensor>& weights)
      : model_(model), recipe_(recipe), weights_(weights) {
    for (std::size_t w = 0; w < recipe.weights.size(); ++w) places_.emplace(recipe.weights[w].name, w);
  }

  Corrections run(const Context& context) {
    const std::vector<NormedLayer> layers = normed_layers(model_);
    for (const NormedLayer& layer : layers) {
      context.check_cancelled();
      if (layer.input >= 0 && moments_[layer.input]) correct(layer, moments_[layer.input]->mean, context);
      moments_.push_back(layer.batch_norm.empty() ? std::nullopt : output_of(layer));
    }
    return std::move(corrections_);
  }

 private:
  using Known = std::optional<ChannelMoments>;

  std::optional<std::vector<float>> values(const std::string& name) const {
    for (const TensorView& tensor : model_.tensors()) {
      if (tensor.name == name && has_float32_values(tensor.dtype)) return float32_values(tensor);
    }
    return std::nullopt;
  }

  // The moments after batch norm, what is added to it, and the activation.
  Known output_of(const NormedLayer& layer) const {
    const auto channels = static_cast<std::size_t>(model_.at(layer.weight).shape[0]);
    const auto gain = values(layer.batch_norm + "weight"), shift = values(layer.batch_norm + "bias");
    ChannelMoments out{std::vector<double>(channels), std::vector<double>(channels, 1)};
    if ((gain && gain->size() != channels) || (shift && shift->size() != channels)) return std::nullopt;
    for (std::size_t c = 0; c < channels; ++c) {
      if (shift) out.mean[c] = (*shift)[c];
      if (gain) out.variance[c] = static_cast<double>((*gain)[c]) * (*gain)[c];
    }
    if (layer.added != NormedLayer::kNothing) {
      if (layer.added < 0 || !moments_[layer.added]) return std::nullopt;
      const ChannelMoments& added = *moments_[layer.added];
      if (added.mean.size() > channels) return std::nullopt;
      // Fewer channels are padded with zeros at both ends, as in the first residual networks.
      const std::size_t first = (channels - added.mean.size()) / 2;
      for (std::size_t c = 0; c < added.mean.size(); ++c) {
        out.mean[first + c] += added.mean[c];
        out.variance[first + c] += added.variance[c];
      }
    }
    return activated(out, layer.activation);
  }

  void correct(const NormedLayer& layer, const std::vector<double>& means, const Context& context) {
    const auto place = places_.find(layer.weight);
    if (place == places_.end()) return;  // not in codes, or tied to a weight that is
    const std::string name = layer.batch_norm.empty()
                                 ? layer.weight.substr(0, layer.weight.size() - 6) + "bias"
                                 : layer.batch_norm + "running_mean";
    const auto stored = std::find_if(recipe_.others.begin(), recipe_.others.end(),
                                     [&](const OtherRecipe& other) { return other.name == name; });
    const bool tied = std::any_of(recipe_.aliases.begin(), recipe_.aliases.end(),
                                  [&](const auto& alias) { return alias.second == name; });
    if (stored == recipe_.others.end() || tied || stored->dtype != DType::float32) return;
    const TensorView& tensor = model_.at(layer.weight);
    const FloatValues before(tensor);
    const std::vector<float> after = decode(weights_[place->second], context);
    const std::int64_t outputs = tensor.shape[0], channels = tensor.shape[1];
    const std::int64_t n = std::ssize(after) / outputs, positions = n / channels, inputs = std::ssize(means);
    if (inputs % channels != 0 || outputs % (inputs / channels) != 0) return;
    const std::int64_t per_group = outputs / (inputs / channels);
    std::vector<float> corrected = float32_values(model_.at(name));
    if (std::ssize(corrected) != outputs) return;
    const double sign = layer.batch_norm.empty() ? -1 : 1;
    for (std::int64_t o = 0; o < outputs; ++o) {
      double shift = 0;
      for (std::int64_t i = 0; i < n; ++i) {
        const double apart = static_cast<double>(after[o * n + i]) - before()[o * n + i];
        shift += apart * means[o / per_group * channels + i / positions];
      }
      corrected[o] = static_cast<float>(corrected[o] + sign * shift);
    }
    corrections_.emplace_back(name, std::move(corrected));
  }

  const ModelTensors& model_;
  const CompactRecipe& recipe_;
  const std::vector<QuantizedTensor>& weights_;
  std::map<std::string, std::size_t, std::less<>> places_;
  std::vector<Known> moments_;  // outputs of the layers so far
  Corrections corrections_;
};

}  // namespace

ChannelMoments activated(const ChannelMoments& channels, Activation activation) {
  if (activation == Activation::none) return channels;
  constexpr int kPoints = 512;
  constexpr double kWidest = 6;  // deviations
  std::vector<double> at(kPoints), density(kPoints);
  double total = 0;
  for (int i = 0; i < kPoints; ++i) {
    at[i] = kWidest * ((2 * i + 1) / static_cast<double>(kPoints) - 1);
    density[i] = std::exp(-at[i] * at[i] / 2);
    total += density[i];
  }
  ChannelMoments out;
  for (std::size_t c = 0; c < channels.mean.size(); ++c) {
    const double deviation = std::sqrt(channels.variance[c]);
    double first = 0, second = 0;
    for (int i = 0; i < kPoints; ++i) {
      const double y = activate(channels.mean[c] + deviation * at[i], activation);
      first += density[i] * y;
      second += density[i] * y * y;
    }
    first /= total;
    out.mean.push_back(first);
    out.variance.push_back(std::max(0.0, second / total - first * first));
  }
  return out;
}

Corrections correct_biases(const ModelTensors& model, const CompactRecipe& recipe,
                           const std::vector<QuantizedTensor>& weights, const Context& context) {
  return Corrector(model, recipe, weights).run(context);
}

}  // namespace parsimony::quant
