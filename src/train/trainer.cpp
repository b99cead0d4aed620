#include "parsimony/train/trainer.hpp"

#include <fmt/format.h>
#include <torch/torch.h>

#include "core/count_of.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/train/batch_norm.hpp"
#include "parsimony/train/input_moments.hpp"
#include "parsimony/train/integer_activation.hpp"
#include "parsimony/train/training_processes.hpp"
#include "train/module_modes.hpp"
#include "train/optimizer.hpp"
#include "train/run_identity.hpp"
#include "train/stage_layers.hpp"
#include "train/step_stop.hpp"
#include "train/training.hpp"

namespace parsimony::train {
namespace {

constexpr std::uint64_t kRecalibrationSeed = 1, kImportanceSeed = 1'000'003, kActivationSeed = 2'000'003;

}  // namespace

Training::Training(Task& task, const TrainingPlan& plan, const TrainingFiles& files, const Context& context)
    : task_(task),
      plan_(plan),
      files_(files),
      context_(context),
      processes_(plan.processes == nullptr ? one_training_process() : *plan.processes),
      joint_(processes_.count() > 1),
      step_examples_(plan.trainer.batch_size * processes_.count()),
      silent_(context),
      deterministic_(context.threads()),
      order_(task.examples(), plan.trainer.seed),
      statistics_(task.model(), processes_, plan.trainer.synchronize_batch_norm) {
  silent_.on_progress = nullptr;
  if (joint_) silent_.stop = {};  // all make the same steps
  check();
  if (plan.noise) noise_.emplace(*plan.noise, silent_);
  silent_.stop = {};  // changes of codes are never left halfway
  if (plan.ipq) {
    stages_ = plan.ipq->stages.empty() ? ipq_stages(task.model()) : plan.ipq->stages;
    ipq_ = std::make_unique<Ipq>(task.model(), plan.ipq->codes, silent_, plan.ipq->schemes);
  }
  for (std::int64_t phase = 0; phase <= std::ssize(stages_); ++phase) all_steps_ += steps_of(phase);
  report_ = make_report("training", context, plan.trainer.seed);
  report_.options = options_of(plan);
  report_.options.insert(report_.options.begin(), files.task.begin(), files.task.end());
  identity_ = identity_of(report_.options);
}

TrainingResult Training::run() {
  torch::manual_seed(plan_.trainer.seed);
  task_.model().train();
  if (plan_.trainer.freeze_batch_norm) freeze_batch_norm(task_.model());
  if (plan_.teacher != nullptr) plan_.teacher->model().eval();
  bool resumed = resume();
  started_ = Clock::now();
  first_ = done_;
  for (; phase_ <= std::ssize(stages_); ++phase_, step_ = 0, resumed = false) {
    const StageTimer timer(report_, phase_ == 0 ? "training" : fmt::format("codes {}", phase_));
    if (!resumed) begin_phase();
    make_steps();
    end_phase();
  }
  return finish();
}

const OptimizationOptions& Training::optimization() const {
  return phase_ == 0 ? plan_.trainer.optimization : plan_.ipq->optimization;
}

std::int64_t Training::steps_of(std::int64_t phase) const {
  return planned_steps(phase == 0 ? plan_.trainer.optimization : plan_.ipq->optimization, task_.examples(),
                       step_examples_);
}

void Training::check() const {
  validate_fields(plan_.trainer);
  if (plan_.ipq) validate_fields(*plan_.ipq);
  if (plan_.pruning) {
    validate_fields(*plan_.pruning);
    if (task_.blocks() == 0) task_.keep_blocks({});  // says why not
  }
  check_stages(task_, plan_);
  if (plan_.teacher != nullptr) validate_fields(plan_.distillation);
  if (step_examples_ > task_.examples()) {
    refuse(fmt::format(
        "batch_size: {}{} is more than the {}; must be at most their number", plan_.trainer.batch_size,
        joint_ ? fmt::format(" in each of {}", count_of(processes_.count(), "process", "processes")) : "",
        count_of(task_.examples(), "example")));
  }
}

void Training::begin_phase() {
  if (phase_ == 0 && plan_.ipq &&
      plan_.ipq->normalize_filters) {  // the noise acts on the filters that will be quantized
    normalize_filters(task_.model(), layers_before_batch_norm(task_.model()));
  }
  if (phase_ > 0) {
    check_cancelled_together();
    if (plan_.ipq->importance_batches > 0) measure_inputs();
    const BatchNormStatistics before = frozen_statistics();
    ipq_->quantize(stages_[phase_ - 1]);
    // Each process has found the codes for itself: those of another kind of processor may be others.
    if (joint_) check_agreement(task_.model(), ipq_.get(), done_, processes_);
    set_statistics(task_.model(),
                   moved_statistics(batch_norm_statistics(task_.model()), before, frozen_statistics()));
  }
  begin_optimizer();
}

// Importance of the weights by the inputs that each layer reads in the present network.
void Training::measure_inputs() {
  std::optional<DecodedWeights> decoded;
  if (phase_ > 1) decoded.emplace(ipq_->apply());
  const ModuleModes modes(task_.model());
  task_.model().eval();
  ipq_->set_importance(input_second_moments(
      task_.model(), [&] { forward_batches(plan_.ipq->importance_batches, kImportanceSeed, true); }));
}

// Statistics of frozen batch norms on the batches of recalibration, with the present weights.
BatchNormStatistics Training::frozen_statistics() {
  const std::int64_t batches = plan_.trainer.recalibration_batches;
  if (!plan_.trainer.freeze_batch_norm || batches == 0 || !has_batch_norm(task_.model())) return {};
  const DecodedWeights decoded = ipq_->apply();
  return measured_statistics(task_.model(), [&] { forward_batches(batches, kRecalibrationSeed, false); });
}

// Forward passes without a step of the optimizer, on the whole batches of all processes or on the own
// shares.
void Training::forward_batches(std::int64_t count, std::uint64_t other_seed, bool whole) {
  const std::uint64_t seed = plan_.trainer.seed + other_seed + static_cast<std::uint64_t>(phase_);
  data::ExampleOrder order(task_.examples(), seed);
  for (std::int64_t i = 0; i < count; ++i) {
    context_.check_cancelled();
    const Batch inputs =
        whole ? task_.batch(order.batch(i, step_examples_), seed, i, 0) : share(order, seed, i);
    task_.forward(inputs.inputs);
  }
}

void Training::begin_optimizer() {
  std::vector<torch::Tensor> decayed, others;
  for (const torch::Tensor& p : trained_parameters(task_.model()))
    (p.dim() > 1 ? decayed : others).push_back(p);
  if (phase_ > 0) {
    const std::vector<torch::Tensor> centroids = ipq_->centroids();
    others.insert(others.end(), centroids.begin(), centroids.end());
  }
  leaves_ = decayed;
  leaves_.insert(leaves_.end(), others.begin(), others.end());
  for (const torch::Tensor& leaf : leaves_) {
    if (stoppable_.insert(leaf.unsafeGetTensorImpl()).second) {
      leaf.register_hook([](const torch::Tensor&) { check_step(); });
    }
  }
  optimizer_ = make_optimizer(optimization(), decayed, others);
}

void Training::end_phase() {
  const bool last = phase_ == std::ssize(stages_);
  if (phase_ == 0) prune();
  if (phase_ > 0 && last) ipq_->store();
  const std::int64_t batches = plan_.trainer.recalibration_batches;
  if (batches == 0) return;
  std::optional<DecodedWeights> decoded;
  if (phase_ > 0) decoded.emplace(ipq_->apply());
  if ((phase_ > 0 || noise_) && !plan_.trainer.freeze_batch_norm && has_batch_norm(task_.model()))
    recalibrate_batch_norm(task_.model(), [&] { forward_batches(batches, kRecalibrationSeed, false); });
  calibrate_activations(task_.model(), [&] { forward_batches(batches, kActivationSeed, false); });
  statistics_.average();
}

void Training::prune() {
  if (plan_.pruning) task_.keep_blocks(kept_blocks(task_.blocks(), *plan_.pruning));
}

std::map<std::string, double> Training::evaluate() {
  const ModuleModes modes(task_.model());
  Context context = context_;
  if (joint_) context.stop = {};  // a wish to stop is heard by all at the next step
  return task_.evaluate(context);
}

TrainingResult Training::finish() {
  TrainingResult result;
  // A wish to stop is heard once more before all processes write their results.
  if (joint_) check_cancelled_together();
  if (plan_.evaluate) {
    const StageTimer timer(report_, "evaluation");
    result.figures = evaluate();
  }
  report_.iterations = done_;
  report_.objective_history = histories_["loss"];
  for (const auto& [name, value] : result.figures) report_.figures.emplace_back(name, value);
  for (const auto& [name, values] : histories_) {
    if (name.starts_with("evaluation_")) report_.figures.emplace_back(name, values);
  }
  result.ipq = std::move(ipq_);
  result.report = std::move(report_);
  return result;
}

TrainingResult train(Task& task, const TrainingPlan& plan, const TrainingFiles& files,
                     const Context& context) {
  return Training(task, plan, files, context).run();
}

}  // namespace parsimony::train
