// The verbs that need LibTorch. Loading it takes longer than many runs of the other verbs, hence a program of
// its own, parsimony-torch: parsimony checks the flags and then replaces itself by it.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "support/terminal.hpp"

namespace parsimony::cli {

struct TrainSettings {
  std::string recipe;
  std::string output;  // empty: as in the recipe
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

/// In parsimony-torch these carry out the verbs; in parsimony they start that program with the arguments of
/// app.
int run_train(const TrainSettings& settings, const CLI::App& app, Terminal& terminal);
int run_evaluate(const EvaluateSettings& settings, const CLI::App& app, Terminal& terminal);

/// Adds --threads and --quiet like add_run_flags, with another help: results of LibTorch depend on the number
/// of threads.
void add_torch_run_flags(CLI::App& app, int& threads, bool& quiet);

}  // namespace parsimony::cli
