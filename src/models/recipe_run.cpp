#include "parsimony/models/recipe_run.hpp"

#include <fmt/format.h>
#include <torch/torch.h>

#include "parsimony/core/error.hpp"
#include "parsimony/core/file.hpp"
#include "parsimony/models/weights.hpp"
#include "parsimony/train/batch_norm.hpp"
#include "parsimony/train/export.hpp"
#include "parsimony/train/task.hpp"

namespace parsimony::models {
namespace {

std::vector<std::pair<std::string, ReportValue>> options_of(const Recipe& recipe) {
  std::vector<std::pair<std::string, ReportValue>> out{{"task.kind", std::string(recipe.task->kind())}};
  for (auto& [name, value] : recipe.task->options()) out.emplace_back("task." + name, std::move(value));
  if (recipe.teacher == nullptr) return out;
  for (auto& [name, value] : recipe.teacher->options()) out.emplace_back("teacher." + name, std::move(value));
  return out;
}

// The file holds roundings of what was trained.
void judge_exported(train::Task& task, RecipeRun& run, const Context& context) {
  const StageTimer timer(run.report, "evaluation");
  run.figures = task.evaluate(context);
  for (const auto& [name, value] : run.figures) run.report.figures.emplace_back(name, value);
}

}  // namespace

RecipeRun train_recipe(const Recipe& recipe, const std::filesystem::path& output, bool restart,
                       const Context& context) {
  Report reading;
  std::unique_ptr<train::Task> task, teacher;
  {
    const StageTimer timer(reading, "read");
    torch::set_num_threads(context.threads());
    task = recipe.task->make(Purpose::training, nullptr, context);
    if (recipe.teacher != nullptr) teacher = recipe.teacher->make(Purpose::teaching, task.get(), context);
  }
  std::error_code failed;
  std::filesystem::create_directories(output, failed);
  if (failed) {
    throw Error(ErrorCode::io, fmt::format("{}: cannot be made: {}", output.string(), failed.message()));
  }
  train::TrainingPlan plan = recipe.plan;
  plan.teacher = teacher.get();
  plan.evaluate = !plan.ipq;  // what has codes is judged as the file has it
  const std::filesystem::path checkpoint = output / "train.checkpoint";
  train::TrainingResult result =
      train::train(*task, plan, {checkpoint, restart, options_of(recipe)}, context);
  add_before(result.report, reading);
  context.check_cancelled();  // from here on files appear: all of them or none

  RecipeRun run{output / "model.safetensors", std::move(result.figures), std::move(result.report)};
  if (result.ipq == nullptr) {
    save_weights(task->model(), run.model);
  } else {
    run.model = output / "model.compact.safetensors";
    if (recipe.fold_statistics) train::fold_statistics(task->model());
    train::export_compact(run.model, task->model(), result.ipq->tensors(), recipe.exported);
    judge_exported(*task, run, context);
  }
  write_file(output / "report.json", run.report.to_json() + "\n");
  std::filesystem::remove(checkpoint, failed);  // one that stays does no harm: the same run ends at once
  return run;
}

std::map<std::string, double> evaluate_recipe(const Recipe& recipe, const std::filesystem::path& model,
                                              const Context& context) {
  torch::set_num_threads(context.threads());
  const std::unique_ptr<train::Task> task = recipe.task->make(Purpose::evaluation, nullptr, context);
  load_weights(task->model(), model);
  return task->evaluate(context);
}

}  // namespace parsimony::models
