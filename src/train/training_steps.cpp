// Implements training.hpp: the steps of a phase.
#include <ATen/CPUGeneratorImpl.h>
#include <fmt/format.h>
#include <torch/torch.h>

#include <cmath>
#include <optional>

#include "core/duration.hpp"
#include "core/files/output_gate.hpp"
#include "core/size_text.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/train/distillation.hpp"
#include "parsimony/train/training_processes.hpp"
#include "train/bfloat16.hpp"
#include "train/optimizer.hpp"
#include "train/step_stop.hpp"
#include "train/training.hpp"

namespace parsimony::train {
namespace {

// All that a step changes before the optimizer changes the weights.
class BeforeStep {
 public:
  BeforeStep(Task& task, Noise* noise)
      : task_(task),
        noise_(noise),
        generator_(at::detail::getDefaultCPUGenerator().get_state()),
        passes_(task.passes()) {
    for (const torch::Tensor& buffer : task.model().buffers()) buffers_.push_back(buffer.clone());
    if (noise == nullptr) return;
    noise_step_ = noise->step();
    codebooks_ = noise->codebooks();
  }

  void bring_back() {
    const torch::NoGradGuard no_gradient;
    std::vector<torch::Tensor> buffers = task_.model().buffers();
    for (std::size_t i = 0; i < buffers.size(); ++i) buffers[i].copy_(buffers_[i]);
    at::Generator generator = at::detail::getDefaultCPUGenerator();
    generator.set_state(generator_);
    task_.set_passes(passes_);
    if (noise_ == nullptr) return;
    noise_->set_step(noise_step_);
    noise_->set_codebooks(std::move(codebooks_));
  }

 private:
  Task& task_;
  Noise* noise_;
  torch::Tensor generator_;
  std::int64_t passes_, noise_step_ = 0;
  std::vector<torch::Tensor> buffers_;
  std::map<std::string, Matrix<float>> codebooks_;
};

}  // namespace

// The part of a batch that belongs to this process.
Batch Training::share(data::ExampleOrder& order, std::uint64_t seed, std::int64_t step) const {
  const std::vector<std::int64_t> all = order.batch(step, step_examples_);
  const std::int64_t size = plan_.trainer.batch_size, first = size * processes_.rank();
  return task_.batch(std::span(all).subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(size)),
                     seed, step, first);
}

torch::Tensor Training::loss(const Batch& batch) {
  const Bfloat16 lower(plan_.trainer.bfloat16);
  check_step();
  if (plan_.teacher == nullptr) return task_.loss(batch);
  const DistillationOptions& how = plan_.distillation;
  const auto forward = [&](Task& task) {
    Outputs out =
        how.hidden > 0 ? task.forward_with_states(batch.inputs) : Outputs{task.forward(batch.inputs), {}};
    if (!plan_.trainer.bfloat16) return out;
    out.logits = out.logits.to(torch::kFloat);
    for (torch::Tensor& state : out.states) state = state.to(torch::kFloat);
    return out;
  };
  const Outputs own = forward(task_);
  torch::Tensor out;
  const auto add = [&](double weight, const torch::Tensor& part) {
    out = out.defined() ? out + weight * part : weight * part;
  };
  if (how.share < 1) {
    const torch::Tensor logits = own.logits.reshape({-1, own.logits.size(-1)});
    add(1 - how.share, torch::nn::functional::cross_entropy(logits, batch.targets.reshape({-1})));
  }
  if (how.share == 0 && how.hidden == 0) return out;
  Outputs taught;
  {
    const torch::NoGradGuard no_gradient;
    taught = forward(*plan_.teacher);
  }
  if (how.share > 0) add(how.share, distillation_loss(own.logits, taught.logits, how.temperature));
  if (how.hidden > 0) add(how.hidden, states_loss(own.states, taught.states));
  return out;
}

double Training::make_step(std::int64_t steps) {
  set_learning_rate(*optimizer_, learning_rate(optimization(), step_, steps), optimization().relative_rates);
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
    check_step();
    all.backward();
    check_step();
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

// A step can take seconds. It is given up where a model or the backward pass asks, and leaves no trace.
// Several processes end their steps, as each waits for the gradients of the others.
double Training::make_or_undo_step(std::int64_t steps) {
  if (joint_ || !context_.stop.stop_possible()) return make_step(steps);
  BeforeStep before(task_, phase_ == 0 && noise_ ? &*noise_ : nullptr);
  try {
    const StoppableStep stoppable(context_.stop);
    return make_step(steps);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::cancelled) throw;
    before.bring_back();
    stop();
  }
}

void Training::make_steps() {
  const std::int64_t steps = steps_of(phase_);
  std::optional<UnsavedWork> unsaved;
  if (steps > 0 && !files_.checkpoint.empty()) {
    unsaved.emplace(fmt::format("writing the checkpoint {} ({})", files_.checkpoint.string(),
                                size_text(static_cast<double>(checkpoint_bytes()))));
  }
  const auto hear_stop = [&](const auto& work) {
    try {
      work();
    } catch (const Error& error) {
      if (error.code() != ErrorCode::cancelled) throw;
      if (!joint_) stop();
      wants_stop_ = true;  // all stop after the same step
    }
  };
  // A stop ends an evaluation, too. The checkpoint then lacks it, and the resumed run makes it first.
  if (evaluation_due()) hear_stop([&] { evaluate_between(); });
  while (step_ < steps) {
    if (joint_ ? stops_ : context_.stop.stop_requested()) stop();
    const double value = make_or_undo_step(steps);
    ++step_;
    ++done_;
    hear_stop([&] {
      record(value);
      if (evaluation_due()) evaluate_between();
      const std::int64_t every = plan_.trainer.checkpoint_steps;
      if (every > 0 && done_ % every == 0) save();
      context_.progress("training", done_, all_steps_);
    });
  }
  if (steps > 0) save();
}

void Training::record(double value) {
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

// Whether the figures after the present step are wanted and not in the histories yet.
bool Training::evaluation_due() const {
  const std::int64_t every = plan_.trainer.evaluation_steps;
  if (every == 0 || done_ == 0 || done_ % every != 0 || done_ == all_steps_) return false;
  const auto found = histories_.find("evaluation_step");
  return found == histories_.end() || found->second.empty() ||
         found->second.back() != static_cast<double>(done_);
}

void Training::evaluate_between() {
  std::map<std::string, double> figures;
  {
    const StoppableStep stoppable(joint_ ? std::stop_token() : context_.stop);
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
  saved_ = -1;  // a checkpoint of this step, from which the run may have resumed, lacks these figures
  context_.log(LogLevel::info, fmt::format("step {}{}", done_, text));
}

void Training::check_cancelled_together() const {
  if (!joint_) return context_.check_cancelled();
  std::int64_t wishes = context_.stop.stop_requested() ? 1 : 0;
  processes_.sum(std::span<std::int64_t>(&wishes, 1));
  if (wishes > 0) throw Error(ErrorCode::cancelled, "cancelled");
}

void Training::stop() {
  save();
  if (joint_) processes_.gather(std::span<const std::int64_t>(&done_, 1));  // process 0 has written it
  if (saved_ == done_ && !files_.checkpoint.empty()) {
    context_.log(LogLevel::info,
                 fmt::format("stopped after step {} of {}; run again to resume", done_, all_steps_));
  }
  throw Error(ErrorCode::cancelled, "cancelled");
}

}  // namespace parsimony::train
