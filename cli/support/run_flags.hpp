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
  std::int64_t max_memory = 0;  ///< bytes of one file or its values; 0: no limit
};

inline constexpr std::string_view kThreadsHelp =
    "number of threads; auto: all cores. The result is the same for any number";

/// --threads and --quiet. The help of --threads must live as long as the app.
void add_run_flags(CLI::App& app, RunSettings& settings, std::string_view threads_help = kThreadsHelp);

/// --json.
void add_json_flag(CLI::App& app, bool& json);

/// --max-memory of a verb that passes it to its readers only. A verb that bounds the whole run has the field
/// kMaxMemoryField of its options.
void add_max_memory_flag(CLI::App& app, std::int64_t& max_memory);

/// -o, --output.
CLI::Option* add_output_flag(CLI::App& app, std::string& path, const std::string& help);

/// The context of the run: the terminal is quiet from here on if the settings say so.
Context start(Terminal& terminal, const RunSettings& settings);

}  // namespace parsimony::cli
