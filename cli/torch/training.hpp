// The verbs that need LibTorch. Loading it takes longer than many a run of the others, so it is in a program
// of its own: parsimony-torch, beside the command, which becomes it once their flags are checked.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "support/terminal.hpp"

namespace parsimony::cli {

struct TrainSettings {
  std::string recipe;
  std::string output;  // empty: as the recipe says
  bool restart = false;
  bool json = false;
  int threads = 0;
  bool quiet = false;
};

struct EvaluateSettings {
  std::string model;
  std::string recipe;
  bool json = false;
  int threads = 0;
  bool quiet = false;
};

/// What the verbs do, in parsimony-torch; in parsimony they end in that program with the arguments of app.
int run_train(const TrainSettings& settings, const CLI::App& app, Terminal& terminal);
int run_evaluate(const EvaluateSettings& settings, const CLI::App& app, Terminal& terminal);

/// Adds --threads and --quiet, as add_run_flags does; LibTorch's results are not those of any number of
/// threads.
void add_torch_run_flags(CLI::App& app, int& threads, bool& quiet);

}  // namespace parsimony::cli
