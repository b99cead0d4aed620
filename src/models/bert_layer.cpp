#include "models/bert_layer.hpp"

#include <cmath>

namespace parsimony::models {

torch::nn::Linear bert_linear(std::int64_t in, std::int64_t out) {
  return torch::nn::Linear(in, out);
}

torch::nn::LayerNorm bert_norm(const BertOptions& options) {
  return torch::nn::LayerNorm(torch::nn::LayerNormOptions({options.width}).eps(options.norm_epsilon));
}

BertLayer::BertLayer(const BertOptions& options)
    : heads_(options.heads),
      dropout_(options.dropout),
      query_(register_at(*this, "attention.self.query", bert_linear(options.width, options.width))),
      key_(register_at(*this, "attention.self.key", bert_linear(options.width, options.width))),
      value_(register_at(*this, "attention.self.value", bert_linear(options.width, options.width))),
      attention_output_(
          register_at(*this, "attention.output.dense", bert_linear(options.width, options.width))),
      inner_(register_at(*this, "intermediate.dense", bert_linear(options.width, options.feed_forward))),
      output_(register_at(*this, "output.dense", bert_linear(options.feed_forward, options.width))),
      attention_norm_(register_at(*this, "attention.output.LayerNorm", bert_norm(options))),
      output_norm_(register_at(*this, "output.LayerNorm", bert_norm(options))) {}

torch::Tensor BertLayer::attend(const torch::Tensor& x, const torch::Tensor& hidden) {
  const std::int64_t n = x.size(0), t = x.size(1), each = x.size(2) / heads_;
  const auto by_head = [&](const torch::Tensor& all) {
    return all.view({n, t, heads_, each}).transpose(1, 2);  // n × heads × t × each
  };
  const torch::Tensor query = by_head(query_(x)) / std::sqrt(static_cast<double>(each));
  // Not −∞: a text of padding alone must not become NaN. Nor the lowest float, which bfloat16 does not have.
  constexpr double kHidden = -3e38;
  const torch::Tensor scores = query.matmul(by_head(key_(x)).transpose(2, 3)).masked_fill(hidden, kHidden);
  const torch::Tensor weights = torch::dropout(scores.softmax(-1), dropout_, is_training());
  return weights.matmul(by_head(value_(x))).transpose(1, 2).reshape({n, t, heads_ * each});
}

torch::Tensor BertLayer::forward(const torch::Tensor& x, const torch::Tensor& hidden) {
  const auto dropped = [&](const torch::Tensor& y) { return torch::dropout(y, dropout_, is_training()); };
  const torch::Tensor attended = attention_norm_(x + dropped(attention_output_(attend(x, hidden))));
  return output_norm_(attended + dropped(output_(torch::gelu(inner_(attended)))));
}

}  // namespace parsimony::models
