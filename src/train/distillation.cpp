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

at::Tensor states_loss(const std::vector<at::Tensor>& student, const std::vector<at::Tensor>& teacher) {
  if (student.empty() || teacher.size() < student.size()) {
    refuse(
        fmt::format("distillation: a student with the states of {} layers and a teacher with those of {}; "
                    "the student needs at least one layer, and the teacher at least as many",
                    student.size(), teacher.size()));
  }
  torch::Tensor sum;
  const std::size_t n = student.size();
  for (std::size_t k = 0; k < n; ++k) {
    const torch::Tensor right = teacher[((k + 1) * teacher.size() + n - 1) / n - 1].detach();
    if (right.sizes() != student[k].sizes()) {
      refuse(fmt::format("distillation: states of {} and {} values in layer {}; shapes must be equal",
                         student[k].numel(), right.numel(), k));
    }
    constexpr double kSmallest = 1e-12;
    const torch::Tensor apart =
        (student[k] - right).square().sum() / right.square().sum().clamp_min(kSmallest);
    sum = k == 0 ? apart : sum + apart;
  }
  return sum / static_cast<double>(n);
}

}  // namespace parsimony::train
