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
  MergeGain gain = MergeGain::modularity;  ///< of merges; normalized_cut trades modularity for a lower cut
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

/// From the communities at γ = 1 (leiden()) to k:
/// - k at least their number: finer communities (γ = 1024, or more until there are k) within each of them are
///   merged as long as there are more than k. Merges never cross a community before all within are made, so
///   that the k − |P| further clusters are what the communities part with most easily.
/// - k below it: the communities are merged to k.
/// Then local moves at γ = 1 that keep every cluster: of the communities (where they were merged), of the
/// finer ones, of the nodes.
///
/// The choice for graphs without a planted structure: where clusters are of a model, the likelihoods of
/// communities_to_k choose better. Every cluster holds a node, and nodes without edges hold one only when k
/// is more than there are others. O(E) time, `iterations` + 4 descents. Throws invalid_argument (options out
/// of range, more clusters than nodes) and cancelled.
Partition modularity_partition(const NetworkView& network, const ModularityPartitionOptions& options = {},
                               const Context& context = Context{});

/// The same, where the descents of Leiden start from these communities.
Partition modularity_partition(const NetworkView& network, Partition start,
                               const ModularityPartitionOptions& options, const Context& context = Context{});

}  // namespace parsimony::partition
