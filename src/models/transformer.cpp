#include "parsimony/models/transformer.hpp"

#include <fmt/format.h>
#include <torch/torch.h>

#include <cmath>

#include "models/transformer_layer.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/core/random.hpp"

namespace parsimony::models {
namespace {

constexpr std::string_view kDropStream = "transformer.layer_drop";

// Each row has sines and cosines of the position with wave lengths from 2π to 20,000 π.
torch::Tensor sines(std::int64_t context, std::int64_t width) {
  const std::int64_t half = width / 2;
  const double step = std::log(10000.0) / static_cast<double>(std::max<std::int64_t>(half - 1, 1));
  const torch::Tensor rates = torch::exp(torch::arange(half, torch::kDouble) * -step);
  const torch::Tensor angles = torch::arange(context, torch::kDouble).unsqueeze(1) * rates;
  return torch::cat({angles.sin(), angles.cos()}, 1).to(torch::kFloat);
}

void check(const TransformerOptions& options) {
  validate_fields(options);
  if (options.width % options.heads != 0 || options.width % 2 != 0) {
    refuse(fmt::format("width: {} values for {} heads; must be even and a multiple of the heads",
                       options.width, options.heads));
  }
}

}  // namespace

Transformer::Transformer(const TransformerOptions& options) : options_(options) {
  check(options);
  positions_ = sines(options.context, options.width);
  embedding_ = register_module("embedding", torch::nn::Embedding(options.vocabulary, options.width));
  torch::nn::init::normal_(embedding_->weight, 0, 1 / std::sqrt(static_cast<double>(options.width)));
  layers_ = register_module("layers", torch::nn::ModuleList());
  const std::int64_t count = options.share_adjacent ? (options.layers + 1) / 2 : options.layers;
  for (std::int64_t i = 0; i < count; ++i) layers_->push_back(std::make_shared<TransformerLayer>(options));
  output_input_ = add_input(*this, "output", options.activation_bits);
  norm_ = register_module("norm", torch::nn::LayerNorm(torch::nn::LayerNormOptions({options.width})));
  if (options.tied_embeddings) return;
  output_ = register_module(
      "output", torch::nn::Linear(torch::nn::LinearOptions(options.width, options.vocabulary).bias(false)));
  torch::nn::init::normal_(output_->weight, 0, 1 / std::sqrt(static_cast<double>(options.width)));
}

std::int64_t Transformer::blocks() const {
  return static_cast<std::int64_t>(layers_->size());
}

std::vector<bool> Transformer::dropped_blocks(std::int64_t step) const {
  const RandomStream draws(options_.seed, kDropStream, static_cast<std::uint64_t>(step));
  std::vector<bool> dropped(blocks());
  for (std::int64_t i = 0; i < blocks(); ++i) dropped[i] = draws.uniform(i) < options_.layer_drop;
  return dropped;
}

torch::Tensor Transformer::forward(const torch::Tensor& tokens) {
  if (tokens.dim() != 2 || tokens.size(1) > options_.context) {
    refuse(
        fmt::format("tokens: must be windows of {} tokens at most, in two dimensions; have {} "
                    "dimensions, the last of {}",
                    options_.context, tokens.dim(), tokens.size(-1)));
  }
  const std::int64_t length = tokens.size(1);
  torch::Tensor x = embedding_(tokens) * std::sqrt(static_cast<double>(options_.width));
  x = torch::dropout(x + positions_.slice(0, 0, length).to(x.options()), options_.dropout, is_training());
  const torch::Tensor hidden = torch::ones({length, length}, torch::kBool).triu(1).to(x.device());

  std::vector<bool> dropped(blocks());
  if (is_training() && options_.layer_drop > 0) dropped = dropped_blocks(step_++);
  for (std::int64_t depth = 0; depth < options_.layers; ++depth) {
    const std::int64_t block = options_.share_adjacent ? depth / 2 : depth;
    if (!dropped[block]) x = layers_->ptr<TransformerLayer>(block)->forward(x, hidden);
  }
  x = quantize_input(output_input_, norm_(x));
  return output_ ? output_(x) : torch::linear(x, embedding_->weight);
}

void Transformer::keep_blocks(std::span<const std::int64_t> keep) {
  std::int64_t last = -1, layers = 0;
  for (const std::int64_t block : keep) {
    if (block <= last || block >= blocks()) {
      refuse(fmt::format("keep: block {} after {}; must be numbers below {} in increasing order", block, last,
                         blocks()));
    }
    last = block;
    // With an odd number of shared layers the last one has its own block.
    const bool pair = options_.share_adjacent && 2 * block + 1 < options_.layers;
    layers += pair ? 2 : 1;
  }
  if (keep.empty()) refuse("keep: no block; at least one must stay");
  torch::nn::ModuleList kept;
  for (const std::int64_t block : keep) kept->push_back(layers_->ptr(block));
  layers_ = replace_module("layers", kept);
  options_.layers = layers;
}

void Transformer::save(torch::serialize::OutputArchive& archive) const {
  torch::nn::Module::save(archive);
  archive.write("layer_drop_step", torch::tensor(step_, torch::kLong), true);
}

void Transformer::load(torch::serialize::InputArchive& archive) {
  torch::nn::Module::load(archive);
  torch::Tensor step;
  archive.read("layer_drop_step", step, true);
  step_ = step.item<std::int64_t>();
}

std::vector<std::int64_t> every_other_block(std::int64_t blocks) {
  std::vector<std::int64_t> keep;
  for (std::int64_t i = 0; i < blocks; i += 2) keep.push_back(i);
  return keep;
}

}  // namespace parsimony::models
