// The part of a training run that its processes do together.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <vector>

#include "parsimony/train/ipq.hpp"
#include "parsimony/train/training_processes.hpp"

namespace parsimony::train {

/// While this object lives, modules with statistics of batches take those of all processes: every
/// IntegerActivation, and with synchronize_batch_norm every JointBatchNorm2d. All other batch norms keep
/// the statistics of their process, and average() replaces their running ones by the average of the
/// processes.
class JointStatistics {
 public:
  JointStatistics(torch::nn::Module& model, const TrainingProcesses& processes, bool synchronize_batch_norm);
  JointStatistics(const JointStatistics&) = delete;
  JointStatistics& operator=(const JointStatistics&) = delete;
  ~JointStatistics();

  void average() const;

 private:
  void connect(const TrainingProcesses* processes) const;

  torch::nn::Module& model_;
  const TrainingProcesses& processes_;
  bool synchronize_batch_norm_;
  std::vector<torch::Tensor> averaged_;
};

/// Replaces gradients and loss by their averages over the processes; a gradient that no process has stays
/// undefined. Returns whether any process wishes to stop. One exchange of all values.
bool average_gradients(const std::vector<torch::Tensor>& leaves, double& loss, bool stop,
                       const TrainingProcesses& processes);

/// Seeds LibTorch's generator for a step: by seed, process and step alone, so that masks of dropout differ
/// between the processes and a resumed run repeats them.
void seed_step(std::uint64_t seed, std::int64_t step, const TrainingProcesses& processes);

/// Throws io if the parameters of a process, or its codes and centroids, have other bytes than those of
/// process 0. ipq: nullptr without codes.
void check_agreement(const torch::nn::Module& model, const Ipq* ipq, std::int64_t step,
                     const TrainingProcesses& processes);

}  // namespace parsimony::train
