#include "parsimony/train/trainer.hpp"

#include <fmt/format.h>
#include <torch/torch.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "core/duration.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/data/example_order.hpp"
#include "parsimony/train/batch_norm.hpp"
#include "parsimony/train/checkpoint.hpp"
#include "parsimony/train/distillation.hpp"
#include "parsimony/train/input_moments.hpp"
#include "parsimony/train/integer_activation.hpp"
#include "parsimony/train/task.hpp"
#include "parsimony/train/training_processes.hpp"
#include "train/bfloat16.hpp"
#include "train/deterministic.hpp"
#include "train/joint_training.hpp"
#include "train/module_modes.hpp"
#include "train/optimizer.hpp"
#include "train/run_identity.hpp"

namespace parsimony::train {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::uint64_t kRecalibrationSeed = 1, kImportanceSeed = 1'000'003, kActivationSeed = 2'000'003;

// Phase 0 has the steps before any layer is quantized, phase p those of stage p. A checkpoint always
// describes the moment after a step. The work between two phases is a function of that state, so that a
// resumed run repeats it.
class Training {
 public:
  Training(Task& task, const TrainingPlan& plan, const TrainingFiles& files, const Context& context)
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
    silent_.stop = {};  // a step is never interrupted halfway
    silent_.on_progress = nullptr;
    check();
    if (plan.noise) noise_.emplace(*plan.noise, silent_);
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

