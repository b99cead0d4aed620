#include "train/stage_layers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <regex>
#include <set>
#include <vector>

#include "core/name_pattern.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/train/pruning.hpp"
#include "train/layers.hpp"

namespace parsimony::train {
namespace {

// The kept blocks become the first ones, and so the names of the last ones vanish.
std::vector<Layer> layers_after_pruning(Task& task, const TrainingPlan& plan) {
  std::vector<Layer> layers = weight_layers(task.model());
  if (!plan.pruning) return layers;
  std::set<const torch::nn::Module*> gone;
  for (std::int64_t i = std::ssize(kept_blocks(task.blocks(), *plan.pruning)); i < task.blocks(); ++i) {
    const std::shared_ptr<torch::nn::Module> block = task.block(i);
    if (block == nullptr) return layers;
    for (const auto& module : block->modules()) gone.insert(module.get());
  }
  std::erase_if(layers, [&](const Layer& layer) { return gone.contains(layer.module.get()); });
  return layers;
}

}  // namespace

void check_stages(Task& task, const TrainingPlan& plan) {
  if (!plan.ipq) return;
  const std::vector<Layer> layers = layers_after_pruning(task, plan);
  const char* left = plan.pruning ? "that pruning leaves and " : "that ";
  std::set<const c10::TensorImpl*> quantized;
  for (const std::string& stage : plan.ipq->stages) {
    const std::regex pattern = name_pattern("stages", stage);
    std::set<const c10::TensorImpl*> found;  // a shared weight is one
    for (const Layer& layer : layers) {
      const c10::TensorImpl* weight = layer.weight->unsafeGetTensorImpl();
      if (!quantized.contains(weight) && std::regex_match(layer.name, pattern)) found.insert(weight);
    }
    if (found.empty()) {
      refuse(fmt::format("stages: \"{}\" matches no layer {}no earlier stage matches", stage, left));
    }
    quantized.merge(found);
  }
  if (!plan.pruning) return;  // Ipq refuses schemes that match nothing in the whole network
  for (const IpqScheme& scheme : plan.ipq->schemes) {
    const std::regex pattern = name_pattern("layers", scheme.layers);
    if (std::none_of(layers.begin(), layers.end(),
                     [&](const Layer& layer) { return std::regex_match(layer.name, pattern); })) {
      refuse(fmt::format("schemes: \"{}\" matches no layer that pruning leaves", scheme.layers));
    }
  }
}

}  // namespace parsimony::train
