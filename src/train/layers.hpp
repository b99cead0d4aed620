// The layers of a model whose weights are quantized.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace parsimony::train {

struct Layer {
  std::string name;                 ///< dotted, as the parameters are named; empty: the model itself
  torch::Tensor* weight = nullptr;  ///< what its forward reads
  std::int64_t kernel = 1;          ///< positions of a convolution's kernel
  bool convolution = false;
  bool embedding = false;
  std::int64_t padding_row = -1;  ///< of an embedding
  bool training = true;
  std::shared_ptr<torch::nn::Module> module;  ///< keeps it alive; none for the model itself
};

/// Linear, Embedding, EmbeddingBag, Conv1d to Conv3d, in the order of registration; a module that is
/// registered twice, once.
std::vector<Layer> weight_layers(torch::nn::Module& model);

}  // namespace parsimony::train
