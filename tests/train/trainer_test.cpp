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
#include "train/whole_plan.hpp"

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

TEST(Trainer, RelativeRatesAreInUnitsOfTheSizeOfAWeight) {
  TrainingPlan plan = one_step();
  plan.trainer.optimization.relative_rates = true;
  const auto [before, gradient, after] = take(plan);
  for (std::size_t i = 0; i < before.size(); ++i) {
    const double size = before[i].dim() > 1 ? before[i].square().mean().sqrt().item<double>() : 1;
    expect_close(after[i], before[i] - 0.5 * size * gradient[i]);
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

// The network comes with means of 0 and variances of 1, which are not those of the images at all. Steps and
// noise leave them; codes of 8 bits move them by rounding errors, those of 2 bits by what they change.
TEST(Trainer, FrozenBatchNormsMoveOnlyByWhatTheCodesChange) {
  const auto largest_move = [](int bits, bool freeze) {
    TrainingPlan plan = whole_plan();
    plan.trainer.freeze_batch_norm = freeze;
    plan.ipq->normalize_filters = false;
    plan.ipq->schemes = {{".*", {.scheme = quant::Scheme::integer, .bits = bits}}};
    if (bits == 0) plan.ipq.reset();
    SpotTask task;
    train(task, plan, {}, Context(1));
    const auto& norm = *task.net->norm;
    return std::max(norm.running_mean.abs().max().item<double>(),
                    (norm.running_var - 1).abs().max().item<double>());
  };
  EXPECT_EQ(largest_move(0, true), 0);
  EXPECT_GE(largest_move(0, false), 0.3);
  const double fine = largest_move(8, true), coarse = largest_move(2, true);
  EXPECT_GT(fine, 0);
  EXPECT_LE(fine, 0.03);
  EXPECT_GE(coarse, 5 * fine);
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
