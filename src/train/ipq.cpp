#include "parsimony/train/ipq.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <torch/torch.h>

#include <algorithm>
#include <regex>
#include <tuple>

#include "core/name_pattern.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/quant/decode.hpp"
#include "train/block_shape.hpp"
#include "train/ipq_group.hpp"
#include "train/weight_swap.hpp"

namespace parsimony::train {

struct DecodedWeights::State {
  WeightSwap swap;
};
DecodedWeights::DecodedWeights(std::unique_ptr<State> state) : state_(std::move(state)) {}
DecodedWeights::DecodedWeights(DecodedWeights&&) noexcept = default;
DecodedWeights::~DecodedWeights() = default;

struct Ipq::State {
  struct Scheme {
    std::regex layers;
    IpqOptions options;
  };
  torch::nn::Module& model;
  Context context;
  std::vector<Scheme> schemes{};  // the last one matches all other layers
  std::vector<IpqGroup> groups{};
  std::vector<Layer> tied{};  // layers that share the weight of a member
  std::map<std::string, std::vector<float>> importance{};

  const IpqMember* find(const torch::Tensor& weight) const {
    for (const IpqGroup& group : groups) {
      for (const IpqMember& member : group.members) {
        if (member.weight.is_same(weight)) return &member;
      }
    }
    return nullptr;
  }

  std::size_t scheme_of(const std::string& layer) const {
    const auto found = std::find_if(schemes.begin(), schemes.end() - 1, [&](const Scheme& scheme) {
      return std::regex_match(layer, scheme.layers);
    });
    return static_cast<std::size_t>(found - schemes.begin());
  }
};

Ipq::Ipq(torch::nn::Module& model, IpqOptions options, Context context, const std::vector<IpqScheme>& schemes)
    : state_(new State{model, std::move(context)}) {
  const auto add = [&](const std::string& layers, const IpqOptions& of_layers) {
    validate_fields(of_layers);
    state_->schemes.push_back({name_pattern("layers", layers), of_layers});
  };
  for (const IpqScheme& scheme : schemes) add(scheme.layers, scheme.options);
  add(".*", options);
  std::vector<bool> used(schemes.size() + 1);
  for (const Layer& layer : weight_layers(model)) used[state_->scheme_of(layer.name)] = true;
  for (std::size_t i = 0; i < schemes.size(); ++i) {
    if (used[i]) continue;
    throw Error(ErrorCode::invalid_argument,
                fmt::format("schemes: \"{}\" matches no layer that an earlier scheme does not already match",
                            schemes[i].layers));
  }
}
Ipq::~Ipq() = default;

void Ipq::set_importance(std::map<std::string, std::vector<float>> importance) {
  state_->importance = std::move(importance);
}

std::vector<std::string> Ipq::quantize(const std::string& layers) {
  const std::regex pattern = name_pattern("layers", layers);
  std::vector<std::string> names;
  std::map<std::tuple<std::size_t, std::int64_t, quant::BlockLayout, std::size_t>, IpqGroup> groups;
  std::vector<Layer> tied;
  for (const Layer& layer : weight_layers(state_->model)) {
    if (!std::regex_match(layer.name, pattern)) continue;
    if (!layer.weight->is_leaf()) {
      throw Error(ErrorCode::invalid_argument,
                  fmt::format("layer \"{}\" computes with replaced weights now; quantize before apply()",
                              layer.name));
    }
    const auto is_known = [&](const Layer& other) { return other.weight == layer.weight; };
    if (state_->find(*layer.weight) != nullptr) {
      // The weight is quantized already. A layer not seen before shares it (tied weights).
      bool itself = std::any_of(state_->tied.begin(), state_->tied.end(), is_known);
      for (const IpqGroup& group : state_->groups) {
        for (const IpqMember& member : group.members) itself = itself || is_known(member.layer);
      }
      if (!itself) tied.push_back(layer);
      continue;
    }
    bool shared = false;
    for (const auto& [key, group] : groups) {
      for (const IpqMember& member : group.members) shared = shared || member.weight.is_same(*layer.weight);
    }
    names.push_back(layer.name);
    if (shared) {
      tied.push_back(layer);
      continue;
    }
    const std::size_t scheme = state_->scheme_of(layer.name);
    const IpqOptions& options = state_->schemes[scheme].options;
    IpqMember member{layer,
                     *layer.weight,
                     layer.weight->sizes().vec(),
                     layer_grid(layer, options.block_size, options.layout),
                     {}};
    if (const auto known = state_->importance.find(layer.name); known != state_->importance.end()) {
      member.importance = known->second;
    }
    const bool together = options.shared_codebook && options.scheme == quant::Scheme::product;
    const std::size_t alone = together ? 0 : names.size();
    IpqGroup& group = groups[{scheme, member.grid.block_size, member.grid.layout, alone}];
    group.options = options;
    group.members.push_back(std::move(member));
  }
  if (names.empty()) {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("layers: \"{}\" matches no layer that is still unquantized", layers));
  }
  std::vector<IpqGroup*> ordered;
  for (auto& [key, group] : groups) ordered.push_back(&group);
  std::sort(ordered.begin(), ordered.end(), [](const IpqGroup* a, const IpqGroup* b) {
    return a->members[0].layer.name < b->members[0].layer.name;
  });
  for (IpqGroup* group : ordered) group->learn(state_->context);
  for (IpqGroup* group : ordered) state_->groups.push_back(std::move(*group));
  state_->tied.insert(state_->tied.end(), tied.begin(), tied.end());
  return names;
}

