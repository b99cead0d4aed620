#include "parsimony/quant/layer_stack.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <utility>

#include "core/count_of.hpp"
#include "core/json_nesting.hpp"
#include "parsimony/core/error.hpp"

namespace parsimony::quant {
namespace {

struct LayerName {
  std::string prefix;  // with the dot
  std::int64_t number = 0;
  std::string rest;  // with the dot
};

// The first number of a name that a word for layers stands before.
std::optional<LayerName> layer_name(const std::string& name) {
  for (auto dot = name.find('.'); dot != std::string::npos; dot = name.find('.', dot + 1)) {
    const auto before = dot == 0 ? std::string::npos : name.rfind('.', dot - 1);
    const std::string_view word =
        std::string_view(name).substr(before == std::string::npos ? 0 : before + 1, dot - (before + 1));
    if (word != "layer" && word != "layers" && word != "h" && word != "block" && word != "blocks") continue;
    std::int64_t number = 0;
    const char *begin = name.data() + dot + 1, *end = name.data() + name.size();
    const auto [stop, error] = std::from_chars(begin, end, number);
    const bool plain = stop - begin == 1 || (stop > begin && *begin != '0');
    if (error != std::errc{} || number < 0 || !plain || stop == end || *stop != '.') continue;
    return LayerName{name.substr(0, dot + 1), number, std::string(stop, end)};
  }
  return std::nullopt;
}

}  // namespace

std::vector<LayerStack> layer_stacks(const ModelTensors& model) {
  using Layer =
      std::map<std::string, std::pair<DType, std::vector<std::int64_t>>>;  // by the rest of the name
  std::map<std::string, std::map<std::int64_t, Layer>> found;
  for (const TensorView& tensor : model.tensors()) {
    if (auto name = layer_name(tensor.name)) {
      found[name->prefix][name->number].emplace(name->rest, std::pair(tensor.dtype, tensor.shape));
    }
  }
  std::vector<LayerStack> stacks;
  for (const auto& [prefix, layers] : found) {
    const std::int64_t count = std::ssize(layers);
    const Layer& first = layers.begin()->second;
    const bool equal =
        std::all_of(layers.begin(), layers.end(), [&](const auto& layer) { return layer.second == first; });
    if (count > 1 && layers.begin()->first == 0 && layers.rbegin()->first == count - 1 && equal) {
      stacks.push_back({prefix, count});
    }
  }
  return stacks;
}

std::vector<std::int64_t> remaining_layers(std::int64_t layers, LayerSharing sharing, LayerPruning pruning) {
  const std::int64_t unit = sharing == LayerSharing::pairs ? 2 : 1;
  std::vector<std::int64_t> out;
  for (std::int64_t layer = 0; layer < layers; ++layer) {
    if (pruning == LayerPruning::none || layer / unit % 2 == 0) out.push_back(layer);
  }
  return out;
}

ModelTensors share_and_prune(const ModelTensors& model, LayerSharing sharing, LayerPruning pruning) {
  const std::vector<LayerStack> stacks = layer_stacks(model);
  if (stacks.empty()) {
    throw Error(
        ErrorCode::unsupported,
        fmt::format("{}: options share and prune need equal layers with numbers, such as encoder.layer.0 to "
                    "encoder.layer.11",
                    model.name()));
  }
  std::vector<TensorView> tensors;
  for (const TensorView& tensor : model.tensors()) {
    const auto name = layer_name(tensor.name);
    const bool stacked = name && std::any_of(stacks.begin(), stacks.end(), [&](const LayerStack& stack) {
                           return stack.prefix == name->prefix;
                         });
    if (!stacked) tensors.push_back(tensor);
  }
  for (const LayerStack& stack : stacks) {
    const std::vector<std::int64_t> layers = remaining_layers(stack.layers, sharing, pruning);
    for (std::size_t i = 0; i < layers.size(); ++i) {
      const std::int64_t from = sharing == LayerSharing::pairs ? layers[i] / 2 * 2 : layers[i];
      const std::string begin = fmt::format("{}{}.", stack.prefix, from);
      for (const TensorView& tensor : model.tensors()) {
        if (!tensor.name.starts_with(begin)) continue;
        TensorView moved = tensor;
        moved.name = fmt::format("{}{}.{}", stack.prefix, i, tensor.name.substr(begin.size()));
        tensors.push_back(std::move(moved));
      }
    }
  }
  return ModelTensors(tensors, {model.metadata().begin(), model.metadata().end()}, model.name());
}

std::string pruned_config(const std::string& text, const std::string& name, std::int64_t before,
                          std::int64_t after) {
  constexpr std::size_t kMostBytes = std::size_t{16} << 20;
  if (text.size() > kMostBytes) {
    throw Error(ErrorCode::format, fmt::format("{}: {}; a configuration has a few thousand", name,
                                               count_of(text.size(), "byte")));
  }
  if (nests_too_deep(text))
    throw Error(ErrorCode::format, fmt::format("{}: its lists and objects nest too deep", name));
  auto root = nlohmann::ordered_json::parse(text, nullptr, false);
  if (!root.is_object()) throw Error(ErrorCode::format, fmt::format("{}: is not a JSON object", name));
  for (const char* key :
       {"num_hidden_layers", "n_layer", "num_layers", "n_layers", "encoder_layers", "decoder_layers"}) {
    const auto found = root.find(key);
    if (found != root.end() && found->is_number_integer() && found->get<std::int64_t>() == before)
      *found = after;
  }
  return root.dump(2) + "\n";
}

}  // namespace parsimony::quant
