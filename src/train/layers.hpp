// The layers of a model whose weights are quantized.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace parsimony::train {

struct Layer {
  std::string name;                 ///< dotted name, like that of its parameters; empty for the model itself
  torch::Tensor* weight = nullptr;  ///< the member that its forward reads
  std::int64_t kernel = 1;          ///< positions of a convolution kernel
  bool convolution = false;
  bool embedding = false;
  std::int64_t padding_row = -1;  ///< padding row of an embedding; -1: none
  bool training = true;
  std::shared_ptr<torch::nn::Module> module;  ///< keeps `weight` alive; empty for the model itself
};

/// All Linear, Embedding, EmbeddingBag and Conv1d to Conv3d, in the order of registration. A module that is
/// registered twice is listed once.
std::vector<Layer> weight_layers(torch::nn::Module& model);

}  // namespace parsimony::train
