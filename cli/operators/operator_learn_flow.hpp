// operator learn --unrolled: trains an unrolled flow, or an operator through one, for denoising.
#pragma once

#include <CLI/CLI.hpp>

#include "operators/learn_settings.hpp"
#include "parsimony/images/flow_training.hpp"
#include "support/terminal.hpp"

namespace parsimony::cli {

/// Adds --unrolled and the fields of the training, except the seed, which all kinds of learning share.
void add_flow_flags(CLI::App& app, bool& unrolled, images::FlowTrainingOptions& options);

/// Throws Error(invalid_argument) when a flag was given that this kind of learning does not have.
void check_kind(const CLI::App& app, bool unrolled);

/// Trains the flow and writes it. The checkpoint lies beside the output; training continues from it, and it
/// is removed once the output is written.
int learn_flow(const LearnSettings& settings, Terminal& terminal);

}  // namespace parsimony::cli
