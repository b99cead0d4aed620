// The training of a network: its steps, with noise on the weights or a teacher; then product codes, stage by
// stage.
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

namespace parsimony::train {

class Task;

struct TrainerOptions {
  std::int64_t batch_size = 128;
  OptimizationOptions optimization{};
  bool bfloat16 = false;  ///< convolutions and products of the steps; evaluation is always in float32
  std::int64_t recalibration_batches = 0;  ///< after noise and codes, for batch norm; ranges of activations
  std::int64_t evaluation_steps = 0;       ///< between evaluations; 0: at the end only
  std::int64_t checkpoint_steps = 200;     ///< between checkpoints; 0: none but when it is stopped
  std::int64_t report_steps = 50;          ///< that a loss of the history is the mean of
  std::uint64_t seed = 0;                  ///< of the order, of augmentation and of LibTorch's generator
};

template <OptionsOf<TrainerOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(Field{"batch_size", "examples of a step", 1, 1 << 24}, options.batch_size);
  describe(options.optimization, visit);
  visit(Field{"bfloat16", "convolutions and products of the steps in bfloat16"}, options.bfloat16);
  visit(Field{"recalibration_batches",
              "batches that batch norm and ranges of activations are calibrated on after noise or codes", 0,
              1e9},
        options.recalibration_batches);
  visit(Field{"evaluation_steps", "steps between evaluations, 0: at the end only", 0, 1e12},
        options.evaluation_steps);
  visit(Field{"checkpoint_steps", "steps between checkpoints, 0: only when stopped", 0, 1e12},
        options.checkpoint_steps);
  visit(Field{"report_steps", "steps that a loss of the history is the mean of", 1, 1e12},
        options.report_steps);
  visit(Field{"seed", "seed of all randomness"}, options.seed);
}

struct DistillationOptions {
  double share = 1;  ///< of the teacher in the loss; the rest is that of the targets
  double temperature = 2;
};

template <OptionsOf<DistillationOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(Field{"share", "of the teacher in the loss", 0, 1}, options.share);
  visit(Field{"temperature", "that softens both distributions", 1e-3, 1e6}, options.temperature);
}

struct IpqTrainingOptions {
  IpqOptions codes{};
  std::vector<IpqScheme> schemes{};     ///< layers that have other options than `codes`
  std::vector<std::string> stages{};    ///< regular expressions of the layers of each; none: ipq_stages
  std::int64_t reassign_steps = 4;      ///< of latent_weights, between new codes; 0: none
  std::int64_t fit_steps = 50;          ///< of integers, between new ranges; 0: none
  std::int64_t importance_batches = 0;  ///< whose inputs say what errors of products count; 0: all the same
  bool normalize_filters = true;        ///< at the beginning, those that a batch norm follows
  OptimizationOptions optimization{.steps = 200,
                                   .optimizer = OptimizerKind::adamw,
                                   .learning_rate = 1e-3,
                                   .warmup_steps = 20,
                                   .beta2 = 0.99};  ///< of each stage
};

template <OptionsOf<IpqTrainingOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  describe(options.codes, visit);  // but for the schemes
  visit(Field{"stages", "regular expressions of the layers of each stage"}, options.stages);
  visit(Field{"reassign_steps", "steps between new codes, where latent_weights are trained", 0, 1e12},
        options.reassign_steps);
  visit(Field{"fit_steps", "steps between new ranges of integers", 0, 1e12}, options.fit_steps);
  visit(
      Field{"importance_batches", "batches whose inputs say what errors of products count, 0: none", 0, 1e9},
      options.importance_batches);
  visit(Field{"normalize_filters", "filters before a batch norm of one size first"},
        options.normalize_filters);
  describe(options.optimization, visit);
}

struct TrainingPlan {
  TrainerOptions trainer{};
  std::optional<NoiseOptions> noise{};      ///< in the steps before codes
  std::optional<IpqTrainingOptions> ipq{};  ///< then
  Task* teacher = nullptr;                  ///< its model in evaluation mode says what is right
  DistillationOptions distillation{};       ///< of a teacher
  bool evaluate = true;                     ///< at the end
};

struct TrainingFiles {
  std::filesystem::path checkpoint{};                       ///< empty: none
  bool restart = false;                                     ///< pass over the checkpoint that is there
  std::vector<std::pair<std::string, ReportValue>> task{};  ///< what else the run is a function of
};

struct TrainingResult {
  std::map<std::string, double> figures;  ///< of the evaluation at the end
  std::unique_ptr<Ipq> ipq;               ///< the codes, where the plan has them; the model must live longer
  Report report;
};

/// Trains the model of the task by the plan, and leaves it trained: with codes, its parameters are what they
/// stand for.
///
/// What is seen, and how, is drawn by (seed, step) alone. With a checkpoint the run can be ended at any
/// moment, by the stop token, which writes one first and throws cancelled, or by force: called again, it goes
/// on and ends with the same bytes as one that was not. That holds on one machine with one LibTorch and as
/// many threads, which is what LibTorch promises of its deterministic algorithms; they are chosen here, and
/// put back.
///
/// report: objective_history, the mean losses of report_steps; figures of the last evaluation, and of those
/// between "evaluation_step" and "evaluation_<figure>".
///
/// Throws invalid_argument: options, no examples, fewer than a batch, a checkpoint of another plan (the
/// option that differs is named), a loss that is not finite; io; cancelled.
TrainingResult train(Task& task, const TrainingPlan& plan, const TrainingFiles& files = {},
                     const Context& context = Context{});

}  // namespace parsimony::train
