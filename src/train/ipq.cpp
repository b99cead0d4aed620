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
#include "train/decode_blocks.hpp"
#include "train/weight_swap.hpp"

namespace parsimony::train {
namespace {

struct Member {
  Layer layer;
  torch::Tensor weight;  // the leaf, and the latent weight
  std::vector<std::int64_t> shape;
  quant::BlockGrid grid;
  quant::QuantizedTensor tensor;  // its codes
  torch::Tensor index;            // see DecodeBlocks
};

// Layers with one codebook.
struct Group {
  std::vector<Member> members;
  torch::Tensor centroids, counts;
};

torch::Tensor read_weight(const Member& member) {
  return member.weight.detach().to(torch::kCPU, torch::kFloat).contiguous();
}

quant::WeightView view_of(const Member& member, const torch::Tensor& values) {
  return {.values = {values.data_ptr<float>(), static_cast<std::size_t>(values.numel())},
          .shape = member.shape};
}

std::vector<std::uint16_t> codes_of(const Member& member) {
  return quant::unpack_codes(member.tensor.packed, member.tensor.bits, member.grid.count());
}

// The index of a weight from its codes.
torch::Tensor index_of(const Member& member) {
  const quant::BlockGrid& grid = member.grid;
  const std::vector<std::int64_t> offsets = quant::block_offsets(grid);
  const std::vector<std::uint16_t> codes = codes_of(member);
  const std::int64_t values = grid.values_per_output(), each = grid.blocks_per_output();
  torch::Tensor index = torch::empty({grid.outputs * values}, torch::kLong);
  auto* out = index.data_ptr<std::int64_t>();
  for (std::int64_t o = 0; o < grid.outputs; ++o) {
    for (std::int64_t j = 0; j < each * grid.block; ++j) {
      if (offsets[j] < 0) continue;
      out[o * values + offsets[j]] = codes[o * each + j / grid.block] * grid.block + j % grid.block;
    }
  }
  return index;
}

void take_codes(Group& group) {
  const std::int64_t values = group.centroids.numel();
  torch::Tensor counts = torch::zeros({values}, torch::kLong);
  for (Member& member : group.members) {
    member.index = index_of(member);
    counts += torch::bincount(member.index, {}, values);
  }
  group.counts = counts.clamp_min(1).to(group.centroids.scalar_type());
}

// In the type of the weights that they stand for.
torch::Tensor leaf_of(const Matrix<float>& centroids, const torch::Tensor& weight) {
  return torch::from_blob(const_cast<float*>(centroids.data()), {centroids.rows(), centroids.cols()},
                          torch::kFloat)
      .to(weight.scalar_type(), false, true)
      .requires_grad_();
}

std::shared_ptr<const quant::Codebook> codebook_of(const Group& group, quant::CodebookType type) {
  const torch::Tensor values = group.centroids.detach().to(torch::kFloat).contiguous();
  Matrix<float> centroids(values.size(0), values.size(1));
  std::copy_n(values.data_ptr<float>(), centroids.size(), centroids.data());
  return std::make_shared<const quant::Codebook>(quant::round_codebook(std::move(centroids), type));
}

}  // namespace

struct DecodedWeights::State {
  WeightSwap swap;
};
DecodedWeights::DecodedWeights(std::unique_ptr<State> state) : state_(std::move(state)) {}
DecodedWeights::DecodedWeights(DecodedWeights&&) noexcept = default;
DecodedWeights::~DecodedWeights() = default;

struct Ipq::State {
  torch::nn::Module& model;
  IpqOptions options;
  Context context;
  std::vector<Group> groups;
  std::vector<Layer> tied;  // layers whose weight is a member's

  const Member* find(const torch::Tensor& weight) const {
    for (const Group& group : groups) {
      for (const Member& member : group.members) {
        if (member.weight.is_same(weight)) return &member;
      }
    }
    return nullptr;
  }

  quant::ProductOptions product(const quant::BlockGrid& grid) const {
    return {.block = grid.block,
            .centroids = options.centroids,
            .layout = grid.layout,
            .codebook = quant::CodebookType::float32,
            .iterations = options.kmeans_iterations,
            .seed = options.seed};
  }

