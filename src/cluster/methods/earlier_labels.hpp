// The clusters of an earlier run, carried over to a graph that has changed a little.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "parsimony/core/csr.hpp"

namespace parsimony::cluster {

/// Nodes without a label (−1) take the one that most weight of their neighbours has, in rounds from the
/// labelled ones outwards; of equals the smallest. Nodes that no label reaches join the largest cluster.
/// O(E) a round.
std::vector<std::int32_t> spread_labels(CsrView adjacency, std::vector<std::int32_t> labels,
                                        std::int64_t clusters);

/// Gives each cluster the number of the earlier one that it shares most nodes with, pairs that share most
/// first; those that are left take the numbers that are left. earlier: −1 for nodes that had none.
/// O(N log N) time.
void keep_numbers(std::vector<std::int32_t>& labels, std::span<const std::int32_t> earlier,
                  std::int64_t clusters);

}  // namespace parsimony::cluster