  TrainingResult run() {
    torch::manual_seed(plan_.trainer.seed);
    task_.model().train();
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

 private:
  const OptimizationOptions& optimization() const {
    return phase_ == 0 ? plan_.trainer.optimization : plan_.ipq->optimization;
  }
  std::int64_t steps_of(std::int64_t phase) const {
    return planned_steps(phase == 0 ? plan_.trainer.optimization : plan_.ipq->optimization, task_.examples(),
                         step_examples_);
  }

  void check() const {
    validate_fields(plan_.trainer);
    if (plan_.ipq) validate_fields(*plan_.ipq);
    if (plan_.teacher != nullptr) validate_fields(plan_.distillation);
    if (step_examples_ > task_.examples()) {
      refuse(fmt::format("batch_size: {}{} is more than the {} examples; must be at most their number",
                         plan_.trainer.batch_size,
                         joint_ ? fmt::format(" in each of {} processes", processes_.count()) : "",
                         task_.examples()));
    }
  }

  void begin_phase() {
    if (phase_ == 0 && plan_.ipq &&
        plan_.ipq->normalize_filters) {  // the noise acts on the filters that will be quantized
      normalize_filters(task_.model(), layers_before_batch_norm(task_.model()));
    }
    if (phase_ > 0) {
      check_cancelled_together();
      if (plan_.ipq->importance_batches > 0) measure_inputs();
      ipq_->quantize(stages_[phase_ - 1]);
      // Each process has found the codes for itself: those of another kind of processor may be others.
      if (joint_) check_agreement(task_.model(), ipq_.get(), done_, processes_);
    }
    begin_optimizer();
  }

  // Importance of the weights by the inputs that each layer reads in the present network.
  void measure_inputs() {
    std::optional<DecodedWeights> decoded;
    if (phase_ > 1) decoded.emplace(ipq_->apply());
    const ModuleModes modes(task_.model());
    task_.model().eval();
    ipq_->set_importance(input_second_moments(
        task_.model(), [&] { forward_batches(plan_.ipq->importance_batches, kImportanceSeed, true); }));
  }

  // Forward passes without a step of the optimizer, on the whole batches of all processes or on the own
  // shares.
  void forward_batches(std::int64_t count, std::uint64_t other_seed, bool whole) {
    const std::uint64_t seed = plan_.trainer.seed + other_seed + static_cast<std::uint64_t>(phase_);
    data::ExampleOrder order(task_.examples(), seed);
    for (std::int64_t i = 0; i < count; ++i) {
      context_.check_cancelled();
      const Batch inputs =
          whole ? task_.batch(order.batch(i, step_examples_), seed, i, 0) : share(order, seed, i);
      task_.forward(inputs.inputs);
    }
  }

  void check_cancelled_together() const {
    if (!joint_) return context_.check_cancelled();
    std::int64_t wishes = context_.stop.stop_requested() ? 1 : 0;
    processes_.sum(std::span<std::int64_t>(&wishes, 1));
    if (wishes > 0) throw Error(ErrorCode::cancelled, "cancelled");
  }

  void begin_optimizer() {
    std::vector<torch::Tensor> decayed, others;
    for (const torch::Tensor& p : trained_parameters(task_.model()))
      (p.dim() > 1 ? decayed : others).push_back(p);
    if (phase_ > 0) {
      const std::vector<torch::Tensor> centroids = ipq_->centroids();
      others.insert(others.end(), centroids.begin(), centroids.end());
    }
    leaves_ = decayed;
    leaves_.insert(leaves_.end(), others.begin(), others.end());
    optimizer_ = make_optimizer(optimization(), std::move(decayed), std::move(others));
  }

  TrainingState state() {
    return {.model = task_.model(),
            .optimizer = *optimizer_,
            .noise = noise_ ? &*noise_ : nullptr,
            .position = {{"phase", phase_},
                         {"step", step_},
                         {"done", done_},
                         {"threads", context_.threads()},
                         {"processes", processes_.count()}},
            .ipq = phase_ > 0 ? ipq_.get() : nullptr,
            .texts = {{"identity", identity_}},
            .histories = histories_};
  }

  void save() {
    if (files_.checkpoint.empty() || saved_ == done_) return;
    if (joint_) check_agreement(task_.model(), phase_ > 0 ? ipq_.get() : nullptr, done_, processes_);
    if (processes_.rank() == 0) save_checkpoint(files_.checkpoint, state());
    saved_ = done_;
  }

  bool resume() {
    const bool resumed = read_checkpoint();
    const std::vector<std::int64_t> all = processes_.gather(std::span<const std::int64_t>(&done_, 1));
    for (std::size_t i = 1; i < all.size(); ++i) {
      if (all[i] == all[0]) continue;
      throw Error(
          ErrorCode::io,
          fmt::format("{}: process {} resumes after step {}, process 0 after step {}; all need the same "
                      "folder of results",
                      files_.checkpoint.string(), i, all[i], all[0]));
    }
    return resumed;
  }

  bool read_checkpoint() {
    const std::filesystem::path& path = files_.checkpoint;
    if (path.empty()) return false;
    if (files_.restart) {
      if (processes_.rank() == 0) std::filesystem::remove(path);
      return false;
    }
    if (!std::filesystem::exists(path)) return false;
    const Checkpoint checkpoint(path);
    const auto wrote = checkpoint.position().find("processes");
    const std::int64_t writers = wrote == checkpoint.position().end() ? 1 : wrote->second;
    if (writers != processes_.count()) {
      refuse(fmt::format(
          "{}: was written by a run of {} processes, now there are {}; start as many to resume or use "
          "option restart to begin anew",
          path.string(), writers, processes_.count()));
    }
    const auto text = checkpoint.texts().find("identity");
    check_identity(text == checkpoint.texts().end() ? "" : text->second, identity_, path);
    const auto number = [&](const char* key, std::int64_t most) {
      const auto found = checkpoint.position().find(key);
      if (found != checkpoint.position().end() && found->second >= 0 && found->second <= most) {
        return found->second;
      }
      throw Error(ErrorCode::format,
                  fmt::format("{}: is not a checkpoint of this run: \"{}\" is missing or out of range",
                              path.string(), key));
    };
    phase_ = number("phase", std::ssize(stages_));
    step_ = number("step", steps_of(phase_));
    done_ = saved_ = number("done", all_steps_);
    if (number("threads", 1 << 20) != context_.threads()) {
      context_.log(
          LogLevel::warning,
          fmt::format("{} was written by {} threads; now there are {}. Results may differ in the last "
                      "digits from an uninterrupted run",
                      path.string(), number("threads", 1 << 20), context_.threads()));
    }
    if (phase_ > 0) checkpoint.restore(*ipq_);
    begin_optimizer();
    TrainingState restored = state();
    checkpoint.restore(restored);
    histories_ = std::move(restored.histories);
    context_.log(LogLevel::info, fmt::format("resumes after step {} of {}", done_, all_steps_));
    return true;
  }

  // The part of a batch that belongs to this process.
  Batch share(data::ExampleOrder& order, std::uint64_t seed, std::int64_t step) const {
    const std::vector<std::int64_t> all = order.batch(step, step_examples_);
    const std::int64_t size = plan_.trainer.batch_size, first = size * processes_.rank();
    return task_.batch(
        std::span(all).subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(size)), seed, step,
        first);
  }

