// What operator learn trains for denoising: an unrolled flow, or an operator.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "parsimony/images/flow_training.hpp"
#include "support/terminal.hpp"

namespace parsimony::cli {

struct FlowLearning {
  std::vector<std::string> paths;  ///< of images
  images::FlowTrainingOptions options;
  std::string output;
  std::string picture;  ///< of the atoms, with one_energy; empty: none
  std::int64_t max_memory = 0;
  int threads = 0;
  bool json = false;
};

/// Adds --unrolled and what describe() says of the training, but for the seed, which all learning has.
void add_flow_flags(CLI::App& app, bool& unrolled, images::FlowTrainingOptions& options);

/// Throws Error(invalid_argument) when a flag was given that this kind of learning does not have, or one is
/// missing.
void check_kind(const CLI::App& app, bool unrolled);

/// Trains the flow and writes it. The checkpoint lies beside the output, is gone on from where it is there,
/// and goes when the output is written.
int learn_flow(const CLI::App& app, const FlowLearning& learning, Terminal& terminal);

}  // namespace parsimony::cli
