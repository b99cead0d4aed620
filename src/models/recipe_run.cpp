#include "parsimony/models/recipe_run.hpp"

#include <fmt/format.h>
#include <torch/torch.h>

#include "parsimony/core/error.hpp"
#include "parsimony/core/file.hpp"
#include "parsimony/core/file_error.hpp"
#include "parsimony/core/output_file.hpp"
#include "parsimony/models/weights.hpp"
#include "parsimony/train/batch_norm.hpp"
#include "parsimony/train/export.hpp"
#include "parsimony/train/integer_activation.hpp"
#include "parsimony/train/task.hpp"
#include "parsimony/train/training_processes.hpp"
#include "run/precision.hpp"

namespace parsimony::models {
namespace {

std::vector<std::pair<std::string, ReportValue>> options_of(const Recipe& recipe) {
  std::vector<std::pair<std::string, ReportValue>> out{{"task.kind", std::string(recipe.task->kind())}};
  for (auto& [name, value] : recipe.task->options()) out.emplace_back("task." + name, std::move(value));
  if (recipe.plan.ipq) {
    std::vector<std::pair<std::string, ReportValue>> exported;
    describe(recipe.exported, Record{exported});
    for (auto& [name, value] : exported) out.emplace_back("export." + name, std::move(value));
    out.emplace_back("export.fold_statistics", recipe.fold_statistics);
  }
  if (recipe.teacher == nullptr) return out;
  for (auto& [name, value] : recipe.teacher->options()) out.emplace_back("teacher." + name, std::move(value));
  return out;
}

// Without a range a layer reads floats although activation_bits asks for integers.
void check_ranges(torch::nn::Module& model, const std::string& what, const char* remedy) {
  if (const std::string name = train::uncalibrated_activation(model); !name.empty()) {
    refuse(fmt::format("activation_bits: {} has no range for {}; {}", what, name, remedy));
  }
}

// A wrong option of a task is a fault of the recipe: the message names the file and the key.
template <class Use>
auto with_task(const Recipe& recipe, bool teacher, const Use& use) {
  const TaskRecipe& task = teacher ? *recipe.teacher : *recipe.task;
  try {
    return use(task);
  } catch (const Error& error) {
    const bool unsupported = error.code() == ErrorCode::unsupported;
    const std::string_view message = error.what();
    const std::string_view name = message.substr(0, message.find(':'));
    for (const auto& [option, value] : task.options()) {
      if ((!unsupported && error.code() != ErrorCode::invalid_argument) || option != name) continue;
      throw Error(unsupported ? ErrorCode::unsupported : ErrorCode::format,
                  fmt::format("{}: {}.{}", recipe.file.string(), teacher ? "teacher" : "task", message));
    }
    throw;
  }
}

std::unique_ptr<train::Task> start_task(const Recipe& recipe, bool teacher, Purpose purpose,
                                        const train::Task* student, const Context& context) {
  return with_task(recipe, teacher,
                   [&](const TaskRecipe& task) { return task.make(purpose, student, context); });
}

// The exported file holds rounded weights, so that the figures are those of the file, not of the training.
void judge_exported(train::Task& task, RecipeRun& run, const Context& context) {
  const StageTimer timer(run.report, "evaluation");
  run.figures = task.evaluate(context);
  for (const auto& [name, value] : run.figures) run.report.figures.emplace_back(name, value);
}

std::map<std::string, double> evaluate_by_torch(const Recipe& recipe, const std::filesystem::path& model,
                                                Report& report, const Context& context) {
  torch::set_num_threads(context.threads());
  StageTimer reading(report, "read");
  const std::unique_ptr<train::Task> task = start_task(recipe, false, Purpose::evaluation, nullptr, context);
  reading.finish();
  StageTimer loading(report, "load");
  if (recipe.plan.pruning) task->keep_blocks(train::kept_blocks(task->blocks(), *recipe.plan.pruning));
  load_weights(task->model(), model);
  check_ranges(task->model(), model.string(), "use a file that this recipe trained");
  loading.finish();
  const StageTimer timer(report, "evaluation");
  return task->evaluate(context);
}

}  // namespace

RecipeRun train_recipe(const Recipe& recipe, const std::filesystem::path& output, bool restart,
                       const Context& context) {
  Report reading;
  std::unique_ptr<train::Task> task, teacher;
  {
    const StageTimer timer(reading, "read");
    torch::set_num_threads(context.threads());
    task = start_task(recipe, false, Purpose::training, nullptr, context);
    if (recipe.teacher != nullptr) teacher = start_task(recipe, true, Purpose::teaching, task.get(), context);
  }
  const train::TrainingProcesses& processes =
      recipe.plan.processes == nullptr ? train::one_training_process() : *recipe.plan.processes;
  const bool writes = processes.rank() == 0;
  std::error_code failed;
  if (writes) std::filesystem::create_directories(output, failed);
  if (failed) {
    throw FileError(failed.value(),
                    fmt::format("{}: cannot be created: {}", output.string(), failed.message()));
  }
  train::TrainingPlan plan = recipe.plan;
  plan.teacher = teacher.get();
  plan.evaluate = !plan.ipq;  // a quantized network is evaluated after export, with the weights of its file
  const std::filesystem::path checkpoint = output / "train.checkpoint";
  train::TrainingResult result =
      train::train(*task, plan, {checkpoint, restart, options_of(recipe)}, context);
  add_before(result.report, reading);
  check_ranges(task->model(), "the network", "train it, or set recalibration_batches");

  // Process 0 alone writes, and knows the figures of the written file.
  RecipeRun run{output / "model.safetensors", std::move(result.figures), std::move(result.report)};
  OutputSet outputs;
  if (result.ipq == nullptr) {
    if (!writes) return run;
    save_weights(task->model(), outputs.file(run.model));
  } else {
    run.model = output / "model.compact.safetensors";
    if (!writes) return run;
    if (recipe.fold_statistics) train::fold_statistics(task->model());
    train::export_compact(outputs.file(run.model), task->model(), result.ipq->tensors(), recipe.exported,
                          network_metadata(task->model()));
    Context judging = context;
    if (processes.count() > 1) judging.stop = {};  // the others have ended their part
    judge_exported(*task, run, judging);
  }
  write_file(outputs.file(output / "report.json"), run.report.to_json() + "\n");
  if (processes.count() == 1) context.check_cancelled();
  outputs.commit();
  std::filesystem::remove(checkpoint, failed);  // if it stays, the next run of this recipe ends at once
  return run;
}

Evaluation evaluate_recipe(const Recipe& recipe, const std::filesystem::path& model,
                           const EvaluationOptions& options, const Context& context) {
  validate_fields(options);
  const bool by_torch = options.engine == EvaluationEngine::torch;
  EvaluationOptions used = options;
  if (by_torch && options.precision == run::Precision::automatic) used.precision = run::Precision::exact;
  if (by_torch && used.precision != run::Precision::exact) {
    refuse(fmt::format("precision: is {}; option engine must be run for it, as LibTorch is exact",
                       enum_name(options.precision)));
  }
  used.precision = run::chosen_precision(used.precision);
  Evaluation out;
  out.report = make_report("evaluate", context, 0);
  record_options(out.report, used);
  out.figures = by_torch
                    ? evaluate_by_torch(recipe, model, out.report, context)
                    : with_task(recipe, false, [&](const TaskRecipe& task) {
                        return task.evaluate_by_run(
                            {model, {.precision = used.precision}, recipe.plan.pruning}, out.report, context);
                      });
  for (const auto& [name, value] : out.figures) out.report.figures.emplace_back(name, value);
  return out;
}

}  // namespace parsimony::models
