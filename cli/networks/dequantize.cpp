// parsimony dequantize: a compact file becomes a safetensors file of the whole model.
#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "core/count_of.hpp"
#include "parsimony/quant/compact_file.hpp"
#include "support/exit_code.hpp"
#include "support/files.hpp"
#include "support/flags.hpp"
#include "support/run_flags.hpp"
#include "support/show.hpp"
#include "verbs.hpp"

namespace parsimony::cli {
namespace {

constexpr const char* kDequantizeExamples = R"(Examples:
  parsimony dequantize small.safetensors -o model.safetensors
  parsimony dequantize small.safetensors -o model.safetensors.index.json --shard-size 5GB)";

struct DequantizeSettings {
  std::string input;
  std::string output;
  quant::DequantizeOptions options;
  RunSettings run;
};

int run_dequantize(const DequantizeSettings& settings, Terminal& terminal) {
  check_writable("--output", settings.output, {settings.input});
  check_readable(settings.input);
  const Context context = start(terminal, settings.run);
  OutputSet outputs;
  const quant::CompactRecipe recipe =
      quant::dequantize(settings.input, outputs.file(settings.output), context, settings.options);
  if (settings.run.json) {
    print(json_text({{"input", settings.input},
                     {"output", settings.output},
                     {"weights", recipe.weights.size()},
                     {"other_tensors", recipe.others.size()}},
                    context));
  }
  outputs.commit();
  terminal.note(fmt::format("{}: {} decoded, {} copied", settings.output,
                            count_of(recipe.weights.size(), "weight"),
                            count_of(recipe.others.size(), "tensor")));
  return kDone;
}

}  // namespace

Action add_dequantize(CLI::App& app) {
  const auto settings = std::make_shared<DequantizeSettings>();
  app.footer(kDequantizeExamples);
  app.alias("decompress");  // the earlier name
  app.add_option("FILE", settings->input, "compact file of parsimony quantize")->required()->type_name("");
  add_output_flag(
      app, settings->output,
      "safetensors file of the whole model, or the index of a sharded one,\nNAME.safetensors.index.json")
      ->required();
  describe(settings->options, Flags(app, "Output"));
  add_json_flag(app, settings->run.json);
  add_run_flags(app, settings->run);
  return [settings](Terminal& terminal) { return run_dequantize(*settings, terminal); };
}

}  // namespace parsimony::cli
