// Importance of the values of a weight from inputs of its layer.
#pragma once

#include <optional>
#include <vector>

#include "parsimony/core/safetensors.hpp"

namespace parsimony::quant {

/// The importance of a weight in a form that WeightView takes; empty without a calibration and for a weight
/// that it has no inputs of. One value per value of the weight where the inputs have the channels of several
/// groups. Throws format, naming the tensor, for inputs that do not fit the weight.
std::vector<float> importance_of(const TensorInfo& weight, const std::optional<SafetensorsFile>& calibration);

}  // namespace parsimony::quant
