#include "parsimony/models/recipe.hpp"

#include <fmt/format.h>

#include "models/recipe_object.hpp"
#include "models/task_kinds.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/train/task.hpp"

namespace parsimony::models {
namespace {

// Reads the object under that key into options; false if there is none.
template <class Options>
bool read_options(RecipeObject& recipe, std::string_view key, Options& options) {
  auto object = recipe.object(key);
  if (!object) return false;
  describe(options, *object);
  object->finish();
  return true;
}

// A scheme inherits every option that it does not set from "ipq" itself.
std::optional<train::IpqTrainingOptions> read_ipq(RecipeObject& recipe, std::uint64_t seed) {
  auto object = recipe.object("ipq");
  if (!object) return std::nullopt;
  train::IpqTrainingOptions ipq;
  ipq.codes.seed = seed;
  describe(ipq, *object);
  // If the recipe gives epochs but no steps, drop the default step count.
  if (object->has("epochs") && !object->has("steps")) ipq.optimization.steps = 0;
  for (RecipeObject& scheme : object->objects("schemes")) {
    ipq.schemes.push_back({scheme.text("layers"), ipq.codes});
    describe(ipq.schemes.back().options, scheme);
    scheme.finish();
  }
  object->finish();
  return ipq;
}

}  // namespace

Recipe read_recipe(const std::filesystem::path& file) {
  Recipe recipe;
  recipe.file = file;
  RecipeObject root(file);
  std::uint64_t seed = 0;
  root(Field{"seed", "seed of all randomness"}, seed);

  RecipeObject task = root.required_object("task");
  const std::size_t kind = task.choice("kind", task_kinds());
  recipe.task = read_task(kind, task, seed);
  task.finish();

  train::TrainingPlan& plan = recipe.plan;
  plan.trainer.seed = seed;
  read_options(root, "training", plan.trainer);
  train::NoiseOptions noise;
  noise.seed = seed;
  if (read_options(root, "noise", noise)) plan.noise = noise;
  if (train::PruningOptions pruning; read_options(root, "pruning", pruning)) plan.pruning = pruning;
  plan.ipq = read_ipq(root, seed);
  if (auto exported = root.object("export")) {
    if (!plan.ipq) {
      throw Error(
          ErrorCode::format,
          fmt::format("{}: \"export\" needs \"ipq\": only quantized networks are exported", file.string()));
    }
    describe(recipe.exported, *exported);
    (*exported)(Field{"fold_statistics", "fold the statistics of batch norms into their weights"},
                recipe.fold_statistics);
    exported->finish();
  }
  if (auto teacher = root.object("teacher")) {
    describe(plan.distillation, *teacher);
    recipe.teacher = read_task(kind, *teacher, seed, recipe.task.get());
    teacher->finish();
  }

  recipe.output = root.resolve(file.stem().string());
  root(Field{"output", "folder for the trained network, the report and the checkpoint"}, recipe.output);
  root.finish();
  return recipe;
}

}  // namespace parsimony::models
