#include "support/run_flags.hpp"

#include "support/flags.hpp"

namespace parsimony::cli {

void add_run_flags(CLI::App& app, RunSettings& settings, std::string_view threads_help) {
  Flags(app, "Run")(Field{"threads", threads_help, 1, 4096, "auto", 0}, settings.threads);
  app.add_flag("-q,--quiet", settings.quiet, "show no progress bar and no notes")->group("Run");
}

void add_json_flag(CLI::App& app, bool& json) {
  app.add_flag("--json", json, "print the report of the run as JSON")->group("Output");
}

void add_max_memory_flag(CLI::App& app, std::int64_t& max_memory) {
  Field field = kMaxMemoryField;
  field.help = "bytes that a file and its values may take; a larger file is refused";
  Flags(app, "Run")(field, max_memory);
}

CLI::Option* add_output_flag(CLI::App& app, std::string& path, const std::string& help) {
  return app.add_option("-o,--output", path, help)->type_name("FILE")->group("Output");
}

Context start(Terminal& terminal, const RunSettings& settings) {
  if (settings.quiet) terminal.be_quiet();
  return terminal.context(settings.threads);
}

}  // namespace parsimony::cli
