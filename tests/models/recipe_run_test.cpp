#include "parsimony/models/recipe_run.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <stop_token>

#include "expect_error.hpp"
#include "parsimony/core/file.hpp"
#include "parsimony/run/language_model.hpp"
#include "temporary_directory.hpp"

namespace parsimony::models {
namespace {

std::string recipe_text(const std::string& more) {
  return R"({"task": {"kind": "language", "text": "text.txt", "layers": 1, "width": 16, "heads": 2,
                      "feed_forward": 32, "context": 16, "activation_bits": 8)" +
         more + "}";
}

std::filesystem::path words(const TemporaryDirectory& directory) {
  std::string text;
  for (int i = 0; i < 2100; ++i)
    text += i % 3 == 0 ? "a word\n" : "and another\n";  // 2,000 lines hold some out
  return directory.file("text.txt", text);
}

// exp of the entropy of the bytes of a text: the lowest perplexity of any model that ignores the bytes
// before.
double perplexity_without_context(const std::filesystem::path& file) {
  const std::string text = read_file(file);
  std::map<char, double> counts;
  for (const char byte : text) ++counts[byte];
  double entropy = 0;
  for (const auto& [byte, count] : counts)
    entropy -= count / double(text.size()) * std::log(count / double(text.size()));
  return std::exp(entropy);
}

// The file is evaluated, not the network in training: a second evaluation gives the same figures. They show
// that the quantized network has learned from context.
TEST(RecipeRun, TrainsExportsAndEvaluates) {
  const TemporaryDirectory directory;
  const double without_context = perplexity_without_context(words(directory));
  const Recipe recipe = read_recipe(directory.file("run.json", recipe_text(R"(},
    "training": {"steps": 80, "batch_size": 8, "optimizer": "adamw", "learning_rate": 0.02,
                 "recalibration_batches": 2},
    "ipq": {"stages": [".*"], "scheme": "integer", "bits": 8, "steps": 2,
            "schemes": [{"layers": "embedding", "block_size": 4}]},
    "export": {"deflate_header": true})")));
  const RecipeRun run = train_recipe(recipe, recipe.output);
  EXPECT_EQ(run.model, directory / "run/model.compact.safetensors");
  EXPECT_FALSE(std::filesystem::exists(directory / "run/train.checkpoint"));
  EXPECT_TRUE(std::filesystem::exists(directory / "run/report.json"));
  EXPECT_GT(without_context, 6);
  EXPECT_LT(run.figures.at("perplexity"), without_context / 2);
  EXPECT_EQ(evaluate_recipe(recipe, run.model).figures, run.figures);
  const auto has = [&](const char* name) {
    return std::any_of(run.report.options.begin(), run.report.options.end(),
                       [&](const auto& option) { return option.first == name; });
  };
  EXPECT_TRUE(has("export.deflate_header") && has("export.fold_statistics") &&
              has("ipq.schemes[0].block_size"));
}

// A wish to stop is heard while the codes are judged: no result is there then, and the next run ends as if
// there had been none.
TEST(RecipeRun, StopsWhileItJudgesTheExportedNetwork) {
  const TemporaryDirectory directory;
  words(directory);
  const Recipe recipe = read_recipe(directory.file("run.json", recipe_text(R"(},
    "training": {"steps": 4, "batch_size": 8, "recalibration_batches": 2},
    "ipq": {"stages": [".*"], "scheme": "integer", "bits": 8, "steps": 2})")));
  const RecipeRun whole = train_recipe(recipe, directory / "whole", false, Context(1));
  std::stop_source source;
  int judged = 0;
  Context context(1);
  context.stop = source.get_token();
  context.on_progress = [&](std::string_view stage, std::int64_t, std::int64_t) {
    if (stage != "evaluate") return;
    ++judged;
    source.request_stop();
  };
  expect_error(ErrorCode::cancelled, "cancelled",
               [&] { train_recipe(recipe, directory / "parts", false, context); });
  EXPECT_EQ(judged, 1);
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(directory / "parts"))
    files.push_back(entry.path().filename().string());
  EXPECT_EQ(files, std::vector<std::string>{"train.checkpoint"});
  const RecipeRun parts = train_recipe(recipe, directory / "parts", false, Context(1));
  EXPECT_EQ(parts.figures, whole.figures);
  EXPECT_EQ(read_file(parts.model), read_file(whole.model));
}

// The files tell what their weights do not show: heads, shared layers and the first position.
TEST(RecipeRun, LanguageModelsRunWithoutTheirRecipe) {
  const TemporaryDirectory directory;
  words(directory);
  const std::string begin =
      R"({"task": {"kind": "language", "text": "text.txt", "layers": 5, "share_adjacent": true, "width": 16,
                   "heads": 2, "feed_forward": 32, "context": 16, "first_position": 2},
          "training": {"steps": 2, "batch_size": 4}, "pruning": {"keep_every": 2})";
  for (const char* end :
       {"}", R"(, "ipq": {"stages": [".*"], "scheme": "integer", "bits": 8, "steps": 1}})"}) {
    const Recipe recipe = read_recipe(directory.file("run.json", begin + end));
    const RecipeRun made = train_recipe(recipe, recipe.output, true);
    const run::LanguageModel network = run::load_language_model(made.model, {});
    EXPECT_EQ(network.options().heads, 2) << made.model;
    EXPECT_EQ(network.options().first_position, 2);
    EXPECT_EQ(network.layers(), 3);  // blocks 0, of two layers, and 2, of the last one
  }
}

// Layers that should read integers would read floats.
TEST(RecipeRun, RefusesActivationsWithoutRanges) {
  const TemporaryDirectory directory;
  words(directory);
  std::string floats = recipe_text(R"(}, "training": {"steps": 1, "batch_size": 4})");
  floats.replace(floats.find("\"activation_bits\": 8"), 20, "\"activation_bits\": 0");
  const Recipe plain = read_recipe(directory.file("floats.json", floats));
  const RecipeRun run = train_recipe(plain, plain.output);
  const Recipe recipe = read_recipe(directory.file("integers.json", recipe_text("}")));
  expect_error(ErrorCode::invalid_argument, "activation_bits", [&] { evaluate_recipe(recipe, run.model); });
  evaluate_recipe(plain, run.model);
}

}  // namespace
}  // namespace parsimony::models