  torch::Tensor loss(const Batch& batch) {
    const auto forward = [&](Task& task) {
      const Bfloat16 lower(plan_.trainer.bfloat16);
      const torch::Tensor out = task.forward(batch.inputs);
      return plan_.trainer.bfloat16 ? out.to(torch::kFloat) : out;
    };
    const torch::Tensor logits = forward(task_);
    const double share = plan_.teacher == nullptr ? 0 : plan_.distillation.share;
    torch::Tensor out;
    if (share < 1) {
      out = (1 - share) * torch::nn::functional::cross_entropy(logits.reshape({-1, logits.size(-1)}),
                                                               batch.targets.reshape({-1}));
    }
    if (share == 0) return out;
    torch::Tensor taught;
    {
      const torch::NoGradGuard no_gradient;
      taught = forward(*plan_.teacher);
    }
    const torch::Tensor soft = share * distillation_loss(logits, taught, plan_.distillation.temperature);
    return out.defined() ? out + soft : soft;
  }

  double make_step(std::int64_t steps) {
    set_learning_rate(*optimizer_, learning_rate(optimization(), step_, steps));
    for (torch::Tensor& leaf : leaves_) leaf.mutable_grad() = torch::Tensor();
    double value = 0;
    if (joint_) seed_step(plan_.trainer.seed, done_, processes_);
    {
      std::optional<NoisyWeights> noisy;
      std::optional<DecodedWeights> decoded;
      if (phase_ > 0) decoded.emplace(ipq_->apply());
      if (phase_ == 0 && noise_) noisy.emplace(noise_->apply(task_.model()));
      const torch::Tensor all = loss(share(order_, plan_.trainer.seed, done_));
      value = all.item<double>();
      if (!std::isfinite(value)) {
        refuse(fmt::format("learning_rate: with {} the loss is {} at step {}; lower it, or set clip_norm",
                           optimization().learning_rate, value, done_));
      }
      all.backward();
    }
    if (joint_) {
      const bool stop = wants_stop_ || context_.stop.stop_requested();
      stops_ = average_gradients(leaves_, value, stop, processes_);
      statistics_.average();
    }
    if (optimization().clip_norm > 0) torch::nn::utils::clip_grad_norm_(leaves_, optimization().clip_norm);
    optimizer_->step();
    if (phase_ > 0) {
      const auto due = [&](std::int64_t every) { return every > 0 && (step_ + 1) % every == 0; };
      if (ipq_->has_latent_weights() && due(plan_.ipq->reassign_steps)) ipq_->reassign();
      if (due(plan_.ipq->fit_steps)) ipq_->fit_ranges();
    }
    return value;
  }

