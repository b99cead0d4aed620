#include "parsimony/train/task.hpp"

#include "parsimony/core/error.hpp"

namespace parsimony::train {

torch::Tensor Task::loss(const Batch& batch) {
  const torch::Tensor logits = forward(batch.inputs);
  const bool lower = logits.scalar_type() == torch::kBFloat16;
  return torch::nn::functional::cross_entropy(
      (lower ? logits.to(torch::kFloat) : logits).reshape({-1, logits.size(-1)}),
      batch.targets.reshape({-1}));
}

void Task::keep_blocks(std::span<const std::int64_t>) {
  refuse("pruning: only language models, BERT and RoBERTa can leave out layers");
}

}  // namespace parsimony::train