DecodedWeights Ipq::apply() {
  auto guard = std::make_unique<DecodedWeights::State>();
  for (const IpqGroup& group : state_->groups) {
    for (const IpqMember& member : group.members) guard->swap.add(member.layer, group.decoded(member));
  }
  for (const Layer& layer : state_->tied) {
    if (const torch::Tensor* shared = guard->swap.find(*layer.weight)) {
      guard->swap.add(layer, *shared);
    }
  }
  guard->swap.begin();
  return DecodedWeights(std::move(guard));
}

std::vector<at::Tensor> Ipq::centroids() const {
  std::vector<at::Tensor> out;
  for (const IpqGroup& group : state_->groups) {
    if (!group.integers()) out.push_back(group.centroids);
  }
  return out;
}

bool Ipq::has_latent_weights() const {
  return std::any_of(state_->schemes.begin(), state_->schemes.end(),
                     [](const State::Scheme& scheme) { return scheme.options.latent_weights; });
}

double Ipq::reassign() {
  std::int64_t changed = 0, all = 0;
  for (IpqGroup& group : state_->groups) {
    if (group.integers() || !group.latent()) continue;
    const auto [of_group, count] = group.reassign(state_->context);
    changed += of_group;
    all += count;
  }
  if (!has_latent_weights()) {
    throw Error(ErrorCode::invalid_argument,
                "reassign: needs latent_weights, which codes follow; no options set it");
  }
  return all == 0 ? 0 : static_cast<double>(changed) / static_cast<double>(all);
}

void Ipq::fit_ranges() {
  for (IpqGroup& group : state_->groups) {
    if (group.integers()) group.fit_ranges(state_->context);
  }
}

std::map<std::string, quant::QuantizedTensor> Ipq::tensors() const {
  std::map<std::string, quant::QuantizedTensor> out;
  for (const IpqGroup& group : state_->groups) {
    const auto codebook = group.integers() ? nullptr : group.codebook(group.options.codebook);
    for (const IpqMember& member : group.members) {
      quant::QuantizedTensor& tensor = out[member.layer.name] = group.stored(member);
      tensor.codebook = codebook;
    }
  }
  return out;
}

std::vector<IpqLayer> Ipq::layers() const {
  std::vector<IpqLayer> out;
  for (const IpqGroup& group : state_->groups) {
    const auto codebook = group.integers() ? nullptr : group.codebook(quant::CodebookType::float32);
    for (const IpqMember& member : group.members) {
      out.push_back({.name = member.layer.name, .tensor = member.tensor, .importance = member.importance});
      out.back().tensor.codebook = codebook;
    }
  }
  for (const Layer& layer : state_->tied) {
    out.push_back({.name = layer.name, .same_as = state_->find(*layer.weight)->layer.name});
  }
  return out;
}

