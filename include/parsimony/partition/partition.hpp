// Clusters of the nodes of a network, with the sums from which every objective is computed.
#pragma once

#include <cstdint>
#include <vector>

#include "parsimony/core/context.hpp"
#include "parsimony/partition/network.hpp"

namespace parsimony::partition {

/// Functions that move nodes keep the sums up to date. A cluster may be empty (size, volume and internal 0).
struct Partition {
  std::vector<std::int32_t> labels;  ///< cluster of every node, 0..clusters()−1
  std::vector<double> volume;        ///< vol_r: sum of the degrees of cluster r
  std::vector<double> internal;      ///< in_r: twice the weight inside cluster r, loops of its nodes included
  std::vector<std::int64_t> sizes;   ///< nodes of this network in cluster r

  std::int64_t clusters() const { return static_cast<std::int64_t>(sizes.size()); }
};

/// The partition with these labels into `clusters` clusters; 0: the highest label plus one. O(N + E) time, 8
/// N bytes beside the result. Throws invalid_argument when the labels are not one per node or a label is too
/// large (the node is named).
Partition make_partition(const NetworkView& network, std::vector<std::int32_t> labels,
                         std::int64_t clusters = 0, const Context& context = Context{});

/// The partition in which every node is a cluster. O(N) time.
Partition singletons(const NetworkView& network);

/// The number of clusters with at least one node.
std::int64_t count_filled(const Partition& partition);

/// Removes the empty clusters; the others keep their order. Returns the number that are left. O(N + clusters)
/// time.
std::int64_t drop_empty(Partition& partition);

}  // namespace parsimony::partition
