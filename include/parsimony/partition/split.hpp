// More clusters out of fewer.
#pragma once

#include <cstdint>

#include "parsimony/core/context.hpp"
#include "parsimony/partition/network.hpp"
#include "parsimony/partition/partition.hpp"

namespace parsimony::partition {

/// Single nodes leave their clusters until there are `clusters`: those first that modularity at this
/// resolution loses least by, nodes without edges last (clusters of nothing else are given up for it, their
/// nodes to the largest), and never the last node of a cluster. What gives exactly k where k is beyond what
/// communities there are; with as many clusters of some volume as asked for, or more, nothing changes. O(E +
/// N log N) time. Throws invalid_argument for more clusters than nodes.
void split_off_nodes(const NetworkView& network, Partition& partition, std::int64_t clusters,
                     double resolution = 1, const Context& context = Context{});

}  // namespace parsimony::partition
