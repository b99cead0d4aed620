// A run of training that is stopped and resumed ends as one that was not.
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <cstdint>
#include <map>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "expect_error.hpp"
#include "parsimony/train/trainer.hpp"
#include "temporary_directory.hpp"
#include "train/small_task.hpp"
#include "train/stop_after.hpp"
#include "train/whole_plan.hpp"

namespace parsimony::train {
namespace {

std::string bytes_of_whole_run(const TrainingPlan& plan = whole_plan()) {
  SpotTask task;
  train(task, plan, {}, Context(1));
  return bytes_of(task.model());
}

// Stopped after some steps, in each phase and between them, a run ends as one that was not.
void stop_again_and_again(const TrainingPlan& plan) {
  const TemporaryDirectory directory;
  const std::string whole = bytes_of_whole_run(plan);
  const TrainingFiles files{directory / "run.checkpoint"};
  int runs = 0;
  for (bool done = false; !done; ++runs) {
    SpotTask task(static_cast<std::uint64_t>(runs));  // what it begins with is in the checkpoint
    if (runs == 0) task = SpotTask(1);
    StopAfter stop(13);
    try {
      train(task, plan, files, stop.context);
      done = true;
      EXPECT_TRUE(bytes_of(task.model()) == whole);
    } catch (const Error& error) {
      ASSERT_EQ(error.code(), ErrorCode::cancelled) << error.what();
    }
  }
  EXPECT_GE(runs, 6);
}

TEST(StoppedTraining, GoesOnBitByBit) {
  stop_again_and_again(whole_plan());
}

TEST(StoppedTraining, GoesOnBitByBitWithFrozenBatchNorms) {
  TrainingPlan plan = whole_plan();
  plan.trainer.freeze_batch_norm = true;
  stop_again_and_again(plan);
}

// Wishes to stop in the middle of a training pass: in its forward pass or in its backward pass.
class StopsWithinSteps : public SpotTask {
 public:
  StopsWithinSteps(std::uint64_t seed, int passes, bool backward)
      : SpotTask(seed), context(1), left_(passes), backward_(backward) {
    context.stop = source_.get_token();
    context.on_log = [this](LogLevel, std::string_view text) { last_note = text; };
  }
  torch::Tensor forward(const torch::Tensor& inputs) override {
    torch::Tensor out = SpotTask::forward(inputs);
    if (!out.requires_grad() || --left_ > 0) return out;
    if (backward_) {
      out.register_hook([this](const torch::Tensor&) { source_.request_stop(); });
    } else {
      source_.request_stop();
    }
    return out;
  }

  Context context;
  std::string last_note;

 private:
  std::stop_source source_;
  int left_;
  bool backward_;
};

// A step that was given up leaves no trace in batch norm, random numbers, noise and its codebooks.
TEST(StoppedTraining, AStepThatIsGivenUpIsMadeAnew) {
  const TemporaryDirectory directory;
  const std::string whole = bytes_of_whole_run();
  const TrainingFiles files{directory / "run.checkpoint"};
  int runs = 0, steps = 0;
  for (bool done = false; !done; ++runs) {
    StopsWithinSteps task(static_cast<std::uint64_t>(runs == 0 ? 1 : runs), 8, runs % 2 == 1);
    try {
      train(task, whole_plan(), files, task.context);
      done = true;
      EXPECT_TRUE(bytes_of(task.model()) == whole);
    } catch (const Error& error) {
      ASSERT_EQ(error.code(), ErrorCode::cancelled) << error.what();
      if (task.last_note.starts_with("stopped after step ")) steps = std::stoi(task.last_note.substr(19));
      if (runs < 8) {
        EXPECT_EQ(steps, 7 * (runs + 1));
      }
    }
  }
  EXPECT_GE(runs, 10);
}

// Wishes to stop in the n-th evaluation, which hears the wish, or has its figures already.
class StopsInEvaluation : public SpotTask {
 public:
  StopsInEvaluation(int evaluation, bool heard) : context(1), left_(evaluation), heard_(heard) {
    context.stop = source_.get_token();
    context.on_log = [this](LogLevel, std::string_view text) { last_note = text; };
  }
  std::map<std::string, double> evaluate(const Context& given) override {
    net->eval();
    const bool stops = --left_ == 0;
    if (stops && heard_) source_.request_stop();
    given.check_cancelled();
    const std::map<std::string, double> figures = SpotTask::evaluate(given);
    if (stops) source_.request_stop();
    return figures;
  }

  Context context;
  std::string last_note;

 private:
  std::stop_source source_;
  int left_;
  bool heard_;
};

// The resumed run makes an evaluation that a stop has ended, also after the last step of a stage, and makes
// no evaluation twice.
TEST(StoppedTraining, AStoppedEvaluationIsMadeAnew) {
  struct Stop {
    int evaluation;
    bool heard;
    std::string_view note;
  };
  const TemporaryDirectory directory;
  SpotTask whole;
  const Report report = train(whole, whole_plan(), {}, Context(1)).report;
  EXPECT_EQ(report.figure<std::vector<double>>("evaluation_step"), (std::vector<double>{25, 50, 75}));
  const TrainingFiles files{directory / "run.checkpoint"};
  for (const auto& [evaluation, heard, note] : {
           Stop{1, true, "stopped after step 25 of 90"},   //
           Stop{1, true, "stopped after step 25 of 90"},   // the missing one
           Stop{1, false, "stopped after step 25 of 90"},  // now it is saved
           Stop{1, true, "stopped after step 50 of 90"},   //
           Stop{2, true, "stopped after step 75 of 90"},   // the end of the first stage of codes
           Stop{2, true, "step 90 of 90: loss "},          // the final one
       }) {
    StopsInEvaluation task(evaluation, heard);
    expect_error(ErrorCode::cancelled, "cancelled", [&] { train(task, whole_plan(), files, task.context); });
    EXPECT_TRUE(task.last_note.starts_with(note)) << task.last_note;
  }
  SpotTask task;
  const Report resumed = train(task, whole_plan(), files, Context(1)).report;
  EXPECT_TRUE(resumed.figures == report.figures);
  EXPECT_EQ(resumed.objective_history, report.objective_history);
  EXPECT_TRUE(bytes_of(task.model()) == bytes_of(whole.model()));
}

}  // namespace
}  // namespace parsimony::train
