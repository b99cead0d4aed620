// Implements add_encoder of run/onnx/export_network.hpp.
#include <fmt/format.h>

#include <array>
#include <cmath>
#include <limits>
#include <numbers>

#include "run/encoder_names.hpp"
#include "run/onnx/export_network.hpp"
#include "run/pointwise.hpp"

namespace parsimony::run {
namespace {

constexpr std::int64_t kFloatType = static_cast<std::int64_t>(OnnxType::float32),
                       kIntegerType = static_cast<std::int64_t>(OnnxType::int64);

class EncoderExport {
 public:
  EncoderExport(OnnxLayers& layers, Weights& weights, const data::EncoderConfig& config)
      : layers_(layers),
        graph_(layers.graph),
        weights_(weights),
        config_(config),
        base_(encoder_base(weights)) {
    const std::int64_t each = config.width / config.heads;
    split_ = graph_.list({0, 0, config.heads, each});
    joined_ = graph_.list({0, 0, config.width});
    scale_ = graph_.scalar(1 / std::sqrt(static_cast<float>(each)));
  }

  void run() {
    graph_.input("input_ids", OnnxType::int64, {"batch", "tokens"});
    graph_.input("attention_mask", OnnxType::int64, {"batch", "tokens"});
    if (types()) graph_.input("token_type_ids", OnnxType::int64, {"batch", "tokens"});
    std::string x = embeddings();
    const std::string mask = scores_mask();
    for (std::int64_t i = 0; i < config_.layers; ++i) {
      x = layer(x, mask, fmt::format("{}encoder.layer.{}", base_, i));
    }
    const HeadNames head = encoder_head(weights_, config_);
    if (head.scores.empty()) {
      graph_.rename(x, "last_hidden_state");
      graph_.output("last_hidden_state", OnnxType::float32, {"batch", "tokens", config_.width});
      return;
    }
    const std::int64_t zero = 0;
    const std::string first =
        graph_.node("Gather", {x, graph_.constant("", {}, std::span<const std::int64_t>(&zero, 1))},
                    {{"axis", std::int64_t{1}}});
    const std::string dense = graph_.node("Tanh", {linear(first, head.dense, config_.width, config_.width)});
    const std::vector<std::int64_t> shape = weights_.shape_of(head.scores + ".weight");
    const std::int64_t classes = shape.empty() ? 0 : shape[0];
    if (classes < 1) weights_.fail(head.scores + ".weight", "has no outputs; must have one for each class");
    graph_.rename(linear(dense, head.scores, classes, config_.width), "logits");
    graph_.output("logits", OnnxType::float32, {"batch", classes});
  }

 private:
  bool types() const { return config_.kind == data::EncoderKind::bert; }

  OnnxWeight weight(const std::string& name, std::int64_t rows, std::int64_t columns) {
    weights_.check_shape(name + ".weight", std::array{rows, columns});
    return {name, {rows, columns}, decoded_weight(weights_, name + ".weight")};
  }
  std::string linear(const std::string& x, const std::string& name, std::int64_t outputs,
                     std::int64_t inputs) {
    return layers_.linear(x, weight(name, outputs, inputs),
                          weights_.values(name + ".bias", std::array{outputs}));
  }
  std::string norm(const std::string& x, const std::string& name) {
    const auto part = [&](const char* which) {
      const std::vector<float> values = weights_.values(name + which, std::array{config_.width});
      return graph_.constant(name + which, {config_.width}, std::span<const float>(values));
    };
    return graph_.node("LayerNormalization", {x, part(".weight"), part(".bias")},
                       {{"axis", std::int64_t{-1}}, {"epsilon", static_cast<float>(config_.norm_epsilon)}});
  }

  std::string embeddings() {
    const std::string name = base_ + "embeddings.";
    const std::string words =
        layers_.embedding("input_ids", weight(name + "word_embeddings", config_.vocabulary, config_.width));
    const std::string places = layers_.embedding(
        positions(), weight(name + "position_embeddings", config_.positions, config_.width));
    const OnnxWeight all_types = weight(name + "token_type_embeddings", config_.token_types, config_.width);
    std::string kinds;
    if (types()) {
      kinds = layers_.embedding("token_type_ids", all_types);
    } else {
      kinds = graph_.constant(all_types.name, {config_.width},
                              std::span<const float>(all_types.values).first(config_.width));
    }
    return norm(graph_.node("Add", {graph_.node("Add", {words, kinds}), places}), name + "LayerNorm");
  }

