#include "parsimony/models/language_task.hpp"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <cmath>
#include <numeric>

#include "data/byte_pair_files.hpp"
#include "expect_error.hpp"
#include "parsimony/train/distillation.hpp"
#include "parsimony/train/trainer.hpp"
#include "temporary_directory.hpp"

namespace parsimony::models {
namespace {

constexpr TransformerOptions kOneLayer{
    .context = 8, .layers = 1, .width = 16, .heads = 2, .feed_forward = 32};
const std::string kSentence = "The quick brown fox jumps over the lazy dog.\n";

std::string text_of(const torch::Tensor& tokens) {
  const torch::Tensor bytes = tokens.to(torch::kByte).contiguous();
  return {reinterpret_cast<const char*>(bytes.data_ptr()), static_cast<std::size_t>(bytes.numel())};
}

std::vector<std::int64_t> first(std::int64_t count) {
  std::vector<std::int64_t> out(count);
  std::iota(out.begin(), out.end(), 0);
  return out;
}

TEST(LanguageTask, HoldsOutTheLastStretchOfSoMany) {
  std::string text;
  for (int line = 0; line < 750; ++line) text += std::to_string(line) + "\n";
  const SplitText parts = split_lines(text, 3);
  const auto lines = [&](int begin, int end) {
    std::string out;
    for (int line = begin; line < end; ++line) out += std::to_string(line) + "\n";
    return out;
  };
  EXPECT_EQ(parts.held_out, lines(200, 300) + lines(500, 600));
  EXPECT_EQ(parts.text, lines(0, 200) + lines(300, 500) + lines(600, 750));
  EXPECT_EQ(split_lines("no end of line", 2).text, "no end of line");
}

TEST(LanguageTask, ExamplesAreTheWindowsOfTheText) {
  const TemporaryDirectory directory;
  const std::string text = kSentence;  // 45 bytes: five windows and targets, four over
  const LanguageTask task({.text = directory.file("t", text), .held_out = directory.file("h", "xy")},
                          kOneLayer);
  ASSERT_EQ(task.examples(), 5);
  const std::vector<std::int64_t> all = first(5);
  const train::Batch batch = task.batch(all, 1, 2, 0);
  EXPECT_EQ(text_of(batch.inputs), text.substr(0, 40));
  EXPECT_EQ(text_of(batch.targets), text.substr(1, 40));
  EXPECT_EQ(batch.inputs.sizes(), (std::vector<std::int64_t>{5, 8}));
  EXPECT_EQ(text_of(task.batch(std::vector<std::int64_t>{3, 0}, 1, 2, 0).inputs),
            text.substr(24, 8) + text.substr(0, 8));
  expect_error(ErrorCode::invalid_argument, "example 5",
               [&] { task.batch(std::vector<std::int64_t>{5}, 1, 2, 0); });
  // A text of 41 bytes is enough for the fifth window, one of 40 is not.
  for (const int size : {40, 41}) {
    const LanguageTask other({.text = directory.file("s", text.substr(0, size)), .held_out = directory / "h"},
                             kOneLayer);
    EXPECT_EQ(other.examples(), size == 41 ? 5 : 4);
  }
}

void make_uniform(LanguageTask& task) {
  const torch::NoGradGuard no_gradient;
  task.model().named_parameters()["embedding.weight"].zero_();
}

TEST(LanguageTask, AUniformModelHasThePerplexityOfItsVocabulary) {
  const TemporaryDirectory directory;
  const auto text = directory.file("t", kSentence), held_out = directory.file("h", "abab cabab" + kSentence);
  LanguageTask bytes({.text = text, .held_out = held_out}, kOneLayer);
  make_uniform(bytes);
  auto figures = bytes.evaluate();
  EXPECT_NEAR(figures.at("perplexity"), 256, 1e-3);
  EXPECT_NEAR(figures.at("bits_per_byte"), 8, 1e-5);

  const data::BytePairFiles files(directory, {{"a", "b"}, {"ab", "ab"}, {" ", "c"}});
  LanguageTask pairs({.text = text, .held_out = held_out, .encoder = files.encoder, .merges = files.merges},
                     kOneLayer);
  make_uniform(pairs);
  figures = pairs.evaluate();
  EXPECT_NEAR(figures.at("perplexity"), 259, 1e-3);
  // abab, " c", abab, "T", …: the first is not predicted.
  const double tokens = 2 + static_cast<double>(kSentence.size()),
               covered = 6 + static_cast<double>(kSentence.size());
  EXPECT_NEAR(figures.at("bits_per_byte"), tokens * std::log2(259.0) / covered, 1e-5);
}

// Each token by itself, from what is before it in its window.
TEST(LanguageTask, EvaluationPredictsEachTokenOnce) {
  const TemporaryDirectory directory;
  torch::manual_seed(1);
  TransformerOptions options = kOneLayer;
  options.dropout = 0.5;
  options.layer_drop = 0.5;
  LanguageTask task({.text = directory.file("t", kSentence), .held_out = directory.file("h", kSentence)},
                    options);
  const auto figures = task.evaluate();
  EXPECT_TRUE(task.model().is_training());
  EXPECT_EQ(task.model().step(), 0);
  EXPECT_EQ(task.evaluate(), figures);
  task.model().eval();
  EXPECT_EQ(task.evaluate(), figures);
  EXPECT_FALSE(task.model().is_training());
  const torch::NoGradGuard no_gradient;
  const torch::Tensor tokens = task.held_out().to(torch::kLong);
  double nats = 0;
  for (std::int64_t i = 1; i < tokens.numel(); ++i) {
    const std::int64_t begin = (i - 1) / 8 * 8;
    const torch::Tensor logits = task.forward(tokens.slice(0, begin, i).unsqueeze(0))[0][i - 1 - begin];
    nats -= logits.to(torch::kDouble).log_softmax(0)[tokens[i].item<std::int64_t>()].item<double>();
  }
  EXPECT_NEAR(figures.at("perplexity"), std::exp(nats / 44), 1e-3);
  EXPECT_NEAR(figures.at("bits_per_byte"), nats / 44 / std::log(2.0), 1e-5);
}

// A text that repeats can be told without error once a few letters are seen. Windows begin at all phases.
TEST(LanguageTask, ASmallModelLearnsAPeriodicText) {
  const TemporaryDirectory directory;
  const int threads = torch::get_num_threads();
  torch::set_num_threads(1);  // small products, beside other tests
  torch::manual_seed(2);
  std::string text;
  for (int i = 0; i < 40; ++i) text += "abcadbaecf";
  TransformerOptions options{.context = 19, .layers = 2, .width = 32, .heads = 2, .feed_forward = 64};
  LanguageTask task({.text = directory.file("t", text), .held_out = directory.file("h", text)}, options);
  torch::optim::Adam optimizer(task.model().parameters(), torch::optim::AdamOptions(3e-3));
  const std::vector<std::int64_t> all = first(task.examples());
  const auto loss = [&](std::int64_t from) {
    const train::Batch batch = task.batch(all, 1, 0, 0);
    const torch::Tensor logits = task.forward(batch.inputs).slice(1, from);
    return torch::nn::functional::cross_entropy(logits.flatten(0, 1), batch.targets.slice(1, from).flatten());
  };
  const double begun = loss(0).item<double>();
  for (int step = 0; step < 120; ++step) {
    optimizer.zero_grad();
    loss(0).backward();
    optimizer.step();
  }
  torch::set_num_threads(threads);
  EXPECT_GT(begun, 4);
  EXPECT_LT(loss(3).item<double>(), 0.02);
  EXPECT_LT(task.evaluate().at("perplexity"), 1.3);
}

// The loss of bands, and the perplexity, are those of the whole softmax.
TEST(LanguageTask, BandsChangeOnlyHowTheLossIsComputed) {
  const TemporaryDirectory directory;
  torch::manual_seed(4);
  TransformerOptions options = kOneLayer;
  options.cutoffs = {100, 110};  // among the lower-case letters
  LanguageTask task({.text = directory.file("t", kSentence), .held_out = directory.file("h", kSentence)},
                    options);
  const train::Batch batch = task.batch(first(5), 1, 0, 0);
  EXPECT_NEAR(task.loss(batch).item<double>(), task.Task::loss(batch).item<double>(), 1e-5);
  const auto figures = task.evaluate();
  const torch::NoGradGuard no_gradient;
  const torch::Tensor tokens = task.held_out().to(torch::kLong).slice(0, 0, 41);
  const torch::Tensor log_p = task.forward(tokens.slice(0, 0, 40).view({5, 8})).flatten(0, 1);
  EXPECT_LE((log_p.exp().sum(1) - 1).abs().max().item<double>(), 1e-5);
  double nats = -log_p.gather(1, tokens.slice(0, 1).unsqueeze(1)).sum().item<double>();
  const torch::Tensor rest = task.held_out().to(torch::kLong).slice(0, 40);
  nats -= task.forward(rest.slice(0, 0, 4).unsqueeze(0))[0]
              .gather(1, rest.slice(0, 1).unsqueeze(1))
              .sum()
              .item<double>();
  EXPECT_NEAR(std::log(figures.at("perplexity")), nats / 44, 1e-5);
}

TEST(LanguageTask, AStudentLearnsTheStatesOfItsTeacher) {
  const TemporaryDirectory directory;
  TransformerOptions options = kOneLayer;
  options.layers = 4;
  const LanguageTaskOptions data{.text = directory.file("t", kSentence),
                                 .held_out = directory.file("h", kSentence)};
  torch::manual_seed(5);
  LanguageTask teacher(data, options);
  options.layers = 2;
  LanguageTask student(data, options);
  const train::Batch batch = student.batch(first(5), 1, 0, 0);
  const double before = train::states_loss(student.forward_with_states(batch.inputs).states,
                                           teacher.forward_with_states(batch.inputs).states)
                            .item<double>();
  train::TrainingPlan plan;
  plan.trainer.batch_size = 5;
  plan.trainer.optimization.steps = 1;
  plan.trainer.report_steps = 1;
  plan.teacher = &teacher;
  plan.distillation = {.share = 0, .hidden = 0.5};
  const double cross_entropy = student.loss(batch).item<double>();
  const train::TrainingResult result = train::train(student, plan);
  EXPECT_NEAR(result.report.objective_history.at(0), cross_entropy + 0.5 * before, 1e-4);
}

TEST(LanguageTask, RefusesTextsThatAreTooShort) {
  const TemporaryDirectory directory;
  const auto text = directory.file("t", kSentence), small = directory.file("s", "8 bytes."),
             one = directory.file("o", "x");
  expect_error(ErrorCode::invalid_argument, "8 tokens to learn from",
               [&] { LanguageTask({.text = small, .held_out = text}, kOneLayer); });
  expect_error(ErrorCode::invalid_argument, "1 token is held out",
               [&] { LanguageTask({.text = text, .held_out = one}, kOneLayer); });
  expect_error(ErrorCode::invalid_argument, "0 tokens are held out",
               [&] { LanguageTask({.text = text}, kOneLayer); });
  expect_error(ErrorCode::invalid_argument, "merges: is missing",
               [&] { LanguageTask({.text = text, .encoder = "e"}, kOneLayer); });
  expect_error(ErrorCode::io, "none", [&] { LanguageTask({.text = directory / "none"}, kOneLayer); });
}

}  // namespace
}  // namespace parsimony::models
