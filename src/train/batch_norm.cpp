#include "parsimony/train/batch_norm.hpp"

#include <fmt/format.h>
#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <type_traits>
#include <utility>

#include "parsimony/core/error.hpp"
#include "parsimony/train/joint_batch_norm.hpp"
#include "train/layers.hpp"
#include "train/module_modes.hpp"

namespace parsimony::train {
namespace {

// The kinds of BatchNorm have no common base class that can be tested for.
struct BatchNorm {
  std::string name;
  torch::nn::Module* module = nullptr;
  torch::nn::BatchNormOptions* options = nullptr;
  torch::Tensor weight, bias, mean, variance, batches;
};

template <class Found>
void fill(BatchNorm& norm, Found* found) {
  if (found == nullptr) return;
  norm.options = &found->options;
  norm.weight = found->weight;
  norm.bias = found->bias;
  norm.mean = found->running_mean;
  norm.variance = found->running_var;
  norm.batches = found->num_batches_tracked;
}

std::optional<BatchNorm> as_batch_norm(torch::nn::Module& module, std::string name) {
  BatchNorm norm{std::move(name), &module, nullptr, {}, {}, {}, {}, {}};
  fill(norm, module.as<torch::nn::BatchNorm1d>());
  fill(norm, module.as<torch::nn::BatchNorm2d>());
  fill(norm, module.as<torch::nn::BatchNorm3d>());
  fill(norm, module.as<JointBatchNorm2d>());
  if (norm.options == nullptr || !norm.mean.defined()) return std::nullopt;
  return norm;
}

std::vector<BatchNorm> batch_norms(torch::nn::Module& model) {
  std::vector<BatchNorm> out;
  for_modules(model, "", [&](const std::string& name, torch::nn::Module& module) {
    if (auto norm = as_batch_norm(module, name)) out.push_back(std::move(*norm));
  });
  return out;
}

}  // namespace

bool has_batch_norm(torch::nn::Module& model) {
  return !batch_norms(model).empty();
}

void recalibrate_batch_norm(torch::nn::Module& model, const std::function<void()>& pass) {
  struct Kept {
    torch::Tensor mean, variance, batches;
    std::decay_t<decltype(std::declval<torch::nn::BatchNormOptions&>().momentum())> momentum;
  };
  std::vector<BatchNorm> norms = batch_norms(model);
  std::vector<Kept> kept;
  for (BatchNorm& norm : norms) {
    kept.push_back(
        {norm.mean.clone(), norm.variance.clone(), norm.batches.clone(), norm.options->momentum()});
  }
  const torch::NoGradGuard no_gradient;
  const ModuleModes modes(model);
  const auto restore_momentum = [&] {
    for (std::size_t i = 0; i < norms.size(); ++i) norms[i].options->momentum() = kept[i].momentum;
  };
  try {
    model.eval();
    for (BatchNorm& norm : norms) {
      norm.module->train();
      norm.mean.zero_();
      norm.variance.fill_(1);
      norm.batches.zero_();
      norm.options->momentum() = c10::nullopt;  // the average of all batches
    }
    pass();
    const bool reached = std::any_of(norms.begin(), norms.end(), [](const BatchNorm& norm) {
      return norm.batches.item<std::int64_t>() > 0;
    });
    if (!reached) {
      refuse("recalibrate_batch_norm: no batch went through a BatchNorm of the model");
    }
  } catch (...) {
    restore_momentum();
    for (std::size_t i = 0; i < norms.size(); ++i) {
      norms[i].mean.copy_(kept[i].mean);
      norms[i].variance.copy_(kept[i].variance);
      norms[i].batches.copy_(kept[i].batches);
    }
    throw;
  }
  restore_momentum();
}

BatchNormStatistics batch_norm_statistics(torch::nn::Module& model) {
  BatchNormStatistics out;
  for (const BatchNorm& norm : batch_norms(model)) {
    const std::string prefix = norm.name.empty() ? "" : norm.name + ".";
    out.emplace(prefix + "running_mean", norm.mean.clone());
    out.emplace(prefix + "running_var", norm.variance.clone());
  }
  return out;
}

BatchNormStatistics measured_statistics(torch::nn::Module& model, const std::function<void()>& pass) {
  const BatchNormStatistics own = batch_norm_statistics(model);
  std::vector<torch::Tensor> batches;
  for (const BatchNorm& norm : batch_norms(model)) batches.push_back(norm.batches.clone());
  recalibrate_batch_norm(model, pass);
  BatchNormStatistics measured = batch_norm_statistics(model);
  set_statistics(model, own);
  std::size_t i = 0;
  for (BatchNorm& norm : batch_norms(model)) norm.batches.copy_(batches[i++]);
  return measured;
}

BatchNormStatistics moved_statistics(const BatchNormStatistics& present, const BatchNormStatistics& before,
                                     const BatchNormStatistics& after) {
  constexpr double kLeast = 1e-5;  // a channel may be constant
  BatchNormStatistics out;
  for (const auto& [name, was] : before) {
    const torch::Tensor &value = present.at(name), &is = after.at(name);
    out.emplace(name,
                name.ends_with("running_mean") ? value + (is - was) : value * (is + kLeast) / (was + kLeast));
  }
  return out;
}

void set_statistics(torch::nn::Module& model, const BatchNormStatistics& statistics) {
  const torch::NoGradGuard no_gradient;
  auto buffers = model.named_buffers();
  for (const auto& [name, value] : statistics) {
    if (!buffers.contains(name)) refuse(fmt::format("set_statistics: the model has no \"{}\"", name));
    buffers[name].copy_(value);
  }
}

void freeze_batch_norm(torch::nn::Module& model) {
  for (const BatchNorm& norm : batch_norms(model)) norm.module->eval();
}

std::vector<NormalizedLayer> layers_before_batch_norm(torch::nn::Module& model) {
  std::vector<NormalizedLayer> out;
  const std::vector<Layer> layers = weight_layers(model);
  for_modules(model, "", [&](const std::string& name, torch::nn::Module& module) {
    const std::string prefix = name.empty() ? "" : name + ".";
    const Layer* before = nullptr;
    for (const auto& child : module.named_children()) {
      const std::string path = prefix + child.key();
      if (const auto norm = as_batch_norm(*child.value(), path); norm && before != nullptr) {
        if (before->weight->size(0) == norm->mean.numel()) out.push_back({before->name, path});
      }
      const auto found = std::find_if(layers.begin(), layers.end(), [&](const Layer& layer) {
        return layer.name == path && !layer.embedding;
      });
      before = found == layers.end() ? nullptr : &*found;
    }
  });
  return out;
}

void normalize_filters(torch::nn::Module& model, const std::vector<NormalizedLayer>& pairs) {
  const torch::NoGradGuard no_gradient;
  const std::vector<Layer> layers = weight_layers(model);
  const std::vector<BatchNorm> norms = batch_norms(model);
  std::vector<std::pair<const Layer*, const BatchNorm*>> found;
  for (const auto& [layer_name, norm_name] : pairs) {
    const auto layer = std::find_if(layers.begin(), layers.end(), [&name = layer_name](const Layer& l) {
      return l.name == name && !l.embedding;
    });
    const auto norm = std::find_if(norms.begin(), norms.end(),
                                   [&name = norm_name](const BatchNorm& n) { return n.name == name; });
    if (layer == layers.end() || norm == norms.end() || !norm->weight.defined() ||
        layer->weight->size(0) != norm->mean.numel()) {
      throw Error(
          ErrorCode::invalid_argument,
          fmt::format("normalize_filters: \"{}\" and \"{}\" are not a layer and an affine BatchNorm with "
                      "the same number of channels",
                      layer_name, norm_name));
    }
    found.emplace_back(&*layer, &*norm);
  }
  for (const auto& [layer, norm] : found) {
    torch::Tensor weight = layer->weight->detach();
    torch::Tensor size = weight.flatten(1).square().mean(1).sqrt();
    size = torch::where(size > 0, size, torch::ones_like(size));
    std::vector<std::int64_t> column(static_cast<std::size_t>(weight.dim()), 1);
    column[0] = -1;
    weight.div_(size.view(column));
    const auto own =
        layer->module == nullptr ? model.named_parameters(false) : layer->module->named_parameters(false);
    if (own.contains("bias")) own["bias"].detach().div_(size);
    // γ (x − m) / √(v + ε) with x, m divided by s and v by s².
    const double eps = norm->options->eps();
    const torch::Tensor ratio = ((norm->variance + eps * size.square()) / (norm->variance + eps)).sqrt();
    norm->weight.detach().mul_(ratio);
    norm->mean.div_(size);
    norm->variance.div_(size.square());
  }
}

void fold_statistics(torch::nn::Module& model) {
  const torch::NoGradGuard no_gradient;
  for (BatchNorm& norm : batch_norms(model)) {
    if (!norm.weight.defined() || !norm.bias.defined()) continue;
    const double eps = norm.options->eps();
    // γ (x − m) / √(v + ε) + β as γ' x / √(1 + ε) + β'
    const torch::Tensor factor = norm.weight / (norm.variance + eps).sqrt();
    norm.bias.sub_(factor * norm.mean);
    norm.weight.copy_(factor * std::sqrt(1 + eps));
    norm.mean.zero_();
    norm.variance.fill_(1);
    norm.batches.zero_();
  }
}

}  // namespace parsimony::train
