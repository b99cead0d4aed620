// parsimony train: a network by a recipe.
#include <memory>

#include "support/files.hpp"
#include "support/flags.hpp"
#include "torch/training.hpp"
#include "verbs.hpp"

namespace parsimony::cli {
namespace {

constexpr const char* kExamples = R"(Examples:
  parsimony train resnet20-float.json
  parsimony train resnet20-int4.json --output runs/int4 --json > report.json

The recipe is a JSON file (docs/training.md): what is trained on what, noise on the weights, a teacher,
product codes. In the folder of the output lies train.checkpoint; the same command goes on from there, after
Ctrl-C or a power cut, and the weights come out as if nothing had been. At the end the folder has
model.safetensors, or model.compact.safetensors of one in product codes, and report.json.)";

}  // namespace

void add_torch_run_flags(CLI::App& app, int& threads, bool& quiet) {
  const Flags flags = Flags(app, "Run").word("threads", "auto", 0);
  flags(Field{"threads", "threads; auto: all cores; the same number makes the same weights", 0, 4096},
        threads);
  app.add_flag("-q,--quiet", quiet, "no progress bar and no notes")->group("Run");
}

Action add_train(CLI::App& app) {
  const auto settings = std::make_shared<TrainSettings>();
  app.footer(kExamples);
  app.add_option("RECIPE", settings->recipe, "JSON file that says what is trained, and how")
      ->required()
      ->type_name("");
  app.add_option("-o,--output", settings->output, "folder of what is made (default: as the recipe says)")
      ->type_name("FOLDER");
  app.add_flag("--restart", settings->restart, "pass over the checkpoint that is in the folder");
  app.add_flag("--json", settings->json, "print the report of the run as JSON");
  add_torch_run_flags(app, settings->threads, settings->quiet);
  return [settings, &app](Terminal& terminal) {
    check_readable(settings->recipe);
    if (settings->quiet) terminal.be_quiet();
    return run_train(*settings, app, terminal);
  };
}

}  // namespace parsimony::cli
