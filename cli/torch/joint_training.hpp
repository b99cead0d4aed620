// parsimony train in several processes, which torchrun or the user has started.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>

#include "parsimony/train/training_processes.hpp"
#include "support/terminal.hpp"

namespace parsimony::cli {

/// Meets the processes that the environment names and calls body with them, in all of them. If one fails, it
/// alone prints a message, and all end with its exit code, that of the same error in one process; files under
/// temporary names are removed.
int run_together(Terminal& terminal, const CLI::App& app,
                 const std::function<int(const train::TrainingProcesses&)>& body);

/// Threads of this process if --threads is auto: its share of the cores of its machine (LOCAL_WORLD_SIZE of
/// torchrun). 0: all cores.
int share_of_threads();

}  // namespace parsimony::cli
