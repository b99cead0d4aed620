#include "parsimony/models/recipe.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <variant>

#include "expect_error.hpp"
#include "places.hpp"
#include "temporary_directory.hpp"

namespace parsimony::models {
namespace {

constexpr const char* kTask = R"("task": {"kind": "images", "archive": "data/a.zip", "depth": 8})";

std::string text_of(const ReportValue& value) {
  const auto* text = std::get_if<std::string>(&value);
  return text == nullptr ? "" : *text;
}

// The value of an option of the task or the teacher.
std::string option(const TaskRecipe& task, const std::string& name) {
  for (const auto& [key, value] : task.options()) {
    if (key == name) return text_of(value);
  }
  return "no such option";
}

TEST(Recipe, SaysWhatIsTrainedOnWhatAndHow) {
  const TemporaryDirectory directory;
  const auto file = directory.file("run.json", std::string("{") + kTask + R"(, "seed": 18446744073709551615,
    "training": {"epochs": 2.5, "batch_size": 1e2, "optimizer": "adamw", "decay": "linear", "nesterov": false},
    "noise": {"function": "product-integer", "rate": 0.25, "layers": "layer.*", "seed": 3},
    "teacher": {"weights": "/models/t.safetensors", "temperature": 4},
    "ipq": {"stages": ["a", "b|c"], "layout": "input-channels", "steps": 7, "learning_rate": 1e-4,
            "schemes": [{"layers": "b", "scheme": "integer", "bits": 3}, {"layers": "a", "block_size": 9}]},
    "export": {"others": "int8", "deflate_header": true, "fold_statistics": true},
    "output": "runs/one"})");
  const Recipe recipe = read_recipe(file);
  EXPECT_EQ(recipe.task->kind(), "images");
  EXPECT_EQ(option(*recipe.task, "archive"), (directory / "data/a.zip").string());
  EXPECT_EQ(option(*recipe.task, "weights"), "");
  ASSERT_NE(recipe.teacher, nullptr);
  EXPECT_EQ(option(*recipe.teacher, "weights"), "/models/t.safetensors");
  EXPECT_EQ(option(*recipe.teacher, "archive"), (directory / "data/a.zip").string()) << "that of the task";
  EXPECT_EQ(recipe.output, directory / "runs/one");

