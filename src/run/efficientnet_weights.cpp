#include "run/efficientnet_weights.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdint>
#include <limits>

#include "parsimony/core/error.hpp"

namespace parsimony::run {
namespace {

class ShapeList {
 public:
  void convolution(const std::string& name, std::int64_t out, std::int64_t in, std::int64_t kernel) {
    all.push_back({name + ".weight", {out, in, kernel, kernel}});
  }
  void bias(const std::string& name, std::int64_t channels) { all.push_back({name + ".bias", {channels}}); }
  void norm(const std::string& name, std::int64_t channels) {
    for (const char* part : {".weight", ".bias", ".running_mean", ".running_var"}) {
      all.push_back({name + part, {channels}});
    }
  }

  std::vector<NamedShape> all;
};

void add_block(ShapeList& list, const std::string& name, const data::EfficientNetBlockShape& block) {
  const std::int64_t wide = block.wide();
  if (block.expansion > 1) {
    list.convolution(name + ".conv_pw", wide, block.in, 1);
    list.norm(name + ".bn1", wide);
  }
  list.convolution(name + ".conv_dw", wide, 1, block.kernel);
  list.norm(name + "." + block.depthwise_norm(), wide);
  if (block.reduced > 0) {
    list.convolution(name + ".se.conv_reduce", block.reduced, wide, 1);
    list.bias(name + ".se.conv_reduce", block.reduced);
    list.convolution(name + ".se.conv_expand", wide, block.reduced, 1);
    list.bias(name + ".se.conv_expand", wide);
  }
  list.convolution(name + "." + block.projection(), block.out, wide, 1);
  list.norm(name + "." + block.projection_norm(), block.out);
}

// Squeeze and excitation tell the variants with it from those without.
bool has_squeeze_excite(const Weights& weights) {
  for (std::size_t stage = 0; stage < 7; ++stage) {
    if (weights.has(block_name(stage, 0) + ".se.conv_reduce.weight")) return true;
  }
  return false;
}

}  // namespace

std::string block_name(std::size_t stage, std::size_t block) {
  return fmt::format("blocks.{}.{}", stage, block);
}

namespace {

// Lite0 is a part of Lite1, which has more blocks in some stages.
bool has_more_blocks(const Weights& weights, const data::EfficientNetShape& shape) {
  for (std::size_t stage = 0; stage < shape.stages.size(); ++stage) {
    if (weights.has(block_name(stage, shape.stages[stage].size()) + ".conv_dw.weight")) return true;
  }
  return false;
}

}  // namespace

std::vector<NamedShape> efficientnet_tensors(const data::EfficientNetShape& shape, std::int64_t classes) {
  ShapeList list;
  list.convolution("conv_stem", shape.stem, 3, 3);
  list.norm("bn1", shape.stem);
  for (std::size_t stage = 0; stage < shape.stages.size(); ++stage) {
    for (std::size_t block = 0; block < shape.stages[stage].size(); ++block) {
      add_block(list, block_name(stage, block), shape.stages[stage][block]);
    }
  }
  list.convolution("conv_head", shape.head, shape.stages.back().back().out, 1);
  list.norm("bn2", shape.head);
  list.all.push_back({"classifier.weight", {classes, shape.head}});
  list.bias("classifier", classes);
  return std::move(list.all);
}

data::EfficientNetVariant find_variant(const Weights& weights) {
  std::int64_t classes = 0;
  if (weights.has("classifier.weight")) {
    const std::vector<std::int64_t> shape = weights.shape_of("classifier.weight");
    if (!shape.empty()) classes = shape[0];
  }
  if (classes < 1) weights.fail("classifier.weight", "is missing or empty; an EfficientNet of timm has it");
  const bool excites = has_squeeze_excite(weights);
  std::size_t fewest = std::numeric_limits<std::size_t>::max();
  std::string_view nearest;
  NamedShape first;
  for (const auto& [variant, name] : data::names_of(data::EfficientNetVariant{})) {
    const data::EfficientNetShape shape = data::efficientnet_shape(variant);
    if (shape.lite == excites) continue;
    std::size_t wrong = 0;
    NamedShape wrong_one;
    for (NamedShape& tensor : efficientnet_tensors(shape, classes)) {
      if (weights.has(tensor.name) && weights.shape_of(tensor.name) == tensor.shape) continue;
      if (wrong++ == 0) wrong_one = std::move(tensor);
    }
    if (wrong == 0 && !has_more_blocks(weights, shape)) return variant;
    if (wrong > 0 && wrong < fewest) {
      fewest = wrong;
      nearest = name;
      first = std::move(wrong_one);
    }
  }
  const std::string asked =
      fmt::format("[{}] in EfficientNet {}, the nearest variant", fmt::join(first.shape, ", "), nearest);
  if (!weights.has(first.name)) weights.fail(first.name, fmt::format("is missing; has the shape {}", asked));
  weights.fail(first.name, fmt::format("has the shape [{}]; must have {}",
                                       fmt::join(weights.shape_of(first.name), ", "), asked));
}

data::ConvolutionPadding chosen_padding(PaddingChoice choice, const Weights& weights,
                                        const std::filesystem::path& model,
                                        const std::filesystem::path& folder) {
  switch (choice) {
    case PaddingChoice::automatic: {
      const auto config = config_file(weights, model, folder);
      return (config ? data::read_padding(*config)
                     : data::parse_padding(*weights.network(), weights.network_name()))
          .value_or(data::ConvolutionPadding::same);
    }
    case PaddingChoice::same:
      return data::ConvolutionPadding::same;
    case PaddingChoice::symmetric:
      return data::ConvolutionPadding::symmetric;
  }
  refuse("padding: not one of its values");
}

}  // namespace parsimony::run
