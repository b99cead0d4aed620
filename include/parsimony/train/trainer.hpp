// Trains a network, optionally with noise on the weights or a teacher, and then quantizes it stage by stage.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "parsimony/core/context.hpp"
#include "parsimony/core/options.hpp"
#include "parsimony/core/report.hpp"
#include "parsimony/train/ipq.hpp"
#include "parsimony/train/noise.hpp"
#include "parsimony/train/optimization.hpp"
#include "parsimony/train/pruning.hpp"

namespace parsimony::train {

class Task;
class TrainingProcesses;

struct TrainerOptions {
  std::int64_t batch_size = 128;  ///< examples of each process in a step
  OptimizationOptions optimization{};
  bool bfloat16 =
      false;  ///< compute convolutions and products of the steps in bfloat16; evaluation is always in float32
  /// Batches that recalibrate the statistics of batch norm and the ranges of activations after noise or
  /// quantization. Set it for networks with batch norm or activation_bits; 20 to 100 are enough.
  std::int64_t recalibration_batches = 0;
  /// Train with the statistics of batch norm that the model came with. Where recalibration_batches is set,
  /// each quantization moves them by the difference that the codes make; noise leaves them. Set it to train a
  /// finished network on with few examples, small batches, or shifted and mirrored pictures.
  bool freeze_batch_norm = false;
  std::int64_t evaluation_steps = 0;    ///< steps between two evaluations; 0: only at the end
  std::int64_t checkpoint_steps = 200;  ///< steps between two checkpoints; 0: only when stopped
  std::int64_t report_steps = 50;       ///< steps whose mean loss is an entry of the history
  /// With several processes: whether batch norm takes the mean and the variance of all shares, as one process
  /// with the whole batch does. If false, each process takes those of its share, and the running ones are
  /// averaged: less traffic, another result. Try false where the network between machines is slow and a share
  /// has 32 examples or more.
  bool synchronize_batch_norm = true;
  std::uint64_t seed = 0;  ///< seed of the order, of augmentation and of LibTorch's generator
};

template <OptionsOf<TrainerOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(Field{"batch_size", "examples of each process in a step", 1, 1 << 24}, options.batch_size);
  describe(options.optimization, visit);
  visit(Field{"bfloat16", "compute convolutions and products of the steps in bfloat16"}, options.bfloat16);
  visit(Field{"recalibration_batches",
              "batches that recalibrate batch norm and ranges of activations after noise or quantization", 0,
              1e9},
        options.recalibration_batches);
  visit(Field{"freeze_batch_norm",
              "keep the statistics of batch norm, moved by the difference that the codes make"},
        options.freeze_batch_norm);
  visit(Field{"evaluation_steps", "steps between two evaluations; 0: only at the end", 0, 1e12},
        options.evaluation_steps);
  visit(Field{"checkpoint_steps", "steps between two checkpoints; 0: only when stopped", 0, 1e12},
        options.checkpoint_steps);
  visit(Field{"report_steps", "steps whose mean loss is an entry of the history", 1, 1e12},
        options.report_steps);
  visit(Field{"synchronize_batch_norm",
              "with several processes, batch norm takes the statistics of all instead of its own"},
        options.synchronize_batch_norm);
  visit(Field{"seed", "seed of all random numbers"}, options.seed);
}

struct DistillationOptions {
  double share = 1;  ///< weight of the teacher in the loss; 1 − share is the weight of the targets
  double temperature =
      2;  ///< softens both distributions; raise it if the teacher is nearly certain everywhere
  /// Weight of states_loss() in the loss: the values between the layers follow those of the teacher, too. Try
  /// 1 where few steps must bring a quantized network back.
  double hidden = 0;
};

template <OptionsOf<DistillationOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(Field{"share", "weight of the teacher in the loss; the targets have the rest", 0, 1}, options.share);
  visit(Field{"temperature", "temperature that softens both distributions", 1e-3, 1e6}, options.temperature);
  visit(Field{"hidden", "weight of the difference of the values between the layers", 0, 1e6}, options.hidden);
}

