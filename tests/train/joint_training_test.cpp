#include "train/joint_training.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <thread>
#include <utility>

#include "expect_error.hpp"
#include "parsimony/core/file.hpp"
#include "parsimony/train/trainer.hpp"
#include "temporary_directory.hpp"
#include "train/several_processes.hpp"
#include "train/small_task.hpp"

namespace parsimony::train::joint_training_test {
namespace {

TEST(Rendezvous, IsThatOfTheEnvironment) {
  const auto set = [](std::initializer_list<std::pair<const char*, const char*>> values) {
    for (const char* name :
         {"RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT", "TORCHELASTIC_USE_AGENT_STORE"})
      unsetenv(name);
    for (const auto& [name, value] : values) setenv(name, value, 1);
  };
  set({{"RANK", "3"}});
  EXPECT_EQ(rendezvous_of_environment().count, 1);
  set({{"WORLD_SIZE", "1"}});
  EXPECT_EQ(rendezvous_of_environment().count, 1);
  set({{"WORLD_SIZE", "4"}, {"RANK", "3"}, {"MASTER_ADDR", "node0"}, {"MASTER_PORT", "29500"}});
  const Rendezvous where = rendezvous_of_environment();
  EXPECT_EQ(where.rank, 3);
  EXPECT_EQ(where.count, 4);
  EXPECT_EQ(where.address, "node0");
  EXPECT_EQ(where.port, 29500);
  EXPECT_FALSE(where.has_store);
  setenv("TORCHELASTIC_USE_AGENT_STORE", "True", 1);
  EXPECT_TRUE(rendezvous_of_environment().has_store);
  const auto refused = [](const char* name) {
    expect_error(ErrorCode::invalid_argument, name, [] { rendezvous_of_environment(); });
  };
  setenv("RANK", "4", 1);
  refused("RANK: is \"4\"; must be a number from 0 to 3");
  unsetenv("RANK");
  refused("RANK: is not set although WORLD_SIZE is 4");
  set({{"WORLD_SIZE", "two"}});
  refused("WORLD_SIZE");
  set({{"WORLD_SIZE", "2"}, {"RANK", "0"}, {"MASTER_ADDR", "node0"}, {"MASTER_PORT", "99999"}});
  refused("MASTER_PORT");
  set({{"WORLD_SIZE", "2"}, {"RANK", "0"}, {"MASTER_PORT", "29500"}});
  refused("MASTER_ADDR");
  set({});
}

class Second : public TrainingProcesses {
 public:
  int rank() const override { return 1; }
  int count() const override { return 2; }
};

// Each process draws other masks of dropout for its examples, and a resumed run draws them again.
TEST(JointTraining, DrawsDependOnSeedStepAndProcess) {
  const Second second;
  const auto drawn = [](std::uint64_t seed, std::int64_t step, const TrainingProcesses& processes) {
    seed_step(seed, step, processes);
    return torch::rand({8});
  };
  const torch::Tensor first = drawn(1, 5, one_training_process());
  EXPECT_TRUE(torch::equal(drawn(1, 5, one_training_process()), first));
  EXPECT_FALSE(torch::equal(drawn(1, 5, second), first));
  EXPECT_FALSE(torch::equal(drawn(1, 6, one_training_process()), first));
  EXPECT_FALSE(torch::equal(drawn(2, 5, one_training_process()), first));
}

// Gathers its bytes behind those of the calls before.
class Recorder : public TrainingProcesses {
 public:
  int count() const override { return 2; }
  std::vector<std::byte> gather_bytes(std::span<const std::byte> own) const override {
    all_.insert(all_.end(), own.begin(), own.end());
    return all_;
  }