  const train::TrainingPlan& plan = recipe.plan;
  EXPECT_EQ(plan.trainer.optimization.epochs, 2.5);
  EXPECT_EQ(plan.trainer.batch_size, 100);
  EXPECT_EQ(plan.trainer.optimization.optimizer, train::OptimizerKind::adamw);
  EXPECT_EQ(plan.trainer.optimization.decay, train::RateDecay::linear);
  EXPECT_FALSE(plan.trainer.optimization.nesterov);
  EXPECT_EQ(plan.trainer.seed, 18446744073709551615ull);
  ASSERT_TRUE(plan.noise);
  EXPECT_EQ(plan.noise->function, train::NoiseFunction::product_integer);
  EXPECT_EQ(plan.noise->layers, "layer.*");
  EXPECT_EQ(plan.noise->seed, 3);
  EXPECT_EQ(plan.distillation.temperature, 4);
  ASSERT_TRUE(plan.ipq);
  EXPECT_EQ(plan.ipq->stages, (std::vector<std::string>{"a", "b|c"}));
  EXPECT_EQ(plan.ipq->codes.layout, quant::BlockLayout::input_channels);
  EXPECT_EQ(plan.ipq->codes.seed, 18446744073709551615ull);
  EXPECT_EQ(plan.ipq->optimization.steps, 7);
  ASSERT_EQ(plan.ipq->schemes.size(), 2);
  EXPECT_EQ(plan.ipq->schemes[0].layers, "b");
  EXPECT_EQ(plan.ipq->schemes[0].options.bits, 3);
  EXPECT_EQ(plan.ipq->schemes[1].options.block_size, 9);
  EXPECT_EQ(plan.ipq->schemes[1].options.layout, quant::BlockLayout::input_channels) << "as for all";
  EXPECT_EQ(recipe.exported.others, train::OtherTensors::int8);
  EXPECT_TRUE(recipe.exported.deflate_header && recipe.fold_statistics);
}

TEST(Recipe, TakesWordsAndKeysOfEarlierRecipes) {
  const TemporaryDirectory directory;
  const auto read = [&](const std::string& noise) {
    return *read_recipe(
                directory.file("run.json", std::string("{") + kTask + R"(, "noise": {)" + noise + "}}"))
                .plan.noise;
  };
  EXPECT_EQ(read(R"("block_size": "auto")").block_size, 0);
  EXPECT_EQ(read(R"("block_size": 0)").block_size, 0) << "the number of earlier recipes";
  EXPECT_EQ(read(R"("max_iterations": 3)").max_iterations, 3);
  EXPECT_EQ(read(R"("kmeans_iterations": 4)").max_iterations, 4);
  expect_error(ErrorCode::format, "noise.kmeans_iterations is the old name of noise.max_iterations",
               [&] { read(R"("max_iterations": 3, "kmeans_iterations": 4)"); });
  expect_error(ErrorCode::format, "noise.max_iterations: 0 is out of range",
               [&] { read(R"("kmeans_iterations": 0)"); });
}

TEST(Recipe, EpochsOfCodesTakeTheirStepsPlace) {
  const TemporaryDirectory directory;
  const auto steps = [&](const std::string& ipq) {
    const auto file = directory.file("run.json", std::string("{") + kTask + R"(, "ipq": {)" + ipq + "}}");
    return train::planned_steps(read_recipe(file).plan.ipq->optimization, 1000, 10);
  };
  EXPECT_EQ(steps(""), 200);
  EXPECT_EQ(steps(R"("epochs": 0)"), 0);
  EXPECT_EQ(steps(R"("epochs": 2)"), 200);
  EXPECT_EQ(steps(R"("epochs": 3)"), 300);
  EXPECT_EQ(steps(R"("epochs": 3, "steps": 7)"), 7);
}

TEST(Recipe, TakesLittle) {
  const TemporaryDirectory directory;
  const Recipe recipe = read_recipe(directory.file("run.json", std::string("{") + kTask + "}"));
  EXPECT_FALSE(recipe.plan.noise || recipe.plan.ipq || recipe.teacher);
  EXPECT_EQ(recipe.output, directory / "run") << "the folder of its name beside it";
}

TEST(Recipe, MistakesAreNamedWithTheirPathAndWhatWasMeant) {
  const TemporaryDirectory directory;
  const auto refused = [&](const std::string& text, const std::string& piece) {
    expect_error(ErrorCode::format, piece, [&] { read_recipe(directory.file("run.json", text)); });
  };
  const auto refused_part = [&](const std::string& part, const std::string& piece) {
    SCOPED_TRACE(part);
    refused(std::string("{") + kTask + ", " + part + "}", "run.json: " + piece);
  };
  refused_part(R"("training": {"learning_rat": 0.1})",
               "training.learning_rat is not a key of a recipe; did you mean learning_rate?");
  refused_part(R"("nois": {})", "nois is not a key of a recipe; did you mean noise?");
  refused_part(R"("teacher": {"xyzzy": 1})", "teacher.xyzzy is not a key of a recipe");
  refused_part(R"("training": {"batch_size": "many"})",
               "training.batch_size is \"many\"; must be a whole number");
  refused_part(R"("training": {"batch_size": 1.5})", "training.batch_size is 1.5; must be a whole number");
  refused_part(R"("training": {"batch_size": 0})", "training.batch_size: 0 is out of range; must be from 1");
  refused_part(R"("training": {"nesterov": 1})", "training.nesterov is 1; must be true or false");
  refused_part(R"("training": {"optimizer": "lion"})",
               "training.optimizer is \"lion\"; must be one of \"sgd\", \"adamw\"");
  refused_part(R"("noise": {"rate": 1.5})", "noise.rate: 1.5 is out of range");
  refused_part(R"("noise": [])", "noise is []; must be an object");
  refused_part(R"("ipq": {"stages": "conv"})", "ipq.stages is \"conv\"; must be an array of strings");
  refused_part(R"("ipq": {"stages": [1]})", "ipq.stages is [1]; must be an array of strings");
  refused_part(R"("ipq": {"schemes": {}})", "ipq.schemes is {}; must be an array of objects");
  refused_part(R"("ipq": {"schemes": [{"layers": "a"}, {"layers": "b", "bit": 3}]})",
               "ipq.schemes[1].bit is not a key of a recipe; did you mean bits?");
  refused_part(R"("ipq": {"schemes": [{"bits": 3}]})", "ipq.schemes[0].layers is missing; must be a string");
  refused_part(R"("ipq": {}, "export": {"fold": true})", "export.fold is not a key of a recipe");
  refused_part(R"("export": {})", "\"export\" needs \"ipq\"");
  refused_part(R"("seed": -1)", "seed is -1; must be 0 or positive");
  refused(R"({"training": {}})", "task is missing; must be an object");
  refused(R"({"task": {"kind": "music"}})",
          "task.kind is \"music\"; must be one of \"images\", \"language\"");
  refused(R"({"task": {"archive": "a.zip"}})", "task.kind is missing");
  refused(R"({"task": {"kind": "images", "archiv": "a.zip"}})", "did you mean archive?");
  refused("{\n\"task\": {,}}", "run.json:2: is not valid JSON");
  refused("[]", "must be a JSON object");
  refused("", "is not valid JSON");
  expect_error(ErrorCode::io, "missing.json", [&] { read_recipe(directory / "missing.json"); });
}

// Cut anywhere, a recipe is refused and nothing else happens.
TEST(Recipe, CutAnywhereItIsRefused) {
  const TemporaryDirectory directory;
  const std::string whole = std::string("{") + kTask + R"(, "training": {"steps": 10}, "noise": {}})";
  read_recipe(directory.file("run.json", whole));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    expect_error(ErrorCode::format, "not valid JSON",
                 [&] { read_recipe(directory.file("run.json", whole.substr(0, size))); });
  }
}

TEST(Recipe, ThoseOfTheExamplesAreRead) {
  int count = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(places::source_folder() / "examples/recipes")) {
    SCOPED_TRACE(entry.path().string());
    EXPECT_NO_THROW(read_recipe(entry.path()));
    ++count;
  }
  EXPECT_GE(count, 4);
}

}  // namespace
}  // namespace parsimony::models
