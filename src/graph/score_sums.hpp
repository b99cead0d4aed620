// Scores from the sums of a partition, wherever its nodes are.
#pragma once

#include "parsimony/graph/scores.hpp"

namespace parsimony::graph {

/// Computes all scores from volume, cut and sizes of the clusters, and from the sum of all degrees.
void finish_scores(PartitionScores& scores, double total);

}  // namespace parsimony::graph
