// parsimony train: trains a network from a JSON recipe.
#include <memory>

#include "support/files.hpp"
#include "support/run_flags.hpp"
#include "support/run_page.hpp"
#include "torch/training.hpp"
#include "verbs.hpp"

namespace parsimony::cli {
namespace {

constexpr const char* kTrainExamples = R"(Examples:
  parsimony train resnet20-float.json
  parsimony train resnet20-int4.json --output runs/int4 --json > report.json

The recipe is a JSON file (docs/training.md) that describes the network, its data, noise on the weights, a teacher
and quantization. While training runs, the output folder has train.checkpoint: after Ctrl-C or a power cut the same
command resumes from it and ends with the same weights. At the end the folder has model.safetensors, or
model.compact.safetensors for a quantized network, and report.json.)";

}  // namespace

Action add_train(CLI::App& app) {
  const auto settings = std::make_shared<TrainSettings>();
  app.footer(kTrainExamples);
  app.add_option("RECIPE", settings->recipe, "JSON file with the recipe")->required()->type_name("");
  app.add_option("-o,--output", settings->output, "folder for the results (default: as the recipe says)")
      ->type_name("FOLDER");
  app.add_flag("--restart", settings->restart, "ignore the checkpoint in the output folder");
  add_json_flag(app, settings->run.json);
  add_page_flag(app, settings->run.page);
  add_thread_flags(app, settings->run, kTorchThreadsHelp);
  return [settings, &app](Terminal& terminal) {
    check_readable(settings->recipe);
    check_page(settings->run.page, {settings->recipe});
    return run_train(*settings, app, terminal);
  };
}

}  // namespace parsimony::cli
