// Exactly k clusters of high modularity and low normalised cut.
#pragma once

#include <cstdint>

#include "parsimony/core/context.hpp"
#include "parsimony/core/options.hpp"
#include "parsimony/partition/merge.hpp"
#include "parsimony/partition/network.hpp"
#include "parsimony/partition/partition.hpp"

namespace parsimony::partition {

struct ModularityPartitionOptions {
  std::int64_t clusters = 8;               ///< k, exactly
  MergeGain gain = MergeGain::modularity;  ///< normalized_cut trades modularity for a lower cut
  int iterations = 6;                      ///< descents of Leiden for the communities
  std::uint64_t seed = 0;
};

template <OptionsOf<ModularityPartitionOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(Field{"clusters", "number of clusters k", 1, 2147483647}, options.clusters);
  visit(Field{"gain", "what a merge gains"}, options.gain);
  visit(Field{"iterations", "descents of Leiden", 1, 10000}, options.iterations);
  visit(Field{"seed", "seed of the order of visits"}, options.seed);
}

/// A partition into exactly k clusters, from the communities at γ = 1 (leiden()):
/// - If k is at least their number, finer communities inside each of them (γ = 1024, or more until there are
///   k) are merged down to k. Merges do not cross a community before all merges inside are made, so that the
///   k − |P| further clusters are the parts that the communities lose most easily.
/// - If k is below their number, the communities are merged to k.
/// Then local moves at γ = 1, which empty no cluster, move the communities (if they were merged), then the
/// finer communities, then the nodes.
///
/// Use it for graphs without a planted structure; for graphs that a model explains, the likelihoods of
/// communities_to_k choose better. Every cluster has a node, and nodes without edges hold one only if k
/// exceeds the number of other nodes. O(E) time, `iterations` + 4 descents. Throws invalid_argument (options
/// out of range, more clusters than nodes) and cancelled.
Partition modularity_partition(const NetworkView& network, const ModularityPartitionOptions& options = {},
                               const Context& context = Context{});

/// The same, with descents of Leiden that start from these communities.
Partition modularity_partition(const NetworkView& network, Partition start,
                               const ModularityPartitionOptions& options, const Context& context = Context{});

}  // namespace parsimony::partition