  void learn(Group group) {
    std::vector<torch::Tensor> values;
    std::vector<quant::WeightView> views;
    for (const Member& member : group.members) {
      values.push_back(read_weight(member));
      views.push_back(view_of(member, values.back()));
    }
    auto made = quant::product_quantize(views, product(group.members.front().grid), context);
    group.centroids = leaf_of(made.tensors.front().codebook->centroids, group.members.front().weight);
    for (std::size_t i = 0; i < views.size(); ++i) group.members[i].tensor = std::move(made.tensors[i]);
    take_codes(group);
    groups.push_back(std::move(group));
  }
};

Ipq::Ipq(torch::nn::Module& model, IpqOptions options, Context context)
    : state_(new State{model, std::move(options), std::move(context), {}, {}}) {
  validate_fields(state_->options);
}
Ipq::~Ipq() = default;

std::vector<std::string> Ipq::quantize(const std::string& layers) {
  const IpqOptions& options = state_->options;
  const std::regex pattern = name_pattern("layers", layers);
  std::vector<std::string> names;
  std::map<std::tuple<std::int64_t, quant::BlockLayout, std::size_t>, Group> groups;
  std::vector<Layer> tied;
  for (const Layer& layer : weight_layers(state_->model)) {
    if (!std::regex_match(layer.name, pattern)) continue;
    if (!layer.weight->is_leaf()) {
      throw Error(
          ErrorCode::invalid_argument,
          fmt::format("layer \"{}\" computes with other weights now; quantize before they are applied",
                      layer.name));
    }
    const auto is_known = [&](const Layer& other) { return other.weight == layer.weight; };
    if (state_->find(*layer.weight) != nullptr) {
      // Quantized already; under another name it is one that shares a weight.
      bool itself = std::any_of(state_->tied.begin(), state_->tied.end(), is_known);
      for (const Group& group : state_->groups) {
        for (const Member& member : group.members) itself = itself || is_known(member.layer);
      }
      if (!itself) tied.push_back(layer);
      continue;
    }
    bool shared = false;
    for (const auto& [key, group] : groups) {
      for (const Member& member : group.members) shared = shared || member.weight.is_same(*layer.weight);
    }
    names.push_back(layer.name);
    if (shared) {
      tied.push_back(layer);
      continue;
    }
    Member member{layer,
                  *layer.weight,
                  layer.weight->sizes().vec(),
                  layer_grid(layer, options.block_size, options.layout),
                  {},
                  {}};
    const std::size_t alone = options.shared_codebook ? 0 : names.size();
    groups[{member.grid.block, member.grid.layout, alone}].members.push_back(std::move(member));
  }
  if (names.empty()) {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("layers: \"{}\" matches no layer that has no codes yet", layers));
  }
  std::vector<Group*> ordered;
  for (auto& [key, group] : groups) ordered.push_back(&group);
  std::sort(ordered.begin(), ordered.end(), [](const Group* a, const Group* b) {
    return a->members[0].layer.name < b->members[0].layer.name;
  });
  for (Group* group : ordered) state_->learn(std::move(*group));
  state_->tied.insert(state_->tied.end(), tied.begin(), tied.end());
  return names;
}

