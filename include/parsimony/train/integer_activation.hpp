// Activations in integers.
#pragma once

#include <torch/nn/module.h>
#include <torch/nn/pimpl.h>

#include <functional>
#include <string>

namespace parsimony::train {

/// Rounds what passes to one of 2^bits values, as if the layer behind it read integers: the formula of the
/// weights (quant::integer_quantize), by one range, which holds 0 so that padding is exact. Anyone's module
/// registers it before a layer; its range is a buffer, so that checkpoints and files have it and evaluation
/// does not depend on what was seen since.
///
/// In training mode the range follows the least and the greatest value of the batches, by tenths of the way.
/// Until it has seen one, everything passes as it is. Gradients go straight through, but for values beyond
/// the range, which have none.
class IntegerActivationImpl : public torch::nn::Module {
 public:
  /// bits: 2 to 8. Throws invalid_argument.
  explicit IntegerActivationImpl(int bits = 8);

  torch::Tensor forward(const torch::Tensor& x);

  int bits() const { return bits_; }
  bool calibrated() const;  ///< has a range

  torch::Tensor range;  ///< buffer: least and greatest value; 0, 0: none seen

 private:
  int bits_;
};
TORCH_MODULE(IntegerActivation);

/// Ranges anew, by the batches that pass() sends through the model, all else in evaluation mode; then all
/// modes are as they were. What was not reached, or by zeros alone, keeps its range, and after an exception
/// of pass() everything does. Returns how many modules have one.
std::int64_t calibrate_activations(torch::nn::Module& model, const std::function<void()>& pass);

/// The name of one that has no range yet, and so computes in floats; empty: none.
std::string uncalibrated_activation(torch::nn::Module& model);

}  // namespace parsimony::train
