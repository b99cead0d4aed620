// Flags that many verbs share: each is added by one function and has one text.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>
#include <string_view>

#include "support/terminal.hpp"

namespace parsimony::cli {

struct RunSettings {
  int threads = 0;  ///< 0: all cores
  bool quiet = false;
  bool json = false;
  std::string page;             ///< file of --report; empty: none
  std::int64_t max_memory = 0;  ///< bytes of the whole run; 0: the limit of the container, if it has one
};

inline constexpr std::string_view kThreadsHelp =
    "number of threads; auto: all cores. The result is the same for any number";

/// --threads, --quiet and --max-memory.
void add_run_flags(CLI::App& app, RunSettings& settings);

/// --threads and --quiet. The help of --threads must live as long as the app.
void add_thread_flags(CLI::App& app, RunSettings& settings, std::string_view threads_help);

/// --max-memory, which start() sets for readers, methods and writers.
void add_max_memory_flag(CLI::App& app, RunSettings& settings);

/// --json.
void add_json_flag(CLI::App& app, bool& json);

/// -o, --output.
CLI::Option* add_output_flag(CLI::App& app, std::string& path, const std::string& help);

/// The context of the run. From here on the limit of memory holds, and the terminal is quiet if the settings
/// say so.
Context start(Terminal& terminal, const RunSettings& settings);

}  // namespace parsimony::cli