DecodedWeights Ipq::apply() {
  auto guard = std::make_unique<DecodedWeights::State>();
  for (const Group& group : state_->groups) {
    for (const Member& member : group.members) {
      torch::Tensor weight = DecodeBlocks::apply(group.centroids, member.index, group.counts, member.shape);
      if (state_->options.latent_weights) weight = weight + (member.weight - member.weight.detach());
      guard->swap.add(member.layer, std::move(weight));
    }
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
  for (const Group& group : state_->groups) out.push_back(group.centroids);
  return out;
}

double Ipq::reassign() {
  if (!state_->options.latent_weights) {
    throw Error(ErrorCode::invalid_argument,
                "reassign: codes follow latent_weights, which are not asked for");
  }
  std::int64_t changed = 0, all = 0;
  for (Group& group : state_->groups) {
    const auto codebook = codebook_of(group, quant::CodebookType::float32);
    for (Member& member : group.members) {
      const torch::Tensor values = read_weight(member);
      const quant::WeightView view = view_of(member, values);
      const std::vector<std::uint16_t> before = codes_of(member);
      member.tensor = std::move(
          quant::assign_codes({&view, 1}, codebook, state_->product(member.grid), state_->context).front());
      const std::vector<std::uint16_t> after = codes_of(member);
      for (std::size_t i = 0; i < after.size(); ++i) changed += before[i] != after[i] ? 1 : 0;
      all += std::ssize(after);
    }
    take_codes(group);
  }
  return all == 0 ? 0 : static_cast<double>(changed) / static_cast<double>(all);
}

std::map<std::string, quant::QuantizedTensor> Ipq::tensors() const {
  std::map<std::string, quant::QuantizedTensor> out;
  for (const Group& group : state_->groups) {
    const auto codebook = codebook_of(group, state_->options.codebook);
    for (const Member& member : group.members) {
      quant::QuantizedTensor& tensor = out[member.layer.name] = member.tensor;
      tensor.codebook = codebook;
    }
  }
  return out;
}

std::vector<IpqLayer> Ipq::layers() const {
  std::vector<IpqLayer> out;
  for (const Group& group : state_->groups) {
    const auto codebook = codebook_of(group, quant::CodebookType::float32);
    for (const Member& member : group.members) {
      out.push_back({.name = member.layer.name, .tensor = member.tensor});
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
  std::vector<Group> groups;
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
    const IpqOptions& options = state_->options;
    Member member{*layer,
                  *layer->weight,
                  layer->weight->sizes().vec(),
                  layer_grid(*layer, options.block_size, options.layout),
                  from.tensor,
                  {}};
    if (from.tensor.shape != member.shape || from.tensor.codebook == nullptr ||
        from.tensor.codebook->centroids.cols() != member.grid.block ||
        quant::code_count(from.tensor) != member.grid.count()) {
      refuse(from.name, "has codes of another shape or blocks of another size");
    }
    const Matrix<float>& centroids = from.tensor.codebook->centroids;
    for (const std::uint16_t code : codes_of(member)) {
      if (code >= centroids.rows()) refuse(from.name, "has a code without a centroid");
    }
    if (from.tensor.codebook.get() != before) {
      before = from.tensor.codebook.get();
      groups.emplace_back().centroids = leaf_of(centroids, member.weight);
    }
    groups.back().members.push_back(std::move(member));
  }
  for (Group& group : groups) take_codes(group);
  state_->groups = std::move(groups);
  state_->tied = std::move(tied);
}

void Ipq::store() {
  const auto tensors = this->tensors();
  const torch::NoGradGuard no_gradient;
  for (Group& group : state_->groups) {
    for (Member& member : group.members) {
      std::vector<float> values = quant::decode(tensors.at(member.layer.name), state_->context);
      member.weight.copy_(torch::from_blob(values.data(), member.shape, torch::kFloat));
    }
    const Matrix<float>& rounded = tensors.at(group.members.front().layer.name).codebook->centroids;
    group.centroids.copy_(torch::from_blob(const_cast<float*>(rounded.data()),
                                           {rounded.rows(), rounded.cols()}, torch::kFloat));
  }
}

std::vector<std::string> ipq_stages(torch::nn::Module& model) {
  std::vector<std::string> convolutions, others, embeddings, attention;
  const auto escaped = [](const std::string& name) {
    return std::regex_replace(name, std::regex(R"(\.)"), "\\.");
  };
  const std::regex names_of_attention(".*(att|[qkv]_proj|out_proj|query|key|value).*", std::regex::icase);
  for (const Layer& layer : weight_layers(model)) {
    if (layer.convolution) {
      convolutions.push_back(escaped(layer.name));
    } else if (layer.embedding) {
      embeddings.push_back(escaped(layer.name));
    } else if (std::regex_match(layer.name, names_of_attention)) {
      attention.push_back(escaped(layer.name));
    } else {
      others.push_back(escaped(layer.name));
    }
  }
  std::vector<std::string> stages;
  const auto add = [&](const std::vector<std::string>& names) {
    if (!names.empty()) stages.push_back(fmt::format("{}", fmt::join(names, "|")));
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