  void make_steps() {
    const std::int64_t steps = steps_of(phase_);
    while (step_ < steps) {
      if (joint_ ? stops_ : context_.stop.stop_requested()) stop();
      const double value = make_step(steps);
      ++step_;
      ++done_;
      try {
        record(value);
        const TrainerOptions& options = plan_.trainer;
        if (options.evaluation_steps > 0 && done_ % options.evaluation_steps == 0 && done_ < all_steps_) {
          evaluate_between();
        }
        if (options.checkpoint_steps > 0 && done_ % options.checkpoint_steps == 0) save();
        context_.progress("training", done_, all_steps_);
      } catch (const Error& error) {
        if (error.code() != ErrorCode::cancelled) throw;
        if (!joint_) stop();
        wants_stop_ = true;  // all stop after the same step
      }
    }
    if (steps > 0) save();
  }

  [[noreturn]] void stop() {
    save();
    if (joint_) processes_.gather(std::span<const std::int64_t>(&done_, 1));  // process 0 has written it
    if (saved_ == done_ && !files_.checkpoint.empty()) {
      context_.log(LogLevel::info,
                   fmt::format("stopped after step {} of {}; run again to resume", done_, all_steps_));
    }
    throw Error(ErrorCode::cancelled, "cancelled");
  }

  void record(double value) {
    std::vector<double>& window = histories_["window"];
    window.push_back(value);
    if (std::ssize(window) < plan_.trainer.report_steps && done_ < all_steps_) return;
    double mean = 0;
    for (const double v : window) mean += v / static_cast<double>(window.size());
    window.clear();
    histories_["loss"].push_back(mean);
    const double seconds = std::chrono::duration<double>(Clock::now() - started_).count();
    const double rate = static_cast<double>(done_ - first_) / seconds;
    context_.log(LogLevel::info, fmt::format("step {} of {}: loss {:.4f}, {:.0f} examples/s, {} left", done_,
                                             all_steps_, mean, rate * static_cast<double>(step_examples_),
                                             duration_text(static_cast<double>(all_steps_ - done_) / rate)));
  }

  void evaluate_between() {
    std::map<std::string, double> figures;
    {
      std::optional<DecodedWeights> decoded;
      if (phase_ > 0) decoded.emplace(ipq_->apply());
      figures = evaluate();
    }
    histories_["evaluation_step"].push_back(static_cast<double>(done_));
    std::string text;
    for (const auto& [name, value] : figures) {
      histories_["evaluation_" + name].push_back(value);
      text += fmt::format(", {} {:.4f}", name, value);
    }
    context_.log(LogLevel::info, fmt::format("step {}{}", done_, text));
  }

  std::map<std::string, double> evaluate() {
    const ModuleModes modes(task_.model());
    Context context = context_;
    if (joint_) context.stop = {};  // a wish to stop is heard by all at the next step
    return task_.evaluate(context);
  }

  void end_phase() {
    const bool last = phase_ == std::ssize(stages_);
    if (phase_ > 0 && last) ipq_->store();
    const std::int64_t batches = plan_.trainer.recalibration_batches;
    if (batches == 0) return;
    std::optional<DecodedWeights> decoded;
    if (phase_ > 0) decoded.emplace(ipq_->apply());
    if ((phase_ > 0 || noise_) && has_batch_norm(task_.model()))
      recalibrate_batch_norm(task_.model(), [&] { forward_batches(batches, kRecalibrationSeed, false); });
    calibrate_activations(task_.model(), [&] { forward_batches(batches, kActivationSeed, false); });
    statistics_.average();
  }

  TrainingResult finish() {
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
  std::unique_ptr<torch::optim::Optimizer> optimizer_;
  std::int64_t phase_ = 0, step_ = 0;  // step_ counts within the phase
  std::int64_t done_ = 0, all_steps_ = 0, first_ = 0, saved_ = -1;
  bool wants_stop_ = false, stops_ = false;  // this process; all, after the present step
  std::map<std::string, std::vector<double>> histories_;
  std::string identity_;
  Report report_;
  Clock::time_point started_;
};

}  // namespace

TrainingResult train(Task& task, const TrainingPlan& plan, const TrainingFiles& files,
                     const Context& context) {
  return Training(task, plan, files, context).run();
}

}  // namespace parsimony::train