struct IpqTrainingOptions {
  IpqOptions codes{};
  std::vector<IpqScheme> schemes{};   ///< other options for some layers
  std::vector<std::string> stages{};  ///< a regular expression of layers per stage; empty: ipq_stages()
  std::int64_t reassign_steps = 4;    ///< steps between two calls of reassign() with latent_weights; 0: none
  std::int64_t fit_steps = 50;        ///< steps between two fits of the ranges of integers; 0: none
  /// Batches whose inputs weigh the errors of weights in k-means; 0 weighs all alike. Try 10 if product codes
  /// of few centroids lose accuracy.
  std::int64_t importance_batches = 0;
  bool normalize_filters = true;  ///< first bring the filters before a batch norm to one size
  OptimizationOptions optimization{.steps = 200,
                                   .optimizer = OptimizerKind::adamw,
                                   .learning_rate = 1e-3,
                                   .warmup_steps = 20,
                                   .beta2 = 0.99};  ///< in each stage
};

template <OptionsOf<IpqTrainingOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  describe(options.codes, visit);
  visit(Field{"stages", "a regular expression of layers for each stage"}, options.stages);
  visit(Field{"reassign_steps", "steps between two reassignments of codes with latent_weights; 0: none", 0,
              1e12},
        options.reassign_steps);
  visit(Field{"fit_steps", "steps between two fits of the ranges of integers; 0: none", 0, 1e12},
        options.fit_steps);
  visit(Field{"importance_batches", "batches whose inputs weigh the errors of weights; 0: all alike", 0, 1e9},
        options.importance_batches);
  visit(Field{"normalize_filters", "first bring the filters before a batch norm to one size"},
        options.normalize_filters);
  describe(options.optimization, visit);
}

struct TrainingPlan {
  TrainerOptions trainer{};
  std::optional<NoiseOptions> noise{};           ///< noise in the steps before quantization
  std::optional<PruningOptions> pruning{};       ///< blocks are left out after these steps, before the codes
  std::optional<IpqTrainingOptions> ipq{};       ///< quantization after these steps
  Task* teacher = nullptr;                       ///< its model, in evaluation mode, provides soft targets
  DistillationOptions distillation{};            ///< used with a teacher
  bool evaluate = true;                          ///< evaluate at the end
  const TrainingProcesses* processes = nullptr;  ///< processes that train together; nullptr: one
};

struct TrainingFiles {
  std::filesystem::path checkpoint{};  ///< empty: none
  bool restart = false;                ///< ignore an existing checkpoint
  std::vector<std::pair<std::string, ReportValue>>
      task{};  ///< further options that determine the run; a checkpoint records them
};

struct TrainingResult {
  std::map<std::string, double> figures;  ///< figures of the final evaluation
  std::unique_ptr<Ipq> ipq;               ///< the codes if the plan has ipq; the model must outlive it
  Report report;
};

/// Trains the model of the task by the plan: steps, with noise; then pruning; then quantization, stage by
/// stage. Afterwards the model has the trained parameters; if the plan has ipq, these are the decoded
/// weights.
///
/// Examples and their augmentation depend on (seed, step) alone. A run with a checkpoint can be ended at any
/// moment: by the stop token, which writes a checkpoint and throws cancelled, or by a kill. The next call
/// resumes it and ends with the same bytes as an uninterrupted run, on the same machine with the same
/// LibTorch and number of threads. That is what LibTorch promises for its deterministic algorithms; this
/// function selects them and restores the setting.
///
/// With P processes, each calls this with the same arguments. A step has P · batch_size examples, of which
/// process r takes the r-th part, and gradients are averaged: the result is, up to rounding, that of one
/// process with a batch_size P times as large. Noise on weights, k-means and the order of examples are the
/// same in all; masks of dropout are drawn for each process. Process 0 alone writes the checkpoint, which all
/// must be able to read. A wish of any process to stop stops all after the same step. A resumed run needs as
/// many processes.
///
/// report: objective_history has the mean losses over report_steps; figures has those of the final
/// evaluation, and "evaluation_step" and "evaluation_<figure>" for the evaluations between.
///
/// Throws invalid_argument (options out of range, a stage without a layer, fewer examples than a batch, a
/// checkpoint of another plan, whose first differing option is named, a loss that is not finite), io (also if
/// a process is lost or has other weights than the others) and cancelled.
TrainingResult train(Task& task, const TrainingPlan& plan, const TrainingFiles& files = {},
                     const Context& context = Context{});

}  // namespace parsimony::train
