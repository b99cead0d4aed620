// The layers of a Transformer.
#pragma once

#include <torch/torch.h>

#include "models/layer_input.hpp"
#include "parsimony/models/transformer.hpp"

namespace parsimony::models {

class Attention : public torch::nn::Module {
 public:
  explicit Attention(const TransformerOptions& options);

  /// values: n × t × width; hidden: t × t, true where a row must not see a column.
  torch::Tensor forward(const torch::Tensor& values, const torch::Tensor& hidden);

 private:
  std::int64_t heads_;
  double dropout_;                                       // drops weights of attention
  train::IntegerActivation query_input_, output_input_;  // input of query, key and value; input of output
  torch::nn::Linear query_, key_, value_, output_;
};

class TransformerLayer : public torch::nn::Module {
 public:
  explicit TransformerLayer(const TransformerOptions& options);

  torch::Tensor forward(torch::Tensor x, const torch::Tensor& hidden);

 private:
  double dropout_, activation_dropout_;
  torch::nn::LayerNorm attention_norm_;
  std::shared_ptr<Attention> attention_;
  torch::nn::LayerNorm feed_forward_norm_;
  train::IntegerActivation feed_forward_input_,
      hidden_input_;  // inputs of the first and the second linear layer
  torch::nn::Sequential feed_forward_;
};

}  // namespace parsimony::models
