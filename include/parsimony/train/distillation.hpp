// A student learns what its teacher says [hinton2015distilling].
#pragma once

namespace at {
class Tensor;
}

namespace parsimony::train {

/// T² KL(softmax(teacher / T) ‖ softmax(student / T)), the mean over all rows of n × … × classes logits. The
/// teacher gets no gradient. With T² the gradients are of one size whatever the temperature. Throws
/// invalid_argument for shapes that differ and a temperature that is not positive.
at::Tensor distillation_loss(const at::Tensor& student, const at::Tensor& teacher, double temperature = 2);

}  // namespace parsimony::train
