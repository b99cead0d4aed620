// What a model has in a file.
#pragma once

#include <torch/torch.h>

#include <string>
#include <vector>

namespace parsimony::train {

struct NamedTensor {
  std::vector<std::string> names;  ///< several of one that modules share
  torch::Tensor tensor;
  bool buffer = false;
};

/// Parameters, then buffers, each once; those that are not defined are left out.
std::vector<NamedTensor> named_tensors(const torch::nn::Module& model);

}  // namespace parsimony::train
