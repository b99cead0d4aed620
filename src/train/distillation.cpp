#include "parsimony/train/distillation.hpp"

#include <fmt/format.h>
#include <torch/torch.h>

#include "parsimony/core/error.hpp"

namespace parsimony::train {

at::Tensor distillation_loss(const at::Tensor& student, const at::Tensor& teacher, double temperature) {
  if (student.sizes() != teacher.sizes() || student.dim() == 0) {
    throw Error(
        ErrorCode::invalid_argument,
        fmt::format("distillation: logits of {} and {} dimensions, {} and {} values; shapes must be equal",
                    student.dim(), teacher.dim(), student.numel(), teacher.numel()));
  }
  if (!(temperature > 0)) {
    refuse(fmt::format("distillation: a temperature of {}; must be positive", temperature));
  }
  const torch::Tensor log_student = torch::log_softmax(student / temperature, -1);
  const torch::Tensor log_teacher = torch::log_softmax(teacher.detach() / temperature, -1);
  return (log_teacher.exp() * (log_teacher - log_student)).sum(-1).mean() * (temperature * temperature);
}

}  // namespace parsimony::train
