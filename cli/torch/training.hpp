// The verbs that need LibTorch. Loading it takes longer than many runs of the other verbs, hence a program of
// its own, parsimony-torch: parsimony checks the flags and then replaces itself by it.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <string_view>

#include "parsimony/models/recipe_run.hpp"
#include "support/run_flags.hpp"
#include "support/terminal.hpp"

namespace parsimony::cli {

struct TrainSettings {
  std::string recipe;
  std::string output;  // empty: as in the recipe
  bool restart = false;
  RunSettings run;
};

struct EvaluateSettings {
  std::string model;
  std::string recipe;
  models::EvaluationOptions options;
  RunSettings run;
};

/// In parsimony-torch these carry out the verbs; in parsimony they start that program with the arguments of
/// app.
int run_train(const TrainSettings& settings, const CLI::App& app, Terminal& terminal);
int run_evaluate(const EvaluateSettings& settings, const CLI::App& app, Terminal& terminal);

/// Help of --threads of the verbs that compute by LibTorch.
inline constexpr std::string_view kTorchThreadsHelp =
    "number of threads; auto: all cores. Results depend on the number";

}  // namespace parsimony::cli
