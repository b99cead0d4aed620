// The settings of operator learn.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "parsimony/images/flow_training.hpp"
#include "parsimony/operators/learn.hpp"
#include "support/run_flags.hpp"

namespace parsimony::cli {

struct LearnSettings {
  std::vector<std::string> paths;  ///< signals or images
  operators::LearnOptions options;
  bool unrolled = false;
  images::FlowTrainingOptions flow;  ///< where unrolled
  std::string output;
  std::string picture;  ///< picture of the rows to write; empty: none
  RunSettings run;
};

/// Refuses outputs that cannot be written, would overwrite an input or each other, or end otherwise than in
/// `extension` or .png.
void check_outputs(const LearnSettings& settings, const std::string& extension,
                   const std::vector<std::filesystem::path>& inputs);

}  // namespace parsimony::cli
