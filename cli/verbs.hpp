// The verbs of the command. Each reads files, makes one call to the library, and writes and shows the result.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <span>

#include "support/terminal.hpp"

namespace parsimony::cli {

/// Runs a verb after its flags are parsed; returns the exit code.
using Action = std::function<int(Terminal&)>;

struct Verb {
  const char* name;
  const char* summary;
  Action (*add)(CLI::App& app);
};

/// The verbs of this program in the order of its help: parsimony and parsimony-torch have their own lists.
std::span<const Verb> verbs();

/// Each function adds the flags of a verb to its app and returns the action.
Action add_cluster(CLI::App& app);
Action add_knn_graph(CLI::App& app);
Action add_assign(CLI::App& app);
Action add_score(CLI::App& app);
Action add_generate(CLI::App& app);
Action add_convert(CLI::App& app);
Action add_order(CLI::App& app);
Action add_operator(CLI::App& app);
Action add_quantize(CLI::App& app);
Action add_inspect(CLI::App& app);
Action add_dequantize(CLI::App& app);
Action add_export(CLI::App& app);
Action add_run(CLI::App& app);
Action add_train(CLI::App& app);
Action add_evaluate(CLI::App& app);
Action add_info(CLI::App& app);
Action add_completion(CLI::App& app);

/// Verbs below "operator".
Action add_operator_learn(CLI::App& app);
Action add_operator_check(CLI::App& app);
Action add_operator_denoise(CLI::App& app);
Action add_operator_inpaint(CLI::App& app);

}  // namespace parsimony::cli
