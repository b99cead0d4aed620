// A run that is killed again and again ends with the file of one that was not.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <random>
#include <thread>

#include "parsimony/models/weights.hpp"
#include "parsimony/train/trainer.hpp"
#include "temporary_directory.hpp"
#include "train/small_task.hpp"

namespace parsimony::models {
namespace {

using Clock = std::chrono::steady_clock;

train::TrainingPlan plan() {
  train::TrainingPlan out;
  out.trainer = {.batch_size = 32,
                 .optimization = {.steps = 60, .learning_rate = 0.05},
                 .recalibration_batches = 2,
                 .checkpoint_steps = 4,
                 .seed = 2};
  out.noise = train::NoiseOptions{.function = train::NoiseFunction::integer, .rate = 0.5, .bits = 4};
  out.ipq = train::IpqTrainingOptions{
      .codes = {.centroids = 24, .latent_weights = true},
      .stages = {"second", "hidden"},
      .optimization = {.steps = 30, .optimizer = train::OptimizerKind::adamw, .learning_rate = 3e-3}};
  return out;
}

// In a process of its own; the tests' computes nothing, so that it has no threads that a child would miss.
pid_t start(const std::filesystem::path& folder) {
  const pid_t process = fork();
  if (process != 0) return process;
  try {
    train::SpotTask task;
    const Context context(1);  // the tests share the cores, and threads that wait spin
    train::train(task, plan(), {folder / "train.checkpoint"}, context);
    save_weights(task.model(), folder / "model.safetensors");
    _exit(0);
  } catch (...) {
    _exit(1);
  }
}

// Whether it came to its end.
bool wait(pid_t process) {
  int status = 0;
  waitpid(process, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
  return WIFEXITED(status);
}

TEST(KilledRun, EndsWithTheSameBytes) {
  const TemporaryDirectory whole_folder, folder;
  const auto begin = Clock::now();
  ASSERT_TRUE(wait(start(whole_folder.path())));
  const auto whole_time = Clock::now() - begin;
  const std::string whole = TemporaryDirectory::content(whole_folder / "model.safetensors");
  ASSERT_FALSE(whole.empty());

  std::mt19937 random(1);
  int kills = 0, ends = 0;
  while (kills < 10) {
    const pid_t process = start(folder.path());
    std::this_thread::sleep_for(whole_time * (random() % 1000) / 2000);
    kill(process, SIGKILL);
    if (!wait(process)) {
      ++kills;
      continue;
    }
    // It was faster than the signal: compared, and begun anew.
    ASSERT_LT(++ends, 30);
    EXPECT_TRUE(TemporaryDirectory::content(folder / "model.safetensors") == whole);
    std::filesystem::remove(folder / "train.checkpoint");
    std::filesystem::remove(folder / "model.safetensors");
  }
  ASSERT_TRUE(wait(start(folder.path())));
  EXPECT_TRUE(TemporaryDirectory::content(folder / "model.safetensors") == whole);
}

}  // namespace
}  // namespace parsimony::models
