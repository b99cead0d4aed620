// Flags that many verbs share: each is added by one function and has one text.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>

#include "support/terminal.hpp"

namespace parsimony::cli {

struct RunSettings {
  int threads = 0;  ///< 0: all cores
  bool quiet = false;
  bool json = false;
  std::int64_t max_memory = 0;  ///< bytes; 0: no limit
};

/// --threads and --quiet.
void add_run_flags(CLI::App& app, RunSettings& settings);

/// --quiet alone, for verbs with a --threads of their own.
void add_quiet_flag(CLI::App& app, bool& quiet);

/// --json.
void add_json_flag(CLI::App& app, bool& json);

/// --max-memory.
void add_max_memory_flag(CLI::App& app, std::int64_t& max_memory);

/// -o, --output.
CLI::Option* add_output_flag(CLI::App& app, std::string& path, const std::string& help);

/// The context of the run: the terminal is quiet from here on if the settings say so.
Context start(Terminal& terminal, const RunSettings& settings);

}  // namespace parsimony::cli
