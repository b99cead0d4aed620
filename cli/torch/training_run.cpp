// Implements training.hpp for parsimony-torch: carries out train, evaluate and quantize with pictures or
// texts.
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <optional>

#include "core/count_of.hpp"
#include "core/files/output_gate.hpp"
#include "core/report_json.hpp"
#include "networks/quantize.hpp"
#include "parsimony/models/recipe.hpp"
#include "parsimony/models/recipe_run.hpp"
#include "support/exit_code.hpp"
#include "support/files.hpp"
#include "support/run_page.hpp"
#include "support/show.hpp"
#include "torch/joint_training.hpp"
#include "torch/training.hpp"

namespace parsimony::cli {
namespace {

std::string figures_text(const std::map<std::string, double>& figures) {
  std::string text;
  for (const auto& [name, value] : figures) text += fmt::format("{:<18}{:.6g}\n", name, value);
  return text;
}

int train_in(const train::TrainingProcesses& processes, const TrainSettings& settings, Terminal& terminal) {
  const bool first = processes.rank() == 0;
  if (!first) terminal.be_quiet();
  models::Recipe recipe = models::read_recipe(settings.recipe);
  recipe.plan.processes = &processes;
  const std::filesystem::path output =
      settings.output.empty() ? recipe.output : std::filesystem::path(settings.output);
  // Processes that train together stop together: the others would take the end of one for a failure.
  std::optional<UnsavedWork> joint;
  if (processes.count() > 1) joint.emplace();
  RunSettings own = settings.run;
  if (own.threads == 0) own.threads = share_of_threads();
  Context context = start(terminal, own);
  if (!first) context.on_progress = nullptr;
  const models::RecipeRun run = models::train_recipe(recipe, output, settings.restart, context);
  if (!first) return kDone;
  const auto bytes = static_cast<std::int64_t>(std::filesystem::file_size(run.model));
  nlohmann::ordered_json root = report_json(run.report);
  root["recipe"] = settings.recipe;
  root["output"] = {{"path", run.model.string()}, {"bytes", bytes}};
  const std::string json = json_text(root);
  OutputSet outputs;
  write_page(settings.run.page, json, {}, terminal, context, outputs);
  outputs.commit();
  if (settings.run.json) {
    print(json);
  } else {
    print(fmt::format("model             {}, {}\nsteps             {}\n{}seconds           {:.3f}\n",
                      run.model.string(), count_of(bytes, "byte"), run.report.iterations,
                      figures_text(run.figures), run.report.seconds()));
  }
  return kDone;  // making all planned steps is success, not a limit that was reached
}

}  // namespace

int run_train(const TrainSettings& settings, const CLI::App& app, Terminal& terminal) {
  return run_together(terminal, app, [&](const train::TrainingProcesses& processes) {
    return train_in(processes, settings, terminal);
  });
}

int run_evaluate(const EvaluateSettings& settings, const CLI::App&, Terminal& terminal) {
  const models::Recipe recipe = models::read_recipe(settings.recipe);
  const Context context = start(terminal, settings.run);
  const models::Evaluation made = models::evaluate_recipe(recipe, settings.model, settings.options, context);
  const auto bytes = static_cast<std::int64_t>(std::filesystem::file_size(settings.model));
  nlohmann::ordered_json root = report_json(made.report);
  if (settings.run.json) {
    root["model"] = {{"path", settings.model}, {"bytes", bytes}};
    root["recipe"] = settings.recipe;
    print(json_text(root));
  } else {
    const auto option = [&](const char* name) { return root["options"][name].get<std::string>(); };
    print(fmt::format("model             {}, {}\nengine            {}, {}\n{}seconds           {:.3f}\n",
                      settings.model, count_of(bytes, "byte"), option("engine"), option("precision"),
                      figures_text(made.figures), made.report.seconds()));
  }
  return kDone;
}

int run_quantize_with_data(QuantizeSettings& settings, const CLI::App& app, Terminal& terminal) {
  const Context context = start(terminal, settings.run);
  read_calibration(settings, context);
  OutputSet outputs;
  const OutputPath output = outputs.file(settings.output);
  show_compression(
      settings.texts.texts.empty()
          ? models::compress_for_images(settings.input, output, settings.options, settings.images, context)
          : models::compress_for_texts(settings.input, output, settings.options, settings.texts, context),
      settings, app, terminal, context, outputs);
  outputs.commit();
  return kDone;
}

}  // namespace parsimony::cli
