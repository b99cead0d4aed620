// The network of the clusters of a network.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "parsimony/core/context.hpp"
#include "parsimony/partition/network.hpp"
#include "parsimony/partition/partition.hpp"

namespace parsimony::partition {

/// Node r of the aggregate stands for the nodes with label r: edges between two clusters become one edge of
/// the sum of their weights (in float64, stored as float32), what lies inside a cluster its loop, and its
/// degree is the sum of the degrees of its nodes, so that a partition of the aggregate has the volumes, and
/// up to the rounding of the edges the modularity, of the partition of the nodes that it stands for.
///
/// labels: 0..clusters−1 per node; a cluster without nodes becomes a node without edges. The result is
/// symmetric to the bit and the same for any number of threads. O(N + E) time up to the sorting of rows, 4 N
/// bytes and 8 an edge of the aggregate beside the result. Throws invalid_argument for another number of
/// labels than nodes or a label outside (node named), and cancelled.
Network aggregate(const NetworkView& network, std::span<const std::int32_t> labels, std::int64_t clusters,
                  const Context& context = Context{});

/// labels of a network from `coarse`, the labels of its aggregate by `parts`: out[i] = coarse[parts[i]].
std::vector<std::int32_t> project(std::span<const std::int32_t> parts, std::span<const std::int32_t> coarse);

/// The network without the edges between different clusters. Degrees, loops and total stay, so that gains
/// within the clusters are those of the whole network. O(N + E).
Network within_clusters(const NetworkView& network, std::span<const std::int32_t> labels,
                        const Context& context = Context{});

}  // namespace parsimony::partition