void Ipq::set_layers(const std::vector<IpqLayer>& layers) {
  const auto refuse = [](const std::string& name, const char* what) {
    throw Error(ErrorCode::invalid_argument, fmt::format("layer \"{}\" {}", name, what));
  };
  const std::vector<Layer> known = weight_layers(state_->model);
  std::vector<IpqGroup> groups;
  std::vector<Layer> tied;
  const quant::Codebook* before = nullptr;
  for (const IpqLayer& from : layers) {
    const auto layer =
        std::find_if(known.begin(), known.end(), [&](const Layer& l) { return l.name == from.name; });
    if (layer == known.end()) refuse(from.name, "is not in the model");
    if (!from.same_as.empty()) {
      tied.push_back(*layer);
      continue;
    }
    const bool product = from.tensor.scheme == quant::Scheme::product;
    if (product && from.tensor.codebook == nullptr) refuse(from.name, "has no codebook");
    const std::int64_t block = product ? from.tensor.codebook->centroids.cols() : 0;
    IpqMember member{*layer, *layer->weight, layer->weight->sizes().vec(),
                     layer_grid(*layer, block, from.tensor.layout), from.tensor};
    member.importance = from.importance;
    const IpqOptions& options = state_->schemes[state_->scheme_of(from.name)].options;
    if (options.scheme != from.tensor.scheme || (!product && options.bits != from.tensor.bits)) {
      refuse(from.name, "has codes of a scheme other than that of its options");
    }
    const std::int64_t codes = product ? member.grid.count() : layer->weight->numel();
    if (from.tensor.shape != member.shape || quant::code_count(from.tensor) != codes) {
      refuse(from.name, "has codes of another shape or blocks of another size");
    }
    quant::decode(from.tensor);  // refuses codes without a centroid
    if (!product || from.tensor.codebook.get() != before) {
      before = from.tensor.codebook.get();
      groups.emplace_back().options = options;
    }
    groups.back().members.push_back(std::move(member));
  }
  for (IpqGroup& group : groups) {
    if (!group.integers()) group.restore(group.members.front().tensor.codebook->centroids);
  }
  state_->groups = std::move(groups);
  state_->tied = std::move(tied);
}

void Ipq::store() {
  const auto tensors = this->tensors();
  const torch::NoGradGuard no_gradient;
  for (IpqGroup& group : state_->groups) {
    for (IpqMember& member : group.members) {
      std::vector<float> values = quant::decode(tensors.at(member.layer.name), state_->context);
      member.weight.copy_(torch::from_blob(values.data(), member.shape, torch::kFloat));
    }
    if (group.integers()) continue;
    const Matrix<float>& rounded = tensors.at(group.members.front().layer.name).codebook->centroids;
    group.centroids.copy_(torch::from_blob(const_cast<float*>(rounded.data()),
                                           {rounded.rows(), rounded.cols()}, torch::kFloat));
  }
}

namespace {

std::string escaped_name(const std::string& name) {
  return std::regex_replace(name, std::regex(R"(\.)"), "\\.");
}

// An expression of these layers alone. Numbers between dots, which count the blocks of a network, become \d+
// where that selects no other layer: deep networks would have expressions of thousands of characters.
std::string pattern_of(const std::vector<std::string>& names, const std::vector<Layer>& layers) {
  static const std::regex kNumber(R"((^|\.)\d+(?=\\|$))");
  std::vector<std::string> exact, general;
  for (const std::string& name : names) {
    exact.push_back(escaped_name(name));
    std::string form = std::regex_replace(exact.back(), kNumber, "$1\\d+");
    if (std::find(general.begin(), general.end(), form) == general.end()) general.push_back(std::move(form));
  }
  std::string pattern = fmt::format("{}", fmt::join(general, "|"));
  const std::regex expression(pattern);
  const auto selected = std::count_if(layers.begin(), layers.end(), [&](const Layer& layer) {
    return std::regex_match(layer.name, expression);
  });
  return selected == std::ssize(names) ? pattern : fmt::format("{}", fmt::join(exact, "|"));
}

}  // namespace

std::vector<std::string> ipq_stages(torch::nn::Module& model) {
  std::vector<std::string> convolutions, others, embeddings, attention;
  const std::regex names_of_attention(".*(att|[qkv]_proj|out_proj|query|key|value).*", std::regex::icase);
  const std::regex parts_of_embeddings(".*embed.*", std::regex::icase);  // such as projections of bands
  const std::vector<Layer> layers = weight_layers(model);
  for (const Layer& layer : layers) {
    if (layer.convolution) {
      convolutions.push_back(escaped_name(layer.name));
    } else if (layer.embedding || std::regex_match(layer.name, parts_of_embeddings)) {
      embeddings.push_back(layer.name);
    } else if (std::regex_match(layer.name, names_of_attention)) {
      attention.push_back(layer.name);
    } else {
      others.push_back(layer.name);
    }
  }
  std::vector<std::string> stages;
  const auto add = [&](const std::vector<std::string>& names) {
    if (!names.empty()) stages.push_back(pattern_of(names, layers));
  };
  if (!convolutions.empty()) {
    stages.assign(convolutions.begin() + 1, convolutions.end());
    if (!others.empty()) others.pop_back();
  }
  add(others);
  add(embeddings);
  add(attention);
  return stages;
}

}  // namespace parsimony::train
