// Clusters of the nodes of a network, with the sums that every objective is made of.
#pragma once

#include <cstdint>
#include <vector>

#include "parsimony/core/context.hpp"
#include "parsimony/partition/network.hpp"

namespace parsimony::partition {

/// What moves nodes keeps the sums up to date; a cluster may be empty (size, volume and internal 0).
struct Partition {
  std::vector<std::int32_t> labels;  ///< cluster of every node, 0..clusters()−1
  std::vector<double> volume;        ///< vol_r: sum of the degrees of cluster r
  std::vector<double> internal;      ///< in_r: twice the weight inside cluster r, loops of its nodes included
  std::vector<std::int64_t> sizes;   ///< nodes of this network in cluster r

  std::int64_t clusters() const { return static_cast<std::int64_t>(sizes.size()); }
};

/// The partition of these labels into `clusters` clusters; 0: as many as the highest label says. O(N + E)
/// time, 8 N bytes beside the result. Throws invalid_argument for another number of labels than nodes or a
/// label outside (node named).
Partition make_partition(const NetworkView& network, std::vector<std::int32_t> labels,
                         std::int64_t clusters = 0, const Context& context = Context{});

/// Every node a cluster of its own. O(N).
Partition singletons(const NetworkView& network);

/// The number of clusters with at least one node.
std::int64_t count_filled(const Partition& partition);

/// Removes the empty clusters; the others keep their order. O(N + clusters). Returns how many are left.
std::int64_t drop_empty(Partition& partition);

}  // namespace parsimony::partition
