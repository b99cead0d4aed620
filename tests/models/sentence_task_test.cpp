#include "parsimony/models/sentence_task.hpp"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <array>

#include "expect_error.hpp"
#include "models/sentence_inputs.hpp"
#include "parsimony/models/weights.hpp"
#include "parsimony/train/trainer.hpp"
#include "temporary_directory.hpp"

namespace parsimony::models::sentence_task_test {
namespace {

const char* const kConfig = R"({"model_type": "bert", "vocab_size": 10, "max_position_embeddings": 16,
  "type_vocab_size": 2, "num_hidden_layers": 1, "hidden_size": 16, "num_attention_heads": 2,
  "intermediate_size": 32, "hidden_dropout_prob": 0})";

// Sentences of three words; the label is whether "good" is among them.
struct SmallTask {
  TemporaryDirectory directory;
  SentenceTaskOptions options;

  SmallTask() {
    options.tokenizer =
        directory.file("vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\ngood\nbad\na\nfilm\nis\n");
    options.config = directory.file("config.json", kConfig);
    std::string table = "sentence\tlabel\n";
    for (const char* text : {"a good film", "a bad film", "film is good", "is bad", "good", "bad a film",
                             "good is a film", "film bad"}) {
      table += std::string(text) + (std::string(text).find("good") != std::string::npos ? "\t1\n" : "\t0\n");
    }
    options.texts = options.held_out = directory.file("table.tsv", table);
    options.max_length = 16;
    options.seed = 3;
  }
  SentenceTask make() const { return SentenceTask(options, read_sentence_data(options, true)); }
};

TEST(SentenceTask, LearnsTheWordThatDecides) {
  const SmallTask small;
  SentenceTask task = small.make();
  EXPECT_EQ(task.data()->labels, (std::vector<std::string>{"0", "1"}));
  EXPECT_EQ(task.examples(), 8);
  train::TrainingPlan plan;
  plan.trainer.batch_size = 8;
  plan.trainer.optimization.steps = 40;
  plan.trainer.optimization.optimizer = train::OptimizerKind::adamw;
  plan.trainer.optimization.learning_rate = 0.01;
  const int threads = torch::get_num_threads();
  torch::set_num_threads(1);  // steps are so short that threads would only wait for each other
  const auto figures = train::train(task, plan).figures;
  torch::set_num_threads(threads);
  EXPECT_EQ(figures.at("accuracy"), 1);
  EXPECT_EQ(figures.at("matthews"), 1);
  EXPECT_LT(figures.at("loss"), 0.1);
}

// The longest text decides the width of a batch; the others get padding, which no text may see.
TEST(SentenceTask, PaddingChangesNothing) {
  const SmallTask small;
  SentenceTask task = small.make();
  task.model().eval();
  const torch::NoGradGuard no_gradient;
  const std::vector<std::int64_t> all{0, 1, 2, 3, 4, 5, 6, 7};
  const train::Batch batch = task.batch(all, 0, 0, 0);
  EXPECT_EQ(batch.inputs.sizes().vec(), (std::vector<std::int64_t>{8, 2, 6}));
  const torch::Tensor together = task.forward(batch.inputs);
  for (std::int64_t i = 0; i < 8; ++i) {
    const train::Batch alone = task.batch(std::span(all).subspan(static_cast<std::size_t>(i), 1), 0, 0, 0);
    EXPECT_TRUE(torch::allclose(task.forward(alone.inputs)[0], together[i], 1e-4, 1e-5)) << i;
    EXPECT_EQ(alone.targets[0].item<std::int64_t>(), batch.targets[i].item<std::int64_t>());
  }
}

// A file without a head and without the prefix of one fits, and a head that is missing is named.
TEST(SentenceTask, TakesTheWeightsOfAnEncoder) {
  SmallTask small;
  const auto file = small.directory / "encoder.safetensors";
  Bert encoder(read_bert_config(small.options.config));
  save_weights(encoder, file);
  small.options.weights = file;
  SentenceTask task = small.make();
  EXPECT_EQ(task.drawn(), (std::vector<std::string>{"classifier.weight", "classifier.bias"}));
  const torch::Tensor tokens = torch::tensor({{2, 5, 3}}, torch::kLong);
  encoder.eval();
  task.model().eval();
  const torch::NoGradGuard no_gradient;
  EXPECT_TRUE(torch::equal(encoder.encode(tokens), task.model().encode(tokens)));
  const auto whole = small.directory / "whole.safetensors";
  save_weights(task.model(), whole);
  small.options.weights = whole;
  SentenceTask again = small.make();
  EXPECT_TRUE(again.drawn().empty());
  again.model().eval();
  EXPECT_TRUE(torch::equal(again.model().forward(tokens), task.model().forward(tokens)));
  save_weights(*torch::nn::Linear(2, 2), file);
  small.options.weights = file;
  expect_error(ErrorCode::format, "21 tensors of the model are missing", [&] { small.make(); });
}

TEST(SentenceTask, SimilarityIsTheCorrelationOfRanks) {
  SmallTask small;
  small.options.target = data::TextTarget::score;
  small.options.texts.clear();
  small.options.held_out = small.directory.file(
      "pairs.tsv",
      "sentence1\tsentence2\tscore\ngood\tgood\t5\na film\ta film\t5\nbad\tgood a\t1\nis\tfilm bad\t0\n");
  SentenceTask task(small.options, read_sentence_data(small.options, false));
  // Equal texts have the cosine 1; the other two cosines are in either order.
  EXPECT_GT(task.evaluate().at("spearman"), 0.7);
  expect_error(ErrorCode::invalid_argument, "training needs label",
               [&] { read_sentence_data(small.options, true); });
  const std::array<double, 4> a{1, 2, 3, 4}, cubes{1, 8, 27, 64}, down{4, 3, 2, 1}, ties{1, 2, 2, 3},
      same{7, 7, 7, 7};
  EXPECT_DOUBLE_EQ(rank_correlation(a, cubes), 1);
  EXPECT_DOUBLE_EQ(rank_correlation(a, down), -1);
  EXPECT_DOUBLE_EQ(rank_correlation(a, ties), 4.5 / std::sqrt(5 * 4.5));  // ranks 0, 1.5, 1.5, 3
  EXPECT_DOUBLE_EQ(rank_correlation(a, same), 0);
}

TEST(SentenceTask, RefusesWhatDoesNotFit) {
  SmallTask small;
  const auto refused = [&](const char* piece) {
    expect_error(ErrorCode::invalid_argument, piece, [&] { read_sentence_data(small.options, true); });
  };
  small.options.max_length = 17;
  refused("max_length: is 17; must be at most 16");
  small.options.max_length = 16;
  small.options.labels = {"0", "2"};
  refused("has the label 1 too");
  small.options.labels.clear();
  const auto vocabulary = small.options.tokenizer;
  small.options.tokenizer =
      small.directory.file("large.txt", TemporaryDirectory::content(vocabulary) + "more\n");
  refused("has 11 tokens; the network of");
  small.options.tokenizer = small.directory.file("other.txt", "[UNK]\n[PAD]\n[CLS]\n[SEP]\n[MASK]\n");
  refused("is the token 1; that of");
}

}  // namespace
}  // namespace parsimony::models::sentence_task_test