 private:
  mutable std::vector<std::byte> all_;
};

TEST(JointTraining, ComparesWeightsAndCodes) {
  SpotTask task(1, 0);
  const auto codes = [&](std::uint64_t seed) {
    auto out = std::make_unique<Ipq>(task.model(), IpqOptions{.centroids = 8, .seed = seed}, Context(1));
    out->quantize("hidden");
    return out;
  };
  const auto compare = [&](const Ipq& a, const Ipq& b) {
    const Recorder recorder;
    check_agreement(task.model(), &a, 3, recorder);
    check_agreement(task.model(), &b, 3, recorder);
  };
  const auto first = codes(1), same = codes(1), other = codes(2);
  compare(*first, *same);
  expect_error(ErrorCode::io, "process 1 has other codes than process 0 after step 3",
               [&] { compare(*first, *other); });
  const Recorder recorder;
  check_agreement(task.model(), nullptr, 4, recorder);
  torch::NoGradGuard no_gradient;
  task.model().parameters().front().add_(1e-6);
  expect_error(ErrorCode::io, "process 1 has other weights than process 0 after step 4",
               [&] { check_agreement(task.model(), nullptr, 4, recorder); });
}

#ifdef PARSIMONY_GLOO

using Clock = std::chrono::steady_clock;

// All that has statistics of batches or noise: batch norm, ranges of activations, int4 on the weights, then
// codes. Without dropout, whose masks each process draws for its own examples.
TrainingPlan plan_of(std::int64_t batch_size, bool codes) {
  TrainingPlan plan;
  plan.trainer = {.batch_size = batch_size,
                  .optimization = {.steps = 20, .learning_rate = 0.02, .clip_norm = 5},
                  .recalibration_batches = 2,
                  .checkpoint_steps = 4,
                  .seed = 2};
  plan.noise = NoiseOptions{.function = NoiseFunction::integer, .rate = 0.5, .bits = 4};
  if (codes) {
    plan.ipq = IpqTrainingOptions{
        .codes = {.centroids = 24, .latent_weights = true},
        .stages = {"second", "hidden"},
        .importance_batches = 2,
        .optimization = {.steps = 10, .optimizer = OptimizerKind::adamw, .learning_rate = 3e-3}};
  }
  plan.evaluate = false;
  return plan;
}

// The weights and the running statistics that `count` processes end with are in the files 0, 1, …
std::vector<pid_t> start_training(int count, const TrainingPlan& plan, const TemporaryDirectory& folder,
                                  double drop = 0) {
  return start_processes(count, [&](TrainingProcesses& processes) {
    SpotTask task(1, drop);
    TrainingPlan own = plan;
    own.processes = &processes;
    std::ofstream(folder / ("met" + std::to_string(processes.rank())));
    train(task, own, {folder / "checkpoint"}, Context(1));
    write_file(folder / std::to_string(processes.rank()), bytes_of(task.model()));
    return 0;
  });
}

std::string bytes_after(int count, const TrainingPlan& plan, double drop = 0) {
  const TemporaryDirectory folder;
  for (const pid_t process : start_training(count, plan, folder, drop)) EXPECT_EQ(end_of(process), 0);
  const std::string first = TemporaryDirectory::content(folder / "0");
  EXPECT_FALSE(first.empty());
  for (int rank = 1; rank < count; ++rank) {
    EXPECT_TRUE(TemporaryDirectory::content(folder / std::to_string(rank)) == first) << rank;
  }
  return first;
}

// Largest difference of two weights or statistics. The last 8 bytes count batches.
double largest_difference(const std::string& a, const std::string& b) {
  EXPECT_EQ(a.size(), b.size());
  double out = 0;
  for (std::size_t at = 0; at + sizeof(float) <= std::min(a.size(), b.size()); at += sizeof(float)) {
    float x = 0, y = 0;
    std::memcpy(&x, a.data() + at, sizeof x);
    std::memcpy(&y, b.data() + at, sizeof y);
    out = std::max(out, std::abs(double{x} - double{y}));
  }
  return out;
}

TEST(JointTraining, TwoProcessesAreOneWithTwiceTheBatch) {
  const std::string one = bytes_after(1, plan_of(32, false));
  EXPECT_LT(largest_difference(bytes_after(2, plan_of(16, false)), one), 1e-5);
  // Batch norm by the statistics of each process is another function.
  TrainingPlan own = plan_of(16, false);
  own.trainer.synchronize_batch_norm = false;
  EXPECT_GT(largest_difference(bytes_after(2, own), one), 1e-3);
  EXPECT_GT(largest_difference(bytes_after(1, plan_of(16, false)), one), 1e-3);
}

TEST(JointTraining, CodesAreNearThoseOfOneProcessAndFourAgree) {
  const std::string one = bytes_after(1, plan_of(24, true));
  // k-means turns differences by rounding into other codes for a few blocks.
  EXPECT_LT(largest_difference(bytes_after(2, plan_of(12, true)), one), 1e-2);
  bytes_after(4, plan_of(6, true), 0.3);
}

// The process that is killed is another each time; the other ends by itself, soon.
TEST(JointTraining, KilledAndResumedEndsWithTheSameBytes) {
  const TrainingPlan plan = plan_of(8, true);
  const std::string whole = bytes_after(2, plan, 0.3);
  const TemporaryDirectory folder;
  int kills = 0;
  for (int round = 0; round < 6; ++round) {
    const std::vector<pid_t> processes = start_training(2, plan, folder, 0.3);
    // Until they have met, nothing tells a process that is killed from one that is late.
    for (const char* file : {"met0", "met1"}) {
      while (!std::filesystem::exists(folder / file))
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      std::filesystem::remove(folder / file);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(30 * round));
    kill(processes[static_cast<std::size_t>(round % 2)], SIGKILL);
    const auto begin = Clock::now();
    const int a = end_of(processes[0]), b = end_of(processes[1]);
    if (a == 0 && b == 0) break;
    EXPECT_EQ(round % 2 == 0 ? a : b, 128 + SIGKILL);
    EXPECT_LT(std::chrono::duration<double>(Clock::now() - begin).count(), 20);
    if ((round % 2 == 0 ? b : a) == 0) {  // the kill came after the last exchange
      EXPECT_TRUE(TemporaryDirectory::content(folder / (round % 2 == 0 ? "1" : "0")) == whole);
      break;
    }
    ++kills;
  }
  EXPECT_GT(kills, 1);
  for (const pid_t process : start_training(2, plan, folder, 0.3)) EXPECT_EQ(end_of(process), 0);
  for (const char* file : {"0", "1"}) EXPECT_TRUE(TemporaryDirectory::content(folder / file) == whole);
}

TEST(JointTraining, RefusesACheckpointOfAnotherNumberOfProcesses) {
  const TemporaryDirectory folder;
  TrainingPlan plan = plan_of(8, false);
  for (const pid_t process : start_training(2, plan, folder)) ASSERT_EQ(end_of(process), 0);
  SpotTask task(1, 0);
  expect_error(ErrorCode::invalid_argument, "a run of 2 processes, now there are 1",
               [&] { train(task, plan, {folder / "checkpoint"}, Context(1)); });
}

// An evaluation that calls `begins` first, and then hears a wish to stop, as those of real tasks do.
class WatchedTask : public SpotTask {
 public:
  explicit WatchedTask(std::function<void()> begins) : SpotTask(1, 0), begins_(std::move(begins)) {}
  std::map<std::string, double> evaluate(const Context& context) override {
    net->eval();
    begins_();
    context.check_cancelled();
    return SpotTask::evaluate(context);
  }

