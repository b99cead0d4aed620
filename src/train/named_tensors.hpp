// The tensors of a model under all their names.
#pragma once

#include <torch/torch.h>

#include <string>
#include <vector>

namespace parsimony::train {

struct NamedTensor {
  std::vector<std::string> names;  ///< several if modules share the tensor
  torch::Tensor tensor;
  bool buffer = false;
};

/// Parameters, then buffers, each once. Undefined tensors are left out.
std::vector<NamedTensor> named_tensors(const torch::nn::Module& model);

}  // namespace parsimony::train
