// The network of the clusters of a network.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "parsimony/core/context.hpp"
#include "parsimony/partition/network.hpp"
#include "parsimony/partition/partition.hpp"

namespace parsimony::partition {

/// The aggregate of a network: node r stands for the nodes with label r. Edges between two clusters become
/// one edge with the sum of their weights (summed in float64, stored as float32), edges inside a cluster
/// become its loop, and its degree is the sum of the degrees of its nodes. A partition of the aggregate
/// therefore has the volumes of the partition of the nodes that it stands for and, up to the rounding of
/// edges, its modularity.
///
/// labels: 0..clusters−1 per node; a cluster without nodes becomes a node without edges. The result is
/// symmetric to the bit and the same for any number of threads. O(N + E) time plus the sorting of rows; 4 N
/// bytes and 8 bytes per edge of the aggregate beside the result. Throws invalid_argument when the labels are
/// not one per node or a label is out of range (the node is named), and cancelled.
Network aggregate(const NetworkView& network, std::span<const std::int32_t> labels, std::int64_t clusters,
                  const Context& context = Context{});

/// The labels of a network whose aggregate by `parts` has the labels `coarse`: out[i] = coarse[parts[i]].
std::vector<std::int32_t> project(std::span<const std::int32_t> parts, std::span<const std::int32_t> coarse);

/// The network without the edges between different clusters. Degrees, loops and the total stay, so that gains
/// inside the clusters are those of the whole network. O(N + E) time.
Network within_clusters(const NetworkView& network, std::span<const std::int32_t> labels,
                        const Context& context = Context{});

}  // namespace parsimony::partition
