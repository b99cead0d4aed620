// One training run, the state behind train(). trainer.cpp has its phases, training_steps.cpp the steps of a
// phase, training_checkpoint.cpp the way to a checkpoint and back.
#pragma once

#include <torch/torch.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "parsimony/data/example_order.hpp"
#include "parsimony/train/batch_norm.hpp"
#include "parsimony/train/checkpoint.hpp"
#include "parsimony/train/task.hpp"
#include "parsimony/train/trainer.hpp"
#include "train/deterministic.hpp"
#include "train/joint_training.hpp"

namespace parsimony::train {

/// Phase 0 has the steps before any layer is quantized, phase p those of stage p. A checkpoint always
/// describes the moment after a step, with or without the evaluation that is due then. The evaluation and the
/// work between two phases are functions of that state, so that a resumed run repeats them.
class Training {
 public:
  Training(Task& task, const TrainingPlan& plan, const TrainingFiles& files, const Context& context);

  TrainingResult run();

 private:
  using Clock = std::chrono::steady_clock;

  const OptimizationOptions& optimization() const;
  std::int64_t steps_of(std::int64_t phase) const;
  void check() const;

  void begin_phase();
  void measure_inputs();
  BatchNormStatistics frozen_statistics();
  void forward_batches(std::int64_t count, std::uint64_t other_seed, bool whole);
  void begin_optimizer();
  void end_phase();
  void prune();
  std::map<std::string, double> evaluate();
  TrainingResult finish();

  Batch share(data::ExampleOrder& order, std::uint64_t seed, std::int64_t step) const;
  torch::Tensor loss(const Batch& batch);
  double make_step(std::int64_t steps);
  double make_or_undo_step(std::int64_t steps);
  void make_steps();
  void record(double value);
  bool evaluation_due() const;
  void evaluate_between();
  void check_cancelled_together() const;
  [[noreturn]] void stop();

  TrainingState state();
  std::int64_t checkpoint_bytes() const;
  void save();
  bool resume();
  bool read_checkpoint();

  Task& task_;
  const TrainingPlan& plan_;
  const TrainingFiles& files_;
  const Context& context_;
  const TrainingProcesses& processes_;
  const bool joint_;                  // several processes
  const std::int64_t step_examples_;  // examples that all processes take in a step
  Context silent_;
  Deterministic deterministic_;
  data::ExampleOrder order_;
  JointStatistics statistics_;
  std::optional<Noise> noise_;
  std::unique_ptr<Ipq> ipq_;
  std::vector<std::string> stages_;
  std::vector<torch::Tensor> leaves_;  // all tensors that the optimizer changes
  std::set<const void*> stoppable_;    // those of them at which the backward pass asks whether to stop
  std::unique_ptr<torch::optim::Optimizer> optimizer_;
  std::int64_t phase_ = 0, step_ = 0;  // step_ counts within the phase
  std::int64_t done_ = 0, all_steps_ = 0, first_ = 0, saved_ = -1;
  bool wants_stop_ = false, stops_ = false;  // this process; all, after the present step
  std::map<std::string, std::vector<double>> histories_;
  std::string identity_;
  Report report_;
  Clock::time_point started_;
};

}  // namespace parsimony::train
