// One layer of BERT, with the names of Hugging Face's transformers.
#pragma once

#include <torch/torch.h>

#include <memory>
#include <string>

#include "parsimony/models/bert.hpp"

namespace parsimony::models {

/// Registers a module under a path with dots: containers without parameters are made between.
template <class Holder>
Holder register_at(torch::nn::Module& root, const std::string& path, Holder module) {
  torch::nn::Module* at = &root;
  std::size_t begin = 0;
  for (std::size_t dot = path.find('.'); dot != path.npos; begin = dot + 1, dot = path.find('.', begin)) {
    const std::string name = path.substr(begin, dot - begin);
    const auto children = at->named_children();
    if (const auto* found = children.find(name)) {
      at = found->get();
    } else {
      at = at->register_module(name, std::make_shared<torch::nn::Module>(name)).get();
    }
  }
  return at->register_module(path.substr(begin), module);
}

torch::nn::Linear bert_linear(std::int64_t in, std::int64_t out);
torch::nn::LayerNorm bert_norm(const BertOptions& options);

/// Attention and feed-forward, each followed by a norm of its sum with its input.
class BertLayer : public torch::nn::Module {
 public:
  explicit BertLayer(const BertOptions& options);

  /// x: n × t × width. hidden: n × 1 × 1 × t, true for positions that no other sees.
  torch::Tensor forward(const torch::Tensor& x, const torch::Tensor& hidden);

 private:
  torch::Tensor attend(const torch::Tensor& x, const torch::Tensor& hidden);

  std::int64_t heads_;
  double dropout_;
  torch::nn::Linear query_, key_, value_, attention_output_, inner_, output_;
  torch::nn::LayerNorm attention_norm_, output_norm_;
};

}  // namespace parsimony::models
