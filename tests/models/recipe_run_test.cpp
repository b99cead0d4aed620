#include "parsimony/models/recipe_run.hpp"

#include <gtest/gtest.h>

#include "expect_error.hpp"
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

// What is judged is what the file holds: evaluated again, the figures are the same.
TEST(RecipeRun, TrainsExportsAndEvaluates) {
  const TemporaryDirectory directory;
  words(directory);
  const Recipe recipe = read_recipe(directory.file("run.json", recipe_text(R"(},
    "training": {"steps": 8, "batch_size": 4, "learning_rate": 0.05, "recalibration_batches": 2},
    "ipq": {"stages": [".*"], "scheme": "integer", "bits": 8, "steps": 2,
            "schemes": [{"layers": "embedding", "block_size": 4}]},
    "export": {"deflate_header": true})")));
  const RecipeRun run = train_recipe(recipe, recipe.output);
  EXPECT_EQ(run.model, directory / "run/model.compact.safetensors");
  EXPECT_FALSE(std::filesystem::exists(directory / "run/train.checkpoint"));
  EXPECT_TRUE(std::filesystem::exists(directory / "run/report.json"));
  EXPECT_LT(run.figures.at("perplexity"), 256);
  EXPECT_EQ(evaluate_recipe(recipe, run.model), run.figures);
  const auto has = [&](const char* name) {
    return std::any_of(run.report.options.begin(), run.report.options.end(),
                       [&](const auto& option) { return option.first == name; });
  };
  EXPECT_TRUE(has("export.deflate_header") && has("export.fold_statistics") &&
              has("ipq.schemes[0].block_size"));
}

// Layers that were to read integers and would read floats.
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
