// Two processes train the network that one process with twice the batch trains.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <memory>

#include "parsimony/core/file.hpp"
#include "parsimony/core/random.hpp"
#include "parsimony/models/resnet.hpp"
#include "parsimony/train/task.hpp"
#include "parsimony/train/trainer.hpp"
#include "temporary_directory.hpp"
#include "train/several_processes.hpp"

namespace parsimony::models::joint_training_test {
namespace {

#ifdef PARSIMONY_GLOO

// In float64: in float32 such a network turns differences by rounding into ten to a thousand times larger
// ones at each step, whether they come from the number of threads or from that of processes.
class DrawnImages : public train::Task {
 public:
  DrawnImages() {
    torch::manual_seed(3);
    ResNetOptions options;
    options.depth = 8;
    net_ = std::make_shared<ResNet>(options);
    net_->to(torch::kDouble);
  }
  torch::nn::Module& model() override { return *net_; }
  std::int64_t examples() const override { return 64; }
  train::Batch batch(std::span<const std::int64_t> examples, std::uint64_t, std::int64_t,
                     std::int64_t) const override {
    const std::int64_t count = std::ssize(examples), values = 3 * kSide * kSide;
    std::vector<float> image(static_cast<std::size_t>(values));
    train::Batch out{torch::empty({count, 3, kSide, kSide}, torch::kDouble),
                     torch::empty({count}, torch::kLong)};
    for (std::int64_t i = 0; i < count; ++i) {
      RandomStream(9, "test.images", static_cast<std::uint64_t>(examples[i])).fill_normal(image);
      out.inputs[i].copy_(torch::from_blob(image.data(), {3, kSide, kSide}));
      out.targets[i] = examples[i] % 10;
    }
    return out;
  }
  torch::Tensor forward(const torch::Tensor& inputs) override { return net_->forward(inputs); }
  std::map<std::string, double> evaluate(const Context&) override { return {}; }

 private:
  static constexpr std::int64_t kSide = 12;
  std::shared_ptr<ResNet> net_;
};

train::TrainingPlan plan_of(std::int64_t batch_size) {
  train::TrainingPlan plan;
  plan.trainer = {.batch_size = batch_size, .optimization = {.steps = 20, .learning_rate = 0.01}, .seed = 2};
  plan.noise = train::NoiseOptions{.function = train::NoiseFunction::integer,
                                   .rate = 0.5,
                                   .bits = 4,
                                   .granularity = quant::Granularity::per_channel};
  plan.evaluate = false;
  return plan;
}

// All parameters and running statistics after 20 steps, in float64.
std::vector<double> values_after(int count, const train::TrainingPlan& plan) {
  const TemporaryDirectory folder;
  const auto processes = train::start_processes(count, [&](train::TrainingProcesses& peers) {
    DrawnImages task;
    train::TrainingPlan own = plan;
    own.processes = &peers;
    train::train(task, own, {}, Context(1));
    std::string out;
    const auto add = [&](const torch::Tensor& t) {
      const torch::Tensor values = t.detach().to(torch::kDouble).contiguous();
      out.append(static_cast<const char*>(values.data_ptr()), values.nbytes());
    };
    for (const torch::Tensor& t : task.model().parameters()) add(t);
    for (const torch::Tensor& t : task.model().buffers()) add(t);
    if (peers.rank() == 0) write_file(folder / "values", out);
    return 0;
  });
  for (const pid_t process : processes) EXPECT_EQ(train::end_of(process), 0);
  const std::string bytes = TemporaryDirectory::content(folder / "values");
  std::vector<double> out(bytes.size() / sizeof(double));
  std::memcpy(out.data(), bytes.data(), bytes.size());
  return out;
}

double largest_difference(const std::vector<double>& a, const std::vector<double>& b) {
  EXPECT_EQ(a.size(), b.size());
  EXPECT_FALSE(a.empty());
  double out = 0;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) out = std::max(out, std::abs(a[i] - b[i]));
  return out;
}

TEST(JointTraining, TwoProcessesTrainTheResNetOfOneWithTwiceTheBatch) {
  const std::vector<double> one = values_after(1, plan_of(16));
  const double difference = largest_difference(values_after(2, plan_of(8)), one);
  EXPECT_LT(difference, 1e-5);
  RecordProperty("difference", std::to_string(difference * 1e9) + "e-9");
  EXPECT_GT(largest_difference(values_after(1, plan_of(8)), one), 1e-3) << "the test sees a difference";
}

#endif

}  // namespace
}  // namespace parsimony::models::joint_training_test
