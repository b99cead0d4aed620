// parsimony evaluate: measures accuracy or perplexity on held-out data.
#include <memory>

#include "support/files.hpp"
#include "support/flags.hpp"
#include "support/run_flags.hpp"
#include "torch/training.hpp"
#include "verbs.hpp"

namespace parsimony::cli {
namespace {

constexpr const char* kEvaluateExamples = R"(Examples:
  parsimony evaluate resnet20-float/model.safetensors resnet20-float.json
  parsimony evaluate small.safetensors resnet20-float.json --json
  parsimony evaluate minilm-int8.safetensors sst2.json --engine run

The model is a safetensors file, plain or compact, with the network of the recipe. The data are those that the
task of the recipe holds out. With --engine run the network computes from its codes, as parsimony run does it:
an EfficientNet, BERT, RoBERTa or language model without integer activations. The result is then the same for any
number of threads.)";

}  // namespace

Action add_evaluate(CLI::App& app) {
  const auto settings = std::make_shared<EvaluateSettings>();
  app.footer(kEvaluateExamples);
  app.add_option("MODEL", settings->model, "safetensors file, plain or compact")->required()->type_name("");
  app.add_option("RECIPE", settings->recipe, "JSON recipe whose task the network is for")
      ->required()
      ->type_name("");
  Flags flags(app, "Evaluation");
  describe(settings->options, flags);
  add_json_flag(app, settings->run.json);
  add_thread_flags(app, settings->run, kTorchThreadsHelp);
  return [settings, &app](Terminal& terminal) {
    check_readable(settings->model);
    check_readable(settings->recipe);
    return run_evaluate(*settings, app, terminal);
  };
}

}  // namespace parsimony::cli
