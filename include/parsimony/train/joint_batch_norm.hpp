// Batch norm whose statistics are those of all training processes.
#pragma once

#include <torch/nn/module.h>
#include <torch/nn/options/batchnorm.h>
#include <torch/nn/pimpl.h>

#include "parsimony/train/training_processes.hpp"

namespace parsimony::train {

/// LibTorch's BatchNorm2d, with the same parameters, buffers and results. With several processes it
/// normalizes, in training mode, by the mean and the variance of the shares of all, as one process with the
/// whole batch does, and its gradients take account of that. Each forward exchanges 2 channels + 1 numbers
/// with the other processes, and each backward 2 channels [chan1983algorithms].
class JointBatchNorm2dImpl : public torch::nn::Module {
 public:
  /// Affine, and with running statistics, whatever the options say.
  explicit JointBatchNorm2dImpl(const torch::nn::BatchNormOptions& batch_norm_options);

  /// images: N × channels × height × width. Collective in training mode if there are several processes, and
  /// throws io if one of them is lost.
  torch::Tensor forward(const torch::Tensor& images);

  torch::nn::BatchNormOptions options;
  torch::Tensor weight, bias, running_mean, running_var, num_batches_tracked;
  const TrainingProcesses* processes = nullptr;  ///< must outlive the backward pass
};
TORCH_MODULE(JointBatchNorm2d);

}  // namespace parsimony::train
