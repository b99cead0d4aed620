// The loss of a student network towards its teacher [hinton2015distilling].
#pragma once

namespace at {
class Tensor;
}

namespace parsimony::train {

/// T² KL(softmax(teacher / T) ‖ softmax(student / T)), averaged over all rows of the n × … × classes logits.
/// The teacher gets no gradient. The factor T² keeps the size of the gradients independent of the temperature
/// T. Throws invalid_argument if the shapes differ or the temperature is not positive.
at::Tensor distillation_loss(const at::Tensor& student, const at::Tensor& teacher, double temperature = 2);

}  // namespace parsimony::train
