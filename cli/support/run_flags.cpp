#include "support/run_flags.hpp"

#include <fmt/format.h>

#include "core/count_of.hpp"
#include "parsimony/core/error.hpp"
#include "support/flags.hpp"
#include "support/memory_guard.hpp"

namespace parsimony::cli {

void add_run_flags(CLI::App& app, RunSettings& settings) {
  add_max_memory_flag(app, settings);
  add_thread_flags(app, settings, kThreadsHelp);
}

void add_thread_flags(CLI::App& app, RunSettings& settings, std::string_view threads_help) {
  Flags(app, "Run")(Field{"threads", threads_help, 1, 4096, "auto", 0}, settings.threads);
  app.add_flag("-q,--quiet", settings.quiet, "show no progress bar and no notes")->group("Run");
}

void add_json_flag(CLI::App& app, bool& json) {
  app.add_flag("--json", json, "print the report of the run as JSON")->group("Output");
}

void add_max_memory_flag(CLI::App& app, RunSettings& settings) {
  Flags(app, "Run")(kMaxMemoryField, settings.max_memory);
}

CLI::Option* add_output_flag(CLI::App& app, std::string& path, const std::string& help) {
  return app.add_option("-o,--output", path, help)->type_name("FILE")->group("Output");
}

Context start(Terminal& terminal, const RunSettings& settings) {
  if (settings.quiet) terminal.be_quiet();
  Context context = terminal.context(settings.threads);
  context.memory = memory_limit(settings.max_memory);
  if (const std::int64_t own = memory_in_use(); settings.max_memory > 0 && own > settings.max_memory) {
    throw Error(
        ErrorCode::memory_limit,
        fmt::format("max_memory: {} {} too few: the program alone takes about {}",
                    count_of(settings.max_memory, "byte"), noun_of(settings.max_memory, "is", "are"), own));
  }
  const std::string& verb = terminal.verb();  // "parsimony inspect"
  guard_memory(context.memory, std::string_view(verb).substr(verb.find(' ') + 1));
  return context;
}

}  // namespace parsimony::cli
