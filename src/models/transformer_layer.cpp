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

Attention::Attention(std::int64_t width, std::int64_t heads)
    : heads_(heads),
      query_(register_module("query", linear(width, width))),
      key_(register_module("key", linear(width, width))),
      value_(register_module("value", linear(width, width))),
      output_(register_module("output", linear(width, width))) {}

torch::Tensor Attention::forward(const torch::Tensor& x, const torch::Tensor& hidden) {
  const std::int64_t n = x.size(0), t = x.size(1), each = x.size(2) / heads_;
  const auto by_head = [&](const torch::Tensor& values) {
    return values.view({n, t, heads_, each}).transpose(1, 2);  // n × heads × t × each
  };
  const torch::Tensor query = by_head(query_(x)) / std::sqrt(static_cast<double>(each));
  const torch::Tensor scores = query.matmul(by_head(key_(x)).transpose(2, 3));
  const torch::Tensor weights =
      scores.masked_fill(hidden, -std::numeric_limits<double>::infinity()).softmax(-1);
  return output_(weights.matmul(by_head(value_(x))).transpose(1, 2).reshape({n, t, heads_ * each}));
}

TransformerLayer::TransformerLayer(const TransformerOptions& options)
    : dropout_(options.dropout),
      attention_norm_(register_module("attention_norm", norm(options.width))),
      attention_(register_module("attention", std::make_shared<Attention>(options.width, options.heads))),
      feed_forward_norm_(register_module("feed_forward_norm", norm(options.width))),
      feed_forward_(register_module(
          "feed_forward",
          torch::nn::Sequential(linear(options.width, options.feed_forward), torch::nn::ReLU(),
                                linear(options.feed_forward, options.width)))) {}

torch::Tensor TransformerLayer::forward(torch::Tensor x, const torch::Tensor& hidden) {
  const auto dropped = [&](const torch::Tensor& y) { return torch::dropout(y, dropout_, is_training()); };
  x = x + dropped(attention_->forward(attention_norm_(x), hidden));
  return x + dropped(feed_forward_->forward(feed_forward_norm_(x)));
}

}  // namespace parsimony::models
