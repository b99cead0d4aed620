#include "quant/plan/batch_norm_network.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace parsimony::quant {
namespace {

class NetworkReader {
 public:
  explicit NetworkReader(const ModelTensors& model) : model_(model) {}

  std::vector<NormedLayer> layers() {
    if (has("conv_stem.weight") && has("bn1.running_mean")) {
      efficient_net();
    } else if (has("features.0.0.weight") && has("features.0.1.running_mean") &&
               has("features.1.conv.0.0.weight")) {
      mobile_net();
    } else if (has("conv1.weight") && has("bn1.running_mean") && has("layer1.0.conv1.weight")) {
      residual_net();
    }
    return std::move(layers_);
  }

 private:
  static constexpr std::int64_t kUnknown = NormedLayer::kUnknown, kNothing = NormedLayer::kNothing;

  const TensorView* find(const std::string& name) const {
    const auto tensors = model_.tensors();
    const auto found = std::lower_bound(tensors.begin(), tensors.end(), name,
                                        [](const TensorView& a, const std::string& b) { return a.name < b; });
    return found != tensors.end() && found->name == name ? &*found : nullptr;
  }
  bool has(const std::string& name) const { return find(name) != nullptr; }

  // Adds a layer if its tensors fit each other, and returns its index.
  std::int64_t add(const std::string& layer, const std::string& norm, Activation activation,
                   std::int64_t input, std::int64_t added = kNothing) {
    const TensorView *weight = find(layer + ".weight"), *mean = find(norm + ".running_mean"),
                     *variance = find(norm + ".running_var");
    const auto fits = [&](const TensorView* of_norm) {
      return of_norm != nullptr && of_norm->shape == std::vector<std::int64_t>{weight->shape[0]};
    };
    if (weight == nullptr || weight->shape.size() < 3 || !fits(mean) || !fits(variance)) return kUnknown;
    layers_.push_back({weight->name, norm + ".", activation, input, added});
    return std::ssize(layers_) - 1;
  }
  // A linear layer with a bias at the end, which reads the mean of the last channels.
  void add_classifier(const std::string& layer, std::int64_t input) {
    const TensorView *weight = find(layer + ".weight"), *bias = find(layer + ".bias");
    if (weight == nullptr || bias == nullptr || weight->shape.size() < 2) return;
    layers_.push_back({weight->name, "", Activation::none, input, kNothing});
  }
  std::int64_t outputs(std::int64_t layer) const {
    return layer < 0 ? 0 : model_.at(layers_[layer].weight).shape[0];
  }
  // The output of an earlier layer that a skip connection adds. All blocks of a stage but the first have one.
  // The first has one if its stride is 1 and its channels are equal, but no tensor shows the stride.
  std::int64_t skipped(std::int64_t block, std::int64_t stream, const std::string& last) const {
    if (block > 0) return stream;
    const TensorView* weight = find(last + ".weight");
    return weight != nullptr && stream >= 0 && weight->shape[0] == outputs(stream) ? kUnknown : kNothing;
  }

  void efficient_net() {
    const auto tensors = model_.tensors();
    const bool excited = std::any_of(tensors.begin(), tensors.end(), [](const TensorView& tensor) {
      return tensor.name.find(".se.") != std::string::npos;
    });
    const Activation activation = excited ? Activation::silu : Activation::relu6;
    std::int64_t stream = add("conv_stem", "bn1", activation, kUnknown);
    for (int stage = 0;; ++stage) {
      int block = 0;
      for (;; ++block) {
        const std::string name = fmt::format("blocks.{}.{}.", stage, block);
        const bool gated = has(name + "se.conv_reduce.weight");
        if (has(name + "conv_pwl.weight") && has(name + "conv_dw.weight")) {
          const auto wide = add(name + "conv_pw", name + "bn1", activation, stream);
          const auto deep = add(name + "conv_dw", name + "bn2", activation, wide);
          stream = add(name + "conv_pwl", name + "bn3", Activation::none, gated ? kUnknown : deep,
                       skipped(block, stream, name + "conv_pwl"));
        } else if (has(name + "conv_exp.weight")) {
          const auto wide = add(name + "conv_exp", name + "bn1", activation, stream);
          stream = add(name + "conv_pwl", name + "bn2", Activation::none, gated ? kUnknown : wide,
                       skipped(block, stream, name + "conv_pwl"));
        } else if (has(name + "conv_dw.weight") && has(name + "conv_pw.weight")) {
          const auto deep = add(name + "conv_dw", name + "bn1", activation, stream);
          stream = add(name + "conv_pw", name + "bn2", Activation::none, gated ? kUnknown : deep,
                       skipped(block, stream, name + "conv_pw"));
        } else {
          break;
        }
      }
      if (block == 0) break;
    }
    add_classifier("classifier", add("conv_head", "bn2", activation, stream));
  }

  void mobile_net() {
    std::int64_t stream = add("features.0.0", "features.0.1", Activation::relu6, kUnknown);
    int block = 1;
    for (;; ++block) {
      const std::string name = fmt::format("features.{}.conv.", block);
      if (has(name + "2.weight") && has(name + "1.0.weight")) {
        const auto wide = add(name + "0.0", name + "0.1", Activation::relu6, stream);
        const auto deep = add(name + "1.0", name + "1.1", Activation::relu6, wide);
        // Equal channels mean a stride of 1 here, for a stride of 2 comes with more channels.
        const bool same = stream >= 0 && find(name + "2.weight")->shape[0] == outputs(stream);
        stream = add(name + "2", name + "3", Activation::none, deep, same ? stream : kNothing);
      } else if (has(name + "1.weight") && has(name + "0.0.weight")) {
        const auto deep = add(name + "0.0", name + "0.1", Activation::relu6, stream);
        stream = add(name + "1", name + "2", Activation::none, deep);
      } else {
        break;
      }
    }
    const std::string head = fmt::format("features.{}.", block);
    add_classifier("classifier.1", add(head + "0", head + "1", Activation::relu6, stream));
  }

  void residual_net() {
    std::int64_t stream = add("conv1", "bn1", Activation::relu, kUnknown);
    if (stream >= 0 && model_.at("conv1.weight").shape.back() > 3) stream = kUnknown;  // max pooling follows
    for (int stage = 1; has(fmt::format("layer{}.0.conv1.weight", stage)); ++stage) {
      for (int block = 0;; ++block) {
        const std::string name = fmt::format("layer{}.{}.", stage, block);
        if (!has(name + "conv2.weight")) break;
        std::int64_t added = stream;
        for (const char* shortcut : {"downsample", "shortcut"}) {
          if (has(name + shortcut + ".0.weight")) {
            added = add(name + shortcut + ".0", name + shortcut + ".1", Activation::none, stream);
          }
        }
        const auto first = add(name + "conv1", name + "bn1", Activation::relu, stream);
        if (has(name + "conv3.weight")) {
          const auto second = add(name + "conv2", name + "bn2", Activation::relu, first);
          stream = add(name + "conv3", name + "bn3", Activation::relu, second, added);
        } else {
          stream = add(name + "conv2", name + "bn2", Activation::relu, first, added);
        }
      }
    }
    for (const char* last : {"fc", "linear"}) add_classifier(last, stream);
  }

  const ModelTensors& model_;
  std::vector<NormedLayer> layers_;
};

}  // namespace

std::vector<NormedLayer> normed_layers(const ModelTensors& model) {
  return NetworkReader(model).layers();
}

}  // namespace parsimony::quant
