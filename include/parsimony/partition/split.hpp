// Splits single nodes off until there are k clusters.
#pragma once

#include <cstdint>

#include "parsimony/core/context.hpp"
#include "parsimony/partition/network.hpp"
#include "parsimony/partition/partition.hpp"

namespace parsimony::partition {

/// Single nodes leave their clusters until there are `clusters`, for k beyond the number of communities. The
/// nodes whose departure costs least modularity at this resolution leave first, nodes without edges last; the
/// last node of a cluster stays. Clusters that consist of nodes without edges are dissolved first, into the
/// largest cluster. With at least `clusters` clusters of positive volume nothing changes. O(E + N log N)
/// time. Throws invalid_argument for more clusters than nodes.
void split_off_nodes(const NetworkView& network, Partition& partition, std::int64_t clusters,
                     double resolution = 1, const Context& context = Context{});

}  // namespace parsimony::partition