 private:
  std::function<void()> begins_;
};

// Between two steps, and in an evaluation at a step with a checkpoint.
TEST(JointTraining, AStopOfOneStopsAllAfterTheSameStep) {
  TrainingPlan plan = plan_of(8, false);
  const std::string whole = bytes_after(2, plan);
  plan.trainer.evaluation_steps = 4;
  for (const bool evaluating : {false, true}) {
    SCOPED_TRACE(evaluating);
    const TemporaryDirectory folder;
    const auto processes = start_processes(2, [&](TrainingProcesses& peers) {
      TrainingPlan own = plan;
      own.processes = &peers;
      Context context(1);
      std::stop_source source;
      context.stop = source.get_token();
      std::int64_t steps = 0;
      context.on_progress = [&](std::string_view, std::int64_t done, std::int64_t) {
        steps = done;
        if (!evaluating && peers.rank() == 1 && done == 9) source.request_stop();
      };
      WatchedTask task([&] {
        if (evaluating && peers.rank() == 1 && steps == 7) source.request_stop();
      });
      try {
        train(task, own, {folder / "checkpoint"}, context);
      } catch (const Error& error) {
        return error.code() == ErrorCode::cancelled ? 30 : 1;
      }
      return 1;
    });
    for (const pid_t process : processes) EXPECT_EQ(end_of(process), 30);
    for (const pid_t process : start_training(2, plan, folder)) EXPECT_EQ(end_of(process), 0);
    EXPECT_TRUE(TemporaryDirectory::content(folder / "1") == whole);
  }
}

// A process that fails says so, and the code reaches the other although it is not waiting for anything.
TEST(JointTraining, AFailureEndsTheOthersWithItsCode) {
  const auto processes = start_processes(3, [](TrainingProcesses& peers) {
    if (peers.rank() == 1) return peers.claim_failure(7) ? 7 : 1;
    std::this_thread::sleep_for(std::chrono::seconds(30));
    return 1;
  });
  const auto begin = Clock::now();
  for (const pid_t process : processes) EXPECT_EQ(end_of(process), 7);
  EXPECT_LT(std::chrono::duration<double>(Clock::now() - begin).count(), 15);
}

// Process 0 evaluates twice as long as an exchange may take; another one that is killed meanwhile is
// noticed.
TEST(JointTraining, TheOthersWaitForALongEvaluationAndNotForALostProcess) {
  for (const bool killed : {false, true}) {
    SCOPED_TRACE(killed);
    const auto processes = start_processes(
        3,
        [&](TrainingProcesses& peers) {
          if (peers.rank() == 0) std::this_thread::sleep_for(std::chrono::seconds(4));
          if (peers.rank() == 2 && killed) std::this_thread::sleep_for(std::chrono::seconds(60));
          return 0;
        },
        std::chrono::seconds(2));
    std::this_thread::sleep_for(std::chrono::seconds(1));
    if (killed) kill(processes[2], SIGKILL);
    const auto begin = Clock::now();
    const int expected = killed ? 99 : 0;
    EXPECT_EQ(end_of(processes[1]), expected);
    EXPECT_EQ(end_of(processes[0]), expected);
    EXPECT_EQ(end_of(processes[2]), killed ? 128 + SIGKILL : 0);
    EXPECT_LT(std::chrono::duration<double>(Clock::now() - begin).count(), 20);
  }
}

#endif

}  // namespace
}  // namespace parsimony::train::joint_training_test
