#include "parsimony/models/transformer.hpp"

#include <fmt/format.h>
#include <torch/torch.h>

#include <cmath>

#include "core/count_of.hpp"
#include "models/adaptive_embedding.hpp"
#include "models/layer_drop.hpp"
#include "models/transformer_layer.hpp"
#include "parsimony/core/error.hpp"
#include "train/step_stop.hpp"

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
    refuse(fmt::format("width: {} for {}; must be even and a multiple of the heads",
                       count_of(options.width, "value"), count_of(options.heads, "head")));
  }
  if (!options.cutoffs.empty() && !options.tied_embeddings) {
    refuse("tied_embeddings: is false; must be true with cutoffs, whose softmax has the embedding's weights");
  }
}

torch::Tensor log_softmax(const torch::Tensor& logits) {
  return (logits.scalar_type() == torch::kBFloat16 ? logits.to(torch::kFloat) : logits).log_softmax(-1);
}

}  // namespace

Transformer::Transformer(const TransformerOptions& options) : options_(options) {
  check(options);
  positions_ = sines(options.first_position + options.context, options.width);
  if (options.cutoffs.empty()) {
    embedding_ = register_module("embedding", torch::nn::Embedding(options.vocabulary, options.width));
    torch::nn::init::normal_(embedding_->weight, 0, 1 / std::sqrt(static_cast<double>(options.width)));
  } else {
    adaptive_ = register_module(
        "embedding", std::make_shared<AdaptiveEmbedding>(options.vocabulary, options.width, options.cutoffs,
                                                         options.band_factor));
    const auto classes = static_cast<std::int64_t>(options.cutoffs.size());
    classes_ = register_module(
        "output_classes", torch::nn::Linear(torch::nn::LinearOptions(options.width, classes).bias(false)));
    torch::nn::init::xavier_uniform_(classes_->weight);
  }
  layers_ = register_module("layers", torch::nn::ModuleList());
  const std::int64_t count = block_count(options.layers, options.share_adjacent);
  for (std::int64_t i = 0; i < count; ++i) layers_->push_back(std::make_shared<TransformerLayer>(options));
  output_input_ = add_input(*this, "output", options.activation_bits);
  if (options.final_norm) {
    norm_ = register_module("norm", torch::nn::LayerNorm(torch::nn::LayerNormOptions({options.width})));
  }
  if (options.tied_embeddings) return;
  output_ = register_module(
      "output", torch::nn::Linear(torch::nn::LinearOptions(options.width, options.vocabulary).bias(false)));
  torch::nn::init::normal_(output_->weight, 0, 1 / std::sqrt(static_cast<double>(options.width)));
}

std::int64_t Transformer::blocks() const {
  return static_cast<std::int64_t>(layers_->size());
}

std::shared_ptr<torch::nn::Module> Transformer::block(std::int64_t i) const {
  return layers_->ptr(i);
}

std::vector<bool> Transformer::dropped_blocks(std::int64_t step) const {
  return draw_dropped_blocks(blocks(), options_.layer_drop, options_.seed, kDropStream, step);
}

torch::Tensor Transformer::hidden_states(const torch::Tensor& tokens, std::vector<torch::Tensor>* states) {
  if (tokens.dim() != 2 || tokens.size(1) > options_.context) {
    refuse(fmt::format("tokens: must be windows of {} at most, in two dimensions; have {}, the last of {}",
                       count_of(options_.context, "token"), count_of(tokens.dim(), "dimension"),
                       tokens.size(-1)));
  }
  const std::int64_t length = tokens.size(1), first = options_.first_position;
  torch::Tensor x = adaptive_ ? adaptive_->forward(tokens) : embedding_(tokens);
  x = x * std::sqrt(static_cast<double>(options_.width));
  x = torch::dropout(x + positions_.slice(0, first, first + length).to(x.options()), options_.dropout,
                     is_training());
  const torch::Tensor hidden = torch::ones({length, length}, torch::kBool).triu(1).to(x.device());

  std::vector<bool> dropped(blocks());
  if (is_training() && options_.layer_drop > 0) dropped = dropped_blocks(step_++);
  for (std::int64_t depth = 0; depth < options_.layers; ++depth) {
    const std::int64_t block = options_.share_adjacent ? depth / 2 : depth;
    train::check_step();
    if (!dropped[block]) x = layers_->ptr<TransformerLayer>(block)->forward(x, hidden);
    if (states != nullptr) states->push_back(x);
  }
  return quantize_input(output_input_, norm_.is_empty() ? x : norm_(x));
}

torch::Tensor Transformer::forward(const torch::Tensor& tokens, std::vector<torch::Tensor>* states) {
  const torch::Tensor x = hidden_states(tokens, states);
  if (output_) return output_(x);
  if (!adaptive_) return torch::linear(x, embedding_->weight);
  const torch::Tensor rows = x.flatten(0, 1);
  return adaptive_->log_probabilities(rows, classes_(rows)).view({x.size(0), x.size(1), -1});
}

torch::Tensor Transformer::log_probabilities(const torch::Tensor& tokens, const torch::Tensor& targets) {
  if (!adaptive_) return log_softmax(forward(tokens)).gather(2, targets.unsqueeze(2)).squeeze(2);
  const torch::Tensor rows = hidden_states(tokens, nullptr).flatten(0, 1);
  return adaptive_->log_probabilities(rows, classes_(rows), targets.flatten()).view(targets.sizes());
}

void Transformer::keep_blocks(std::span<const std::int64_t> keep) {
  const std::int64_t layers = layers_of_blocks(keep, options_.layers, options_.share_adjacent);
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

}  // namespace parsimony::models
