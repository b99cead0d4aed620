// Activations rounded to integers.
#pragma once

#include <torch/nn/module.h>
#include <torch/nn/pimpl.h>

#include <functional>
#include <string>

#include "parsimony/train/training_processes.hpp"

namespace parsimony::train {

/// Rounds activations to one of 2^bits values, as if the next layer read integers: the formula for weights
/// (quant::integer_quantize) with one range, which includes 0 so that padding is exact. Register it before a
/// layer. The range is a buffer: checkpoints and files contain it, and evaluation does not depend on later
/// inputs.
///
/// In training mode the range moves a tenth of the way to the least and the greatest value of each batch.
/// Without a range the input passes unchanged. Gradients go straight through, except for values outside the
/// range, whose gradient is 0. With processes the least and the greatest value are those of all of them.
class IntegerActivationImpl : public torch::nn::Module {
 public:
  /// bits: 2 to 8. Throws invalid_argument.
  explicit IntegerActivationImpl(int bits = 8);

  torch::Tensor forward(const torch::Tensor& x);

  int bits() const { return bits_; }
  bool calibrated() const;  ///< whether it has a range

  const TrainingProcesses* processes = nullptr;  ///< collective in training mode if there are several
  torch::Tensor range;                           ///< buffer: least and greatest value; 0, 0: no range yet

 private:
  int bits_;
};
TORCH_MODULE(IntegerActivation);

/// Recomputes the ranges from the batches that pass() sends through the model. Meanwhile all other modules
/// are in evaluation mode; then all modes are restored. A module that is not reached, or only by zeros, keeps
/// its range, and so do all after an exception of pass(). Returns the number of modules with a range.
std::int64_t calibrate_activations(torch::nn::Module& model, const std::function<void()>& pass);

/// The name of a module without a range, which lets floats pass; empty if there is none.
std::string uncalibrated_activation(torch::nn::Module& model);

}  // namespace parsimony::train
