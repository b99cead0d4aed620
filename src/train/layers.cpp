#include "train/layers.hpp"

#include <set>

namespace parsimony::train {
namespace {

std::int64_t padding_row(const c10::optional<std::int64_t>& index, std::int64_t rows) {
  if (!index) return -1;
  return *index < 0 ? *index + rows : *index;
}

// Fills the fields that depend on the kind of layer; false if the module is not a layer with weights.
bool describe_layer(torch::nn::Module& module, Layer& layer) {
  const auto convolution = [&](auto& found) {
    layer.convolution = true;
    layer.weight = &found.weight;
    layer.kernel = found.weight.defined() ? found.weight[0][0].numel() : 1;
  };
  if (auto* linear = module.as<torch::nn::Linear>()) {
    layer.weight = &linear->weight;
  } else if (auto* embedding = module.as<torch::nn::Embedding>()) {
    layer.embedding = true;
    layer.weight = &embedding->weight;
    layer.padding_row = padding_row(embedding->options.padding_idx(), embedding->options.num_embeddings());
  } else if (auto* bag = module.as<torch::nn::EmbeddingBag>()) {
    layer.embedding = true;
    layer.weight = &bag->weight;
  } else if (auto* conv1 = module.as<torch::nn::Conv1d>()) {
    convolution(*conv1);
  } else if (auto* conv2 = module.as<torch::nn::Conv2d>()) {
    convolution(*conv2);
  } else if (auto* conv3 = module.as<torch::nn::Conv3d>()) {
    convolution(*conv3);
  }
  return layer.weight != nullptr && layer.weight->defined() && layer.weight->numel() > 0;
}

struct Walk {
  std::vector<Layer> layers;
  std::set<const torch::nn::Module*> seen;

  void visit(torch::nn::Module& module, const std::string& name, std::shared_ptr<torch::nn::Module> owner) {
    if (!seen.insert(&module).second) return;
    Layer layer;
    if (describe_layer(module, layer)) {
      layer.name = name;
      layer.training = module.is_training();
      layer.module = std::move(owner);
      layers.push_back(std::move(layer));
    }
    for (const auto& child : module.named_children()) {
      visit(*child.value(), name.empty() ? child.key() : name + "." + child.key(), child.value());
    }
  }
};

}  // namespace

std::vector<Layer> weight_layers(torch::nn::Module& model) {
  Walk walk;
  walk.visit(model, "", nullptr);
  return std::move(walk.layers);
}

}  // namespace parsimony::train
