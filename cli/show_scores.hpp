// Scores of a partition, for people and for programs.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "parsimony/graph/scores.hpp"

namespace parsimony::cli {

std::string scores_text(const graph::PartitionScores& scores);
nlohmann::ordered_json scores_json(const graph::PartitionScores& scores);

}  // namespace parsimony::cli
