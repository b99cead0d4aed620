#include "support/run_flags.hpp"

#include "support/flags.hpp"

namespace parsimony::cli {

void add_run_flags(CLI::App& app, RunSettings& settings) {
  add_run_flags(app, settings.threads, settings.quiet);
}

void add_run_flags(CLI::App& app, int& threads, bool& quiet) {
  Flags(app, "Run")(
      Field{"threads", "number of threads; auto: all cores. The result is the same for any number", 1, 4096,
            "auto", 0},
      threads);
  add_quiet_flag(app, quiet);
}

void add_quiet_flag(CLI::App& app, bool& quiet) {
  app.add_flag("-q,--quiet", quiet, "show no progress bar and no notes")->group("Run");
}

void add_json_flag(CLI::App& app, bool& json) {
  app.add_flag("--json", json, "print the report of the run as JSON")->group("Output");
}

void add_max_memory_flag(CLI::App& app, std::int64_t& max_memory) {
  Flags(app, "Run")(kMaxMemoryField, max_memory);
}

CLI::Option* add_output_flag(CLI::App& app, std::string& path, const std::string& help) {
  return app.add_option("-o,--output", path, help)->type_name("FILE")->group("Output");
}

Context start(Terminal& terminal, const RunSettings& settings) {
  if (settings.quiet) terminal.be_quiet();
  return terminal.context(settings.threads);
}

}  // namespace parsimony::cli
