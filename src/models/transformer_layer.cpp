#include "models/transformer_layer.hpp"

#include <cmath>
#include <limits>

namespace parsimony::models {
namespace {

torch::nn::Linear linear(std::int64_t in, std::int64_t out) {
  torch::nn::Linear layer(in, out);
  torch::nn::init::xavier_uniform_(layer->weight);
  torch::nn::init::zeros_(layer->bias);
  return layer;
}

torch::nn::LayerNorm norm(std::int64_t width) {
  return torch::nn::LayerNorm(torch::nn::LayerNormOptions({width}));
}

}  // namespace

Attention::Attention(const TransformerOptions& options)
    : heads_(options.heads),
      dropout_(options.attention_dropout),
      query_input_(add_input(*this, "query", options.activation_bits)),
      output_input_(add_input(*this, "output", options.activation_bits)),
      query_(register_module("query", linear(options.width, options.width))),
      key_(register_module("key", linear(options.width, options.width))),
      value_(register_module("value", linear(options.width, options.width))),
      output_(register_module("output", linear(options.width, options.width))) {}

torch::Tensor Attention::forward(const torch::Tensor& values, const torch::Tensor& hidden) {
  const torch::Tensor x = quantize_input(query_input_, values);
  const std::int64_t n = x.size(0), t = x.size(1), each = x.size(2) / heads_;
  const auto by_head = [&](const torch::Tensor& all) {
    return all.view({n, t, heads_, each}).transpose(1, 2);  // n × heads × t × each
  };
  const torch::Tensor query = by_head(query_(x)) / std::sqrt(static_cast<double>(each));
  const torch::Tensor scores = query.matmul(by_head(key_(x)).transpose(2, 3));
  const torch::Tensor weights =
      torch::dropout(scores.masked_fill(hidden, -std::numeric_limits<double>::infinity()).softmax(-1),
                     dropout_, is_training());
  const torch::Tensor mixed = weights.matmul(by_head(value_(x))).transpose(1, 2);
  return output_(quantize_input(output_input_, mixed.reshape({n, t, heads_ * each})));
}

TransformerLayer::TransformerLayer(const TransformerOptions& options)
    : dropout_(options.dropout),
      activation_dropout_(options.activation_dropout),
      attention_norm_(register_module("attention_norm", norm(options.width))),
      attention_(register_module("attention", std::make_shared<Attention>(options))),
      feed_forward_norm_(register_module("feed_forward_norm", norm(options.width))),
      feed_forward_input_(add_input(*this, "feed_forward", options.activation_bits)),
      hidden_input_(add_input(*this, "hidden", options.activation_bits)),
      feed_forward_(register_module(
          "feed_forward",
          torch::nn::Sequential(linear(options.width, options.feed_forward), torch::nn::ReLU(),
                                linear(options.feed_forward, options.width)))) {}

torch::Tensor TransformerLayer::forward(torch::Tensor x, const torch::Tensor& hidden) {
  const auto dropped = [&](const torch::Tensor& y) { return torch::dropout(y, dropout_, is_training()); };
  x = x + dropped(attention_->forward(attention_norm_(x), hidden));
  // Calls the parts one by one, as the input of the second linear layer is inside the Sequential.
  const auto part = [&](std::size_t i) { return feed_forward_->ptr<torch::nn::LinearImpl>(i); };
  const torch::Tensor inner =
      torch::relu(part(0)->forward(quantize_input(feed_forward_input_, feed_forward_norm_(x))));
  const torch::Tensor kept = torch::dropout(inner, activation_dropout_, is_training());
  return x + dropped(part(2)->forward(quantize_input(hidden_input_, kept)));
}

}  // namespace parsimony::models
