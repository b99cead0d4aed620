#include "parsimony/train/trainer.hpp"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <cmath>
#include <set>

#include "expect_error.hpp"
#include "parsimony/data/example_order.hpp"
#include "parsimony/quant/decode.hpp"
#include "parsimony/train/distillation.hpp"
#include "temporary_directory.hpp"
#include "train/small_task.hpp"
#include "train/stop_after.hpp"

namespace parsimony::train {
namespace {

TEST(ExampleOrder, IsAPermutationInEveryEpochAndAFunctionOfThePlace) {
  constexpr std::int64_t kExamples = 23, kSize = 5;
  data::ExampleOrder order(kExamples, 3);
  std::vector<std::vector<std::int64_t>> batches;
  std::vector<std::int64_t> seen;
  for (std::int64_t step = 0; step < 3 * kExamples; ++step) {
    batches.push_back(order.batch(step, kSize));
    seen.insert(seen.end(), batches.back().begin(), batches.back().end());
  }
  std::set<std::vector<std::int64_t>> epochs;
  for (std::int64_t e = 0; e < 3 * kSize; ++e) {
    const std::vector<std::int64_t> epoch(seen.begin() + e * kExamples, seen.begin() + (e + 1) * kExamples);
    EXPECT_EQ(std::set<std::int64_t>(epoch.begin(), epoch.end()).size(), kExamples);
    epochs.insert(epoch);
  }
  EXPECT_EQ(epochs.size(), 3 * kSize) << "no two alike";
  data::ExampleOrder other(kExamples, 3);
  for (const std::int64_t step : {40, 7, 8, 0, 68}) EXPECT_EQ(other.batch(step, kSize), batches[step]);
  EXPECT_NE(data::ExampleOrder(kExamples, 4).batch(0, kExamples),
            data::ExampleOrder(kExamples, 3).batch(0, kExamples));
  expect_error(ErrorCode::invalid_argument, "examples", [] { data::ExampleOrder(0, 1); });
}

TEST(LearningRate, RisesAndFallsAsItsScheduleSays) {
  OptimizationOptions options{.learning_rate = 2, .warmup_steps = 10, .decay = RateDecay::linear};
  EXPECT_DOUBLE_EQ(learning_rate(options, 0, 110), 0.2);
  EXPECT_DOUBLE_EQ(learning_rate(options, 9, 110), 2);
  EXPECT_DOUBLE_EQ(learning_rate(options, 10, 110), 2);
  EXPECT_DOUBLE_EQ(learning_rate(options, 60, 110), 1);
  EXPECT_DOUBLE_EQ(learning_rate(options, 110, 110), 0);
  options.decay = RateDecay::cosine;
  EXPECT_NEAR(learning_rate(options, 35, 110), 1 + std::sqrt(0.5), 1e-12);
  EXPECT_NEAR(learning_rate(options, 110, 110), 0, 1e-12);
  options.decay = RateDecay::constant;
  EXPECT_DOUBLE_EQ(learning_rate(options, 109, 110), 2);
  EXPECT_EQ(planned_steps({.epochs = 1.5}, 100, 8), 19);
  EXPECT_EQ(planned_steps({.steps = 4, .epochs = 1.5}, 100, 8), 4);
}

// A step of plain gradient descent is known: p − rate (g + decay p), decay of weights alone.
TrainingPlan one_step() {
  TrainingPlan plan;
  plan.trainer.batch_size = 16;
  plan.trainer.optimization = {
      .steps = 1, .learning_rate = 0.5, .decay = RateDecay::constant, .momentum = 0, .nesterov = false};
  return plan;
}

struct Step {
  std::vector<torch::Tensor> before, gradient, after;
};

Step take(const TrainingPlan& plan, Task* teacher = nullptr) {
  SpotTask task(1, 0), same(1, 0);
  Step out;
  for (const torch::Tensor& p : task.model().parameters()) out.before.push_back(p.detach().clone());
  data::ExampleOrder order(task.examples(), plan.trainer.seed);
  const Batch batch = same.batch(order.batch(0, plan.trainer.batch_size), plan.trainer.seed, 0, 0);
  const torch::Tensor logits = same.forward(batch.inputs);
  torch::Tensor loss = torch::nn::functional::cross_entropy(logits, batch.targets);
  if (teacher != nullptr) {
    const double share = plan.distillation.share, temperature = plan.distillation.temperature;
    loss =
        (1 - share) * loss + share * distillation_loss(logits, teacher->forward(batch.inputs), temperature);
  }
  loss.backward();
  for (const torch::Tensor& p : same.model().parameters()) out.gradient.push_back(p.grad());
  train(task, plan, {}, Context(1));
  for (const torch::Tensor& p : task.model().parameters()) out.after.push_back(p.detach().clone());
  return out;
}

void expect_close(const torch::Tensor& a, const torch::Tensor& b) {
  EXPECT_LE((a - b).abs().max().item<float>(), 1e-6 * (1 + b.abs().max().item<float>()));
}

TEST(Trainer, AStepIsThatOfTheLossWithDecayOfWeightsAlone) {
  TrainingPlan plan = one_step();
  plan.trainer.optimization.weight_decay = 0.1;
  const auto [before, gradient, after] = take(plan);
  for (std::size_t i = 0; i < before.size(); ++i) {
    const double decay = before[i].dim() > 1 ? 0.1 : 0;
    expect_close(after[i], before[i] - 0.5 * (gradient[i] + decay * before[i]));
  }
}

TEST(Trainer, GradientsAreClippedAsAWhole) {
  TrainingPlan plan = one_step();
  plan.trainer.optimization.clip_norm = 1e-2;
  const auto [before, gradient, after] = take(plan);
  double norm = 0;
  for (const torch::Tensor& g : gradient) norm += g.square().sum().item<double>();
  norm = std::sqrt(norm);
  ASSERT_GT(norm, 1e-2);
  for (std::size_t i = 0; i < before.size(); ++i) {
    EXPECT_LE((after[i] - before[i] + 0.5 * 1e-2 / norm * gradient[i]).abs().max().item<float>(), 1e-6);
  }
}

TEST(Trainer, ATeacherHasItsShareOfTheLoss) {
  SpotTask teacher(9, 0);
  teacher.model().eval();
  TrainingPlan plan = one_step();
  plan.teacher = &teacher;
  for (const double share : {0.3, 1.0}) {
    plan.distillation = {.share = share, .temperature = 3};
    const auto [before, gradient, after] = take(plan, &teacher);
    for (std::size_t i = 0; i < before.size(); ++i) expect_close(after[i], before[i] - 0.5 * gradient[i]);
  }
  for (const torch::Tensor& p : teacher.model().parameters()) EXPECT_FALSE(p.grad().defined());
}

// Noise with codebooks, then two stages of codes that follow latent weights.
TrainingPlan whole_plan() {
  TrainingPlan plan;
  plan.trainer = {.batch_size = 32,
                  .optimization = {.steps = 60, .learning_rate = 0.05, .warmup_steps = 5, .clip_norm = 5},
                  .recalibration_batches = 3,
                  .evaluation_steps = 25,
                  .report_steps = 10,
                  .seed = 5};
  plan.noise = NoiseOptions{
      .function = NoiseFunction::product, .rate = 0.2, .centroids = 16, .refresh_steps = 7, .seed = 5};
  plan.ipq = IpqTrainingOptions{
      .codes =
          {.block_size = 4, .centroids = 24, .permute_channels = true, .latent_weights = true, .seed = 5},
      .schemes = {{"first", {.scheme = quant::Scheme::integer, .bits = 4}}},
      .stages = {"first|second", "hidden"},
      .fit_steps = 6,
      .importance_batches = 2,
      .optimization = {
          .steps = 15, .optimizer = OptimizerKind::adamw, .learning_rate = 3e-3, .weight_decay = 0.01}};
  return plan;
}

TEST(Trainer, LearnsWithNoiseAndCodesAndTheModelIsWhatTheyStandFor) {
  SpotTask task;
  EXPECT_LT(task.evaluate(Context{}).at("accuracy"), 0.6);
  const TrainingResult result = train(task, whole_plan(), {}, Context(1));
  EXPECT_GT(result.figures.at("accuracy"), 0.75);  // by chance 0.25
  EXPECT_TRUE(task.net->hidden_input->calibrated());
  EXPECT_EQ(result.report.iterations, 90);
  EXPECT_EQ(result.report.objective_history.size(), 9);
  EXPECT_LT(result.report.objective_history.back(), result.report.objective_history.front());
  const auto tensors = result.ipq->tensors();
  ASSERT_EQ(tensors.size(), 3);
  for (const auto& [name, weight] :
       {std::pair{"second", task.net->second->weight}, std::pair{"hidden", task.net->hidden->weight}}) {
    std::vector<float> decoded = quant::decode(tensors.at(name));
    EXPECT_TRUE(torch::equal(weight.detach().flatten(),
                             torch::from_blob(decoded.data(), {weight.numel()}, torch::kFloat)));
  }
}

// In bfloat16 a product is right to 2^-8 of its terms, and a short training to about as much: the losses are
// those of float32, though no weight is.
TEST(Trainer, StepsInBfloat16AreThoseOfFloat32ToItsRoundings) {
  TrainingPlan plan = one_step();
  plan.trainer.optimization.steps = 20;
  plan.trainer.optimization.learning_rate = 0.05;
  plan.trainer.report_steps = 1;
  std::vector<std::vector<double>> losses;
  std::vector<std::string> bytes;
  for (const bool bfloat16 : {false, true}) {
    plan.trainer.bfloat16 = bfloat16;
    SpotTask task(1, 0);
    losses.push_back(train(task, plan, {}, Context(1)).report.objective_history);
    bytes.push_back(bytes_of(task.model()));
  }
  EXPECT_NE(bytes[0], bytes[1]);
  const torch::Tensor product = torch::ones({2, 2}).matmul(torch::ones({2, 2}));
  EXPECT_EQ(product.scalar_type(), torch::kFloat) << "nothing stays switched on";
  ASSERT_EQ(losses[0].size(), 20);
  for (std::size_t i = 0; i < 20; ++i) EXPECT_NEAR(losses[1][i], losses[0][i], 0.03 * losses[0][i]) << i;
}

// All in one stage: integers, products whose codes follow weights, and products by what the layers read.
TEST(Trainer, LayersHaveSchemesOfTheirOwn) {
  TrainingPlan plan = whole_plan();
  plan.noise.reset();
  plan.trainer.optimization.steps = 40;
  plan.ipq->codes.latent_weights = false;
  plan.ipq->stages = {".*"};
  plan.ipq->fit_steps = 4;
  plan.ipq->importance_batches = 2;
  IpqOptions integers = plan.ipq->codes, latent = plan.ipq->codes;
  integers.scheme = quant::Scheme::integer;
  integers.bits = 4;
  latent.latent_weights = true;
  plan.ipq->schemes = {{"first|out", integers}, {"second", latent}};
  SpotTask task;
  const TrainingResult result = train(task, plan, {}, Context(1));
  const auto tensors = result.ipq->tensors();
  ASSERT_EQ(tensors.size(), 4);
  EXPECT_EQ(tensors.at("first").bits, 4);
  EXPECT_EQ(tensors.at("out").scheme, quant::Scheme::integer);
  EXPECT_EQ(tensors.at("hidden").scheme, quant::Scheme::product);
  // The codes of the layer with latent weights are those of the last assignment, the others' of the first.
  plan.ipq->reassign_steps = 0;
  SpotTask other;
  const auto still = train(other, plan, {}, Context(1)).ipq->tensors();
  EXPECT_NE(still.at("second").packed, tensors.at("second").packed);
  EXPECT_EQ(still.at("hidden").packed, tensors.at("hidden").packed);
  plan.ipq->importance_batches = 0;
  plan.ipq->fit_steps = 0;
  SpotTask unweighted;
  const auto plain = train(unweighted, plan, {}, Context(1)).ipq->tensors();
  EXPECT_NE(plain.at("hidden").packed, still.at("hidden").packed);
  EXPECT_NE(plain.at("first").scale, still.at("first").scale) << "ranges of the beginning";
  // An option of a scheme is one of the run.
  const auto& options = result.report.options;
  EXPECT_TRUE(std::any_of(options.begin(), options.end(), [](const auto& option) {
    return option.first == "ipq.schemes[1].latent_weights";
  }));
}

// Stopped after some steps, in each phase and between them, a run ends as one that was not.
TEST(Trainer, AStoppedRunGoesOnBitByBit) {
  const TemporaryDirectory directory;
  std::string whole;
  {
    SpotTask task;
    train(task, whole_plan(), {}, Context(1));
    whole = bytes_of(task.model());
  }
  const TrainingFiles files{directory / "run.checkpoint"};
  int runs = 0;
  for (bool done = false; !done; ++runs) {
    SpotTask task(static_cast<std::uint64_t>(runs));  // what it begins with is in the checkpoint
    if (runs == 0) task = SpotTask(1);
    StopAfter stop(13);
    try {
      train(task, whole_plan(), files, stop.context);
      done = true;
      EXPECT_TRUE(bytes_of(task.model()) == whole);
    } catch (const Error& error) {
      ASSERT_EQ(error.code(), ErrorCode::cancelled) << error.what();
    }
  }
  EXPECT_GE(runs, 6);
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
TEST(Trainer, AStepThatIsGivenUpIsMadeAnew) {
  const TemporaryDirectory directory;
  std::string whole;
  {
    SpotTask task;
    train(task, whole_plan(), {}, Context(1));
    whole = bytes_of(task.model());
  }
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
TEST(Trainer, AStoppedEvaluationIsMadeAnew) {
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

TEST(Trainer, ACheckpointOfAnotherPlanIsRefusedByTheNameOfWhatDiffers) {
  const TemporaryDirectory directory;
  TrainingFiles files{directory / "run.checkpoint"};
  TrainingPlan plan = one_step();
  SpotTask task;
  train(task, plan, files);
  plan.trainer.report_steps = 7;  // says only when something is written
  train(task, plan, files);
  plan.trainer.optimization.learning_rate = 0.25;
  expect_error(ErrorCode::invalid_argument,
               "it had training.learning_rate = 0.5, now there is "
               "training.learning_rate = 0.25",
               [&] { train(task, plan, files); });
  files.restart = true;
  train(task, plan, files);
}

TEST(Trainer, RefusesWhatCannotBe) {
  SpotTask task;
  TrainingPlan plan = one_step();
  plan.trainer.batch_size = 97;
  expect_error(ErrorCode::invalid_argument, "batch_size: 97 is more than the 96 examples",
               [&] { train(task, plan); });
  plan = one_step();
  plan.trainer.optimization.steps = 50;
  plan.trainer.optimization.learning_rate = 1e6;
  expect_error(ErrorCode::invalid_argument, "learning_rate", [&] { train(task, plan); });
  plan.ipq = IpqTrainingOptions{.reassign_steps = -1};
  expect_error(ErrorCode::invalid_argument, "reassign_steps", [&] { train(task, plan); });
  plan = one_step();
  plan.pruning = PruningOptions{};
  expect_error(ErrorCode::invalid_argument,
               "pruning: only language models, BERT and RoBERTa can leave out layers",
               [&] { train(task, plan); });
  plan.pruning->keep_every = 0;
  expect_error(ErrorCode::invalid_argument, "keep_every", [&] { train(task, plan); });
  plan = one_step();
  SpotTask teacher;
  plan.teacher = &teacher;
  plan.distillation.hidden = 1;
  expect_error(ErrorCode::invalid_argument, "the states of 0 layers", [&] { train(task, plan); });
}

}  // namespace
}  // namespace parsimony::train