  // 0, 1, … in BERT. RoBERTa counts from the padding token on, and gives its own number to padding.
  std::string positions() {
    const std::int64_t zero = 0, one = 1, padding = config_.padding_token;
    const auto whole = [&](const std::int64_t& value) {
      return graph_.constant("", {}, std::span<const std::int64_t>(&value, 1));
    };
    if (config_.kind == data::EncoderKind::bert) {
      const std::string tokens = graph_.node("Gather", {graph_.node("Shape", {"input_ids"}), whole(one)});
      return graph_.node("Range", {whole(zero), tokens, whole(one)});
    }
    const std::string is_padding = graph_.node("Equal", {"input_ids", whole(padding)});
    const std::string real = graph_.node("Cast", {graph_.node("Not", {is_padding})}, {{"to", kIntegerType}});
    const std::string count = graph_.node("CumSum", {real, whole(one)});
    return graph_.node("Add", {graph_.node("Mul", {count, real}), whole(padding)});
  }

  // Large negative numbers where there is padding, for all heads and queries.
  std::string scores_mask() {
    const std::string real = graph_.node("Cast", {"attention_mask"}, {{"to", kFloatType}});
    const std::string hidden = graph_.node("Sub", {graph_.scalar(1), real});
    const std::string large =
        graph_.node("Mul", {hidden, graph_.scalar(std::numeric_limits<float>::lowest())});
    return graph_.node("Unsqueeze", {large, graph_.list({1, 2})});
  }

  std::string heads(const std::string& x, const std::string& name, const std::vector<std::int64_t>& order) {
    const std::string all = linear(x, name, config_.width, config_.width);
    return graph_.node("Transpose", {graph_.node("Reshape", {all, split_})}, {{"perm", order}});
  }

  std::string layer(const std::string& x, const std::string& mask, const std::string& name) {
    const std::string self = name + ".attention.self.";
    const std::string query = heads(x, self + "query", {0, 2, 1, 3}),
                      key = heads(x, self + "key", {0, 2, 3, 1}),
                      value = heads(x, self + "value", {0, 2, 1, 3});
    const std::string scores =
        graph_.node("Add", {graph_.node("Mul", {graph_.node("MatMul", {query, key}), scale_}), mask});
    const std::string shares = graph_.node("Softmax", {scores}, {{"axis", std::int64_t{-1}}});
    const std::string seen = graph_.node("Transpose", {graph_.node("MatMul", {shares, value})},
                                         {{"perm", std::vector<std::int64_t>{0, 2, 1, 3}}});
    const std::string attention = linear(graph_.node("Reshape", {seen, joined_}),
                                         name + ".attention.output.dense", config_.width, config_.width);
    const std::string y = norm(graph_.node("Add", {attention, x}), name + ".attention.output.LayerNorm");
    const std::string inner =
        gelu(linear(y, name + ".intermediate.dense", config_.feed_forward, config_.width));
    const std::string output = linear(inner, name + ".output.dense", config_.width, config_.feed_forward);
    return norm(graph_.node("Add", {output, y}), name + ".output.LayerNorm");
  }

  // x (1 + erf(x / √2)) / 2.
  std::string gelu(const std::string& x) {
    const std::string error =
        graph_.node("Erf", {graph_.node("Div", {x, graph_.scalar(std::numbers::sqrt2_v<float>)})});
    const std::string sum = graph_.node("Mul", {x, graph_.node("Add", {error, graph_.scalar(1)})});
    return graph_.node("Mul", {sum, graph_.scalar(0.5F)});
  }

  OnnxLayers& layers_;
  OnnxGraph& graph_;
  Weights& weights_;
  const data::EncoderConfig& config_;
  std::string base_, split_, joined_, scale_;
};

}  // namespace

void add_encoder(OnnxLayers& layers, Weights& weights, const data::EncoderConfig& config) {
  EncoderExport(layers, weights, config).run();
}

}  // namespace parsimony::run
