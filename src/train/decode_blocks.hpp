// Decodes a weight from codes and centroids; its backward pass averages the gradients of each centroid.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <vector>

namespace parsimony::train {

/// centroids: K × d. index: for each value of the weight, in C order, its position among the K · d values of
/// the codebook. counts: the number of values in all weights that have each position, at least 1.
struct DecodeBlocks : torch::autograd::Function<DecodeBlocks> {
  static torch::Tensor forward(torch::autograd::AutogradContext* context, const torch::Tensor& centroids,
                               const torch::Tensor& index, const torch::Tensor& counts,
                               const std::vector<std::int64_t>& shape) {
    context->save_for_backward({index, counts});
    context->saved_data["rows"] = centroids.size(0);
    return centroids.flatten().index_select(0, index).view(shape);
  }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const auto saved = context->get_saved_variables();
    torch::Tensor sum = torch::zeros(saved[1].sizes(), gradients[0].options());
    sum.index_add_(0, saved[0], gradients[0].flatten());
    return {(sum / saved[1]).view({context->saved_data["rows"].toInt(), -1}), torch::Tensor(),
            torch::Tensor(), torch::Tensor()};
  }
};

}  // namespace parsimony::train
