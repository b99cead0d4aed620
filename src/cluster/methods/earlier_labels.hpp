// The clusters of an earlier run, carried over to a graph that has changed a little.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "parsimony/core/csr.hpp"

namespace parsimony::cluster {

/// Nodes without a label (−1) take the label with the largest weight among their neighbours, in rounds
/// outwards from the labelled nodes; among equals the smallest label. Nodes that no label reaches join the
/// largest cluster. O(E log(largest degree)) time.
std::vector<std::int32_t> spread_labels(CsrView adjacency, std::vector<std::int32_t> labels,
                                        std::int64_t clusters);

/// Gives each cluster the number of the earlier cluster that it shares most nodes with, in the order of the
/// nodes shared. Clusters without such a partner take the numbers that are left. earlier: −1 for new nodes.
/// O(N log N) time.
void keep_numbers(std::vector<std::int32_t>& labels, std::span<const std::int32_t> earlier,
                  std::int64_t clusters);

}  // namespace parsimony::cluster
