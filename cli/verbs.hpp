// The verbs of the command: each reads, makes one call of the library, and writes.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <span>

#include "support/terminal.hpp"

namespace parsimony::cli {

/// What a verb does once its flags are parsed; the result is the exit code.
using Action = std::function<int(Terminal&)>;

struct Verb {
  const char* name;
  const char* summary;
  Action (*add)(CLI::App& app);
};

/// Those of this program, in the order of its help.
std::span<const Verb> verbs();

/// Each adds its flags to the app of the verb and returns its action.
Action add_cluster(CLI::App& app);
Action add_knn_graph(CLI::App& app);
Action add_assign(CLI::App& app);
Action add_score(CLI::App& app);
Action add_generate(CLI::App& app);
Action add_convert(CLI::App& app);
Action add_operator(CLI::App& app);
Action add_quantize(CLI::App& app);
Action add_inspect(CLI::App& app);
Action add_decompress(CLI::App& app);
Action add_train(CLI::App& app);
Action add_evaluate(CLI::App& app);
Action add_info(CLI::App& app);
Action add_completion(CLI::App& app);

/// The verbs under "operator".
Action add_operator_learn(CLI::App& app);
Action add_operator_check(CLI::App& app);
Action add_operator_denoise(CLI::App& app);
Action add_operator_inpaint(CLI::App& app);

}  // namespace parsimony::cli
