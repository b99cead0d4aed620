// The loss of a student network towards its teacher [hinton2015distilling].
#pragma once

#include <vector>

namespace at {
class Tensor;
}

namespace parsimony::train {

/// T² KL(softmax(teacher / T) ‖ softmax(student / T)), averaged over all rows of the n × … × classes logits.
/// The teacher gets no gradient. The factor T² keeps the size of the gradients independent of the temperature
/// T. Throws invalid_argument if the shapes differ or the temperature is not positive.
at::Tensor distillation_loss(const at::Tensor& student, const at::Tensor& teacher, double temperature = 2);

/// The mean over the layers of ‖student − teacher‖² / ‖teacher‖²: how far the values between the layers are
/// apart, whatever their size. [sun2019patient] does so with the first token of each layer. A student of n
/// layers and a teacher of N learn so: layer k of the student follows layer ⌈(k + 1) N / n⌉ − 1 of the
/// teacher, the last one the last. The teacher gets no gradient. Throws invalid_argument if one of them has
/// no states, the student has more, or the shapes of two differ.
at::Tensor states_loss(const std::vector<at::Tensor>& student, const std::vector<at::Tensor>& teacher);

}  // namespace parsimony::train
