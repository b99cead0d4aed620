// parsimony decompress: the floats of a compact file, under the names of the model.
#include <fmt/format.h>

#include <memory>

#include "parsimony/quant/compact_file.hpp"
#include "support/exit_code.hpp"
#include "support/files.hpp"
#include "support/flags.hpp"
#include "verbs.hpp"

namespace parsimony::cli {
namespace {

constexpr const char* kExamples = R"(Example:
  parsimony decompress small.safetensors --output model.safetensors)";

struct Settings {
  std::string input;
  std::string output;
  int threads = 0;
  bool quiet = false;
};

int run(const Settings& settings, Terminal& terminal) {
  check_writable("--output", settings.output, {settings.input});
  check_readable(settings.input);
  if (settings.quiet) terminal.be_quiet();
  const Context context = terminal.context(settings.threads);
  const quant::CompactModel model = quant::read_compact_file(settings.input);
  quant::write_decompressed(settings.output, model, context);
  terminal.note(fmt::format("{}: {} weights decoded, {} tensors as they were", settings.output,
                            model.weights.size(), model.others.size()));
  return kDone;
}

}  // namespace

Action add_decompress(CLI::App& app) {
  const auto settings = std::make_shared<Settings>();
  app.footer(kExamples);
  app.add_option("FILE", settings->input, "compact file of parsimony quantize")->required()->type_name("");
  app.add_option("--output", settings->output, "safetensors file of the whole model")
      ->required()
      ->type_name("FILE");
  add_run_flags(app, settings->threads, settings->quiet);
  return [settings](Terminal& terminal) { return run(*settings, terminal); };
}

}  // namespace parsimony::cli
