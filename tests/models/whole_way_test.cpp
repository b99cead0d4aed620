// The whole way of the paper in one recipe: noise, dropped and shared layers, then pruning, then codes in
// stages.
#include <gtest/gtest.h>

#include "expect_error.hpp"
#include "parsimony/core/file.hpp"
#include "parsimony/models/recipe_run.hpp"
#include "parsimony/quant/compact_file.hpp"
#include "temporary_directory.hpp"
#include "train/stop_after.hpp"

namespace parsimony::models::whole_way_test {
namespace {

constexpr const char* kRest = R"(
  "training": {"steps": 40, "batch_size": 8, "optimizer": "adamw", "learning_rate": 0.01, "checkpoint_steps": 5},
  "noise": {"function": "proxy", "rate": 0.1, "block_size": 8},
  "pruning": {"keep_every": 2},
  "ipq": {"codebook": "int8", "steps": 4, "learning_rate": 0.001,
          "schemes": [{"layers": ".*attention.*", "block_size": 4}]},
  "export": {"deflate_header": true})";

// Words of a small language, most of them rare, with a dictionary.
std::filesystem::path language_recipe(const TemporaryDirectory& directory) {
  std::string text, dictionary;
  for (int i = 0; i < 60; ++i) dictionary += "w" + std::to_string(i) + " 1\n";
  for (int line = 0; line < 2100; ++line) {
    text += line % 2 == 0 ? "w0 w1 w2 w" + std::to_string(10 + line % 50) + "\n" : "w3 w1 w4\n";
  }
  directory.file("dict.txt", dictionary);
  directory.file("text.txt", text);
  return directory.file("lm.json", std::string(R"({"seed": 3, "task": {"kind": "language", "text": "text.txt",
    "dictionary": "dict.txt", "vocabulary": 70, "cutoffs": [20, 40], "band_factor": 2, "layers": 8, "width": 32, "heads": 2,
    "feed_forward": 32, "context": 12, "first_position": 2, "share_adjacent": true, "layer_drop": 0.2,
    "dropout": 0.1, "attention_dropout": 0.1, "activation_dropout": 0.1},)") +
                                       kRest + "}");
}

std::filesystem::path sentence_recipe(const TemporaryDirectory& directory) {
  directory.file("vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\ngood\nbad\na\nfilm\nis\n");
  directory.file("config.json", R"({"model_type": "bert", "vocab_size": 10, "max_position_embeddings": 16,
    "type_vocab_size": 2, "num_hidden_layers": 8, "hidden_size": 32, "num_attention_heads": 2,
    "intermediate_size": 32})");
  std::string table = "sentence\tlabel\n";
  for (int i = 0; i < 40; ++i) table += i % 2 == 0 ? "a good film\t1\n" : "film is bad\t0\n";
  directory.file("table.tsv", table);
  return directory.file("bert.json", std::string(R"({"seed": 3, "task": {"kind": "sentences",
    "texts": "table.tsv", "held_out": "table.tsv", "tokenizer": "vocab.txt", "config": "config.json",
    "max_length": 16, "share_adjacent": true, "layer_drop": 0.2},)") +
                                         kRest + "}");
}

// Stopped again and again, the run ends with the same file; this file has the layers that remain, each once.
void go_the_way(const TemporaryDirectory& directory, const std::filesystem::path& file,
                const std::string& layers, const std::string& figure) {
  const Recipe recipe = read_recipe(file);
  const RecipeRun whole = train_recipe(recipe, directory / "whole", false, Context(1));
  int stops = 0;
  while (true) {
    StopAfter stop(8);
    try {
      train_recipe(recipe, directory / "parts", false, stop.context);
      break;
    } catch (const Error& error) {
      ASSERT_EQ(error.code(), ErrorCode::cancelled) << error.what();
      ++stops;
    }
  }
  EXPECT_GE(stops, 5);
  EXPECT_TRUE(read_file(directory / "parts/model.compact.safetensors") == read_file(whole.model));
  EXPECT_EQ(evaluate_recipe(recipe, whole.model, {}, Context(1)).figures, whole.figures);
  EXPECT_TRUE(whole.figures.contains(figure));

  const quant::CompactModel compact = quant::read_compact_file(whole.model);
  std::int64_t coded = 0;
  for (const quant::WeightRecipe& weight : compact.recipe.weights) {
    coded += weight.name.find(layers) != weight.name.npos ? 1 : 0;
  }
  EXPECT_EQ(coded, 2 * 6) << "eight layers in four pairs, of which two remain";
}

TEST(WholeWay, OfALanguageModelWithAnAdaptiveSoftmax) {
  const TemporaryDirectory directory;
  go_the_way(directory, language_recipe(directory), "layers.", "unknown");
}

TEST(WholeWay, OfAnEncoder) {
  const TemporaryDirectory directory;
  go_the_way(directory, sentence_recipe(directory), "encoder.layer.", "accuracy");
}

TEST(WholeWay, OfAnEncoderInBfloat16) {
  const TemporaryDirectory directory;
  std::string text = read_file(sentence_recipe(directory));
  const std::string steps = "\"steps\": 40,";
  text.replace(text.find(steps), steps.size(), "\"steps\": 4, \"bfloat16\": true,");
  const RecipeRun run =
      train_recipe(read_recipe(directory.file("low.json", text)), directory / "low", false, Context(1));
  EXPECT_GT(run.figures.at("loss"), 0);
}

// Eight layers in four pairs, of which two remain as the layers 0 to 3.
TEST(WholeWay, StagesThatPruningLeavesNothingAreRefusedBeforeTheFirstStep) {
  const TemporaryDirectory directory;
  const auto refuse_part = [&](const std::filesystem::path& good, const std::string& part,
                               const std::string& message) {
    std::string text = read_file(good);
    const std::string before = "\"ipq\": {";
    text.replace(text.find(before), before.size(), before + part);
    const Recipe recipe = read_recipe(directory.file("changed.json", text));
    Context context(1);
    context.on_progress = [](std::string_view stage, std::int64_t, std::int64_t) {
      EXPECT_NE(stage, "training");
    };
    expect_error(ErrorCode::invalid_argument, message,
                 [&] { train_recipe(recipe, directory / "run", false, context); });
  };
  const std::filesystem::path language = language_recipe(directory), encoder = sentence_recipe(directory);
  refuse_part(
      language, R"("stages": ["layers\\.3\\..*", ".*"], )",
      "stages: \"layers\\.3\\..*\" matches no layer that pruning leaves and no earlier stage matches");
  refuse_part(encoder, R"("stages": [".*layer\\.[4-7]\\..*", ".*"], )",
              "matches no layer that pruning leaves");
  refuse_part(encoder, R"("stages": [".*", ".*attention.*"], )", "stages: \".*attention.*\"");
}

TEST(WholeWay, AWrongOptionThatTheDataShowNamesTheRecipe) {
  const TemporaryDirectory directory;
  std::filesystem::path file = language_recipe(directory);
  std::string text = read_file(file);
  const std::string dictionary = "\"vocabulary\": 70";
  text.replace(text.find(dictionary), dictionary.size(), "\"vocabulary\": 63");
  const Recipe small = read_recipe(directory.file("small.json", text));
  expect_error(ErrorCode::format, "small.json: task.vocabulary: is 63; must be at least 64",
               [&] { train_recipe(small, directory / "small"); });
}

}  // namespace
}  // namespace parsimony::models::whole_way_test
