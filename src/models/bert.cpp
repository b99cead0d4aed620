#include "parsimony/models/bert.hpp"

#include <fmt/format.h>

#include "core/count_of.hpp"
#include "models/bert_layer.hpp"
#include "models/layer_drop.hpp"
#include "parsimony/core/error.hpp"
#include "train/step_stop.hpp"

namespace parsimony::models {
namespace {

void draw_bert_weights(torch::nn::Module& model) {
  constexpr double kDeviation = 0.02;
  const torch::NoGradGuard no_gradient;
  for (const auto& item : model.named_parameters()) {
    if (item.value().dim() > 1) {
      item.value().normal_(0, kDeviation);
    } else if (item.key().ends_with("bias")) {
      item.value().zero_();
    }
  }
}

void check_tokens(const torch::Tensor& tokens, std::int64_t count, const char* what) {
  if (tokens.dim() != 2 || tokens.numel() == 0 || tokens.scalar_type() != torch::kLong) {
    refuse(fmt::format("{}: must be int64, n × t, and not empty", what));
  }
  const auto low = tokens.min().item<std::int64_t>(), high = tokens.max().item<std::int64_t>();
  if (low >= 0 && high < count) return;
  refuse(fmt::format("{}: one is {}; must be in 0 to {}", what, low < 0 ? low : high, count - 1));
}

}  // namespace

struct Bert::Parts {
  torch::nn::Embedding words{nullptr}, positions{nullptr}, types{nullptr};
  torch::nn::LayerNorm norm{nullptr};
  std::vector<std::shared_ptr<BertLayer>> blocks;
  std::shared_ptr<torch::nn::Module> layers;  // has each block under the name of its layer, or of both
  torch::nn::Linear dense{nullptr};           // the pooler, or the first layer of a head
  torch::nn::LayerNorm head_norm{nullptr};
  torch::nn::Linear classifier{nullptr};
  torch::Tensor bias;  // added to the scores of the vocabulary
};

Bert::Bert(const BertOptions& options) : options_(options), parts_(std::make_shared<Parts>()) {
  validate_fields(options);
  if (options.width % options.heads != 0) {
    refuse(fmt::format("width: is {}; must be a multiple of the {}", options.width,
                       count_of(options.heads, "head")));
  }
  const bool roberta = options.family == EncoderFamily::roberta;
  if (roberta && options.positions <= options.padding_token + 1) {
    refuse(fmt::format("positions: are {}; must be more than padding_token + 1, {}", options.positions,
                       options.padding_token + 1));
  }
  Parts& parts = *parts_;
  const std::string base = options.head == EncoderHead::none ? "" : roberta ? "roberta." : "bert.";
  const std::int64_t width = options.width;
  const auto linear = [&](const std::string& name, std::int64_t out) {
    return register_at(*this, name, bert_linear(width, out));
  };
  const auto embedding = [&](const char* name, std::int64_t rows) {
    return register_at(*this, base + "embeddings." + name, torch::nn::Embedding(rows, width));
  };
  parts.words = embedding("word_embeddings", options.vocabulary);
  parts.positions = embedding("position_embeddings", options.positions);
  parts.types = embedding("token_type_embeddings", options.token_types);
  parts.norm = register_at(*this, base + "embeddings.LayerNorm", bert_norm(options));
  parts.layers = register_at(*this, base + "encoder.layer", std::make_shared<torch::nn::Module>("layer"));
  for (std::int64_t i = 0; i < block_count(options.layers, options.share_adjacent); ++i) {
    parts.blocks.push_back(std::make_shared<BertLayer>(options));
  }
  register_layers();
  switch (options.head) {
    case EncoderHead::none:
      if (options.pooler) parts.dense = linear("pooler.dense", width);
      break;
    case EncoderHead::classification:
      parts.dense = linear(roberta ? "classifier.dense" : "bert.pooler.dense", width);
      parts.classifier = linear(roberta ? "classifier.out_proj" : "classifier", options.classes);
      break;
    case EncoderHead::masked_language: {
      const std::string head = roberta ? "lm_head." : "cls.predictions.";
      parts.dense = linear(head + (roberta ? "dense" : "transform.dense"), width);
      parts.head_norm =
          register_at(*this, head + (roberta ? "layer_norm" : "transform.LayerNorm"), bert_norm(options));
      // Both are shared, and files may have either name: the weight with the embedding, the bias with its
      // other name.
      auto decoder = register_at(*this, head + "decoder", std::make_shared<torch::nn::Module>("decoder"));
      decoder->register_parameter("weight", parts.words->weight);
      parts.bias = decoder->register_parameter("bias", torch::zeros({options.vocabulary}));
      torch::nn::Module* outer = roberta ? named_children()["lm_head"].get()
                                         : named_children()["cls"]->named_children()["predictions"].get();
      outer->register_parameter("bias", parts.bias);
    }
  }
  draw_bert_weights(*this);
}

std::int64_t Bert::blocks() const {
  return std::ssize(parts_->blocks);
}

std::shared_ptr<torch::nn::Module> Bert::block(std::int64_t i) const {
  return parts_->blocks.at(i);
}

void Bert::register_layers() {
  for (std::int64_t layer = 0; layer < options_.layers; ++layer) {
    parts_->layers->register_module(std::to_string(layer),
                                    parts_->blocks[options_.share_adjacent ? layer / 2 : layer]);
  }
}

void Bert::keep_blocks(std::span<const std::int64_t> keep) {
  const std::int64_t left = layers_of_blocks(keep, options_.layers, options_.share_adjacent);
  std::vector<std::shared_ptr<BertLayer>> kept;
  for (const std::int64_t block : keep) kept.push_back(parts_->blocks[block]);
  for (std::int64_t layer = 0; layer < options_.layers; ++layer) {
    parts_->layers->unregister_module(std::to_string(layer));
  }
  parts_->blocks = std::move(kept);
  options_.layers = left;
  register_layers();
}

void Bert::save(torch::serialize::OutputArchive& archive) const {
  torch::nn::Module::save(archive);
  archive.write("layer_drop_step", torch::tensor(step_, torch::kLong), true);
}

void Bert::load(torch::serialize::InputArchive& archive) {
  torch::nn::Module::load(archive);
  torch::Tensor step;
  archive.read("layer_drop_step", step, true);
  step_ = step.item<std::int64_t>();
}

torch::Tensor Bert::encode(const torch::Tensor& tokens, const torch::Tensor& token_types,
                           std::vector<torch::Tensor>* states) {
  check_tokens(tokens, options_.vocabulary, "tokens");
  if (token_types.defined()) check_tokens(token_types, options_.token_types, "token_types");
  const bool roberta = options_.family == EncoderFamily::roberta;
  const std::int64_t most = roberta ? options_.positions - options_.padding_token - 1 : options_.positions;
  if (tokens.size(1) > most) {
    refuse(fmt::format("tokens: {} in a text; must be at most {}, the positions of the model", tokens.size(1),
                       most));
  }
  const torch::Tensor padding = tokens.eq(options_.padding_token);
  torch::Tensor positions = torch::arange(tokens.size(1), torch::kLong).unsqueeze(0);
  if (roberta) {
    const torch::Tensor real = padding.logical_not().to(torch::kLong);
    positions = real.cumsum(1) * real + options_.padding_token;
  }
  const torch::Tensor types = token_types.defined() ? token_types : torch::zeros_like(tokens);
  torch::Tensor x = parts_->norm(parts_->words(tokens) + parts_->positions(positions) + parts_->types(types));
  x = torch::dropout(x, options_.dropout, is_training());
  const torch::Tensor hidden = padding.unsqueeze(1).unsqueeze(1);
  std::vector<bool> dropped(parts_->blocks.size());
  if (is_training() && options_.layer_drop > 0) {
    dropped = draw_dropped_blocks(blocks(), options_.layer_drop, options_.seed, "bert.layer_drop", step_++);
  }
  for (std::int64_t layer = 0; layer < options_.layers; ++layer) {
    const std::int64_t block = options_.share_adjacent ? layer / 2 : layer;
    train::check_step();
    if (!dropped[block]) x = parts_->blocks[block]->forward(x, hidden);
    if (states != nullptr) states->push_back(x);
  }
  return x;
}

torch::Tensor Bert::forward(const torch::Tensor& tokens, const torch::Tensor& token_types,
                            std::vector<torch::Tensor>* states) {
  const auto dropped = [&](const torch::Tensor& y) {
    return torch::dropout(y, options_.dropout, is_training());
  };
  torch::Tensor x = encode(tokens, token_types, states);
  if (parts_->dense.is_empty()) return x;
  if (options_.head == EncoderHead::masked_language) {
    x = parts_->head_norm(torch::gelu(parts_->dense(x)));
    return torch::linear(x, parts_->words->weight, parts_->bias);
  }
  x = x.select(1, 0);  // the first token stands for the text
  if (options_.head == EncoderHead::none) return torch::tanh(parts_->dense(x));
  if (options_.family == EncoderFamily::roberta) x = dropped(x);
  return parts_->classifier(dropped(torch::tanh(parts_->dense(x))));
}

}  // namespace parsimony::models
