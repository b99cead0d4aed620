// Implements training.hpp: checkpoints of a run.
#include <fmt/format.h>

#include "core/count_of.hpp"
#include "parsimony/core/file_error.hpp"
#include "parsimony/train/training_processes.hpp"
#include "train/run_identity.hpp"
#include "train/training.hpp"

namespace parsimony::train {

TrainingState Training::state() {
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

// The model, and a copy of each moment of the optimizer, which has none before its first step.
std::int64_t Training::checkpoint_bytes() const {
  const OptimizationOptions& options = optimization();
  const std::int64_t moments = options.optimizer == OptimizerKind::adamw ? 2 : options.momentum > 0 ? 1 : 0;
  std::int64_t bytes = 0;
  const auto add = [&](const std::vector<torch::Tensor>& tensors, std::int64_t times) {
    for (const torch::Tensor& tensor : tensors) bytes += times * static_cast<std::int64_t>(tensor.nbytes());
  };
  add(task_.model().parameters(), 1);
  add(task_.model().buffers(), 1);
  add(leaves_, moments);
  return bytes;
}

void Training::save() {
  if (files_.checkpoint.empty() || saved_ == done_) return;
  if (joint_) check_agreement(task_.model(), phase_ > 0 ? ipq_.get() : nullptr, done_, processes_);
  if (processes_.rank() == 0) save_checkpoint(files_.checkpoint, state());
  saved_ = done_;
}

bool Training::resume() {
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

bool Training::read_checkpoint() {
  const std::filesystem::path& path = files_.checkpoint;
  if (path.empty()) return false;
  if (files_.restart) {
    std::error_code failed;
    if (processes_.rank() == 0) std::filesystem::remove(path, failed);
    if (failed) {
      throw FileError(failed.value(),
                      fmt::format("{}: cannot be removed: {}", path.string(), failed.message()));
    }
    return false;
  }
  if (!std::filesystem::exists(path)) return false;
  const Checkpoint checkpoint(path);
  const auto wrote = checkpoint.position().find("processes");
  const std::int64_t writers = wrote == checkpoint.position().end() ? 1 : wrote->second;
  if (writers != processes_.count()) {
    refuse(
        fmt::format("{}: was written by a run of {}, now there are {}; start as many to resume or use option "
                    "restart to begin anew",
                    path.string(), count_of(writers, "process", "processes"), processes_.count()));
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
    context_.log(LogLevel::warning, fmt::format("{} was written by {}; now there are {}. Results may differ "
                                                "in the last digits from an uninterrupted run",
                                                path.string(), count_of(number("threads", 1 << 20), "thread"),
                                                context_.threads()));
  }
  if (phase_ > 0) {
    prune();
    checkpoint.restore(*ipq_);
  }
  begin_optimizer();
  TrainingState restored = state();
  checkpoint.restore(restored);
  histories_ = std::move(restored.histories);
  context_.log(LogLevel::info, fmt::format("resumes after step {} of {}", done_, all_steps_));
  return true;
}

}  // namespace parsimony::train
