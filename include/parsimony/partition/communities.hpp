// Partitions with exactly k clusters, from communities.
#pragma once

#include <cstdint>
#include <vector>

#include "parsimony/core/context.hpp"
#include "parsimony/core/options.hpp"
#include "parsimony/partition/merge.hpp"
#include "parsimony/partition/network.hpp"
#include "parsimony/partition/partition.hpp"

namespace parsimony::partition {

struct CommunityOptions {
  std::int64_t clusters = 8;  ///< k, exactly
  int candidates = 3;         ///< partitions returned at most: from 1, 1.3 and 2 times the resolution found
  int iterations = 2;         ///< of leiden()
  /// ARI of two candidates that is agreement: no more are made; above 1: all are
  double agreement = 2;
  int passes = 3;  ///< of local moves of nodes at the end, each at the resolution of the likelihood
  std::uint64_t seed = 0;
};

template <OptionsOf<CommunityOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(Field{"clusters", "number of clusters k", 1, 2147483647}, options.clusters);
  visit(Field{"candidates", "partitions from finer and finer communities", 1, 3}, options.candidates);
  visit(Field{"iterations", "descents of Leiden", 1, 10000}, options.iterations);
  visit(Field{"agreement", "agreement after which no more candidates are made", 0, 2}, options.agreement);
  visit(Field{"passes", "rounds of local moves at the end", 0, 1000}, options.passes);
  visit(Field{"seed", "seed of all randomness"}, options.seed);
}

struct CommunityCandidate {
  Partition partition;           ///< exactly k clusters, none empty
  double resolution = 1;         ///< of the communities it was merged from
  std::int64_t communities = 0;  ///< how many they were, those without volume not counted
};

/// Leiden at a resolution that gives at least k communities (resolution_search), greedy merges to k
/// (merge_clusters; by the normalised cut from more than 3 k), local moves of the communities and then of the
/// nodes at the resolution at which modularity is the likelihood of a planted partition (planted_rates), and
/// that for up to three resolutions: their agreement says how far the result can be trusted, a likelihood
/// which one to take. The first is from the coarsest.
///
/// For any k up to the number of nodes: where there are no k communities, single nodes leave the finest
/// (split_off_nodes). Nodes without edges hold a cluster only when k is more than there are others. O(E)
/// time a probe of the search and a descent, some 20 in all. Throws invalid_argument (options out of range,
/// more clusters than nodes) and cancelled.
std::vector<CommunityCandidate> communities_to_k(const NetworkView& network,
                                                 const CommunityOptions& options = {},
                                                 const Context& context = Context{});

/// The same for a caller who has the communities at resolution 1 already.
std::vector<CommunityCandidate> communities_to_k(const NetworkView& network, Partition at_one,
                                                 const CommunityOptions& options,
                                                 const Context& context = Context{});

/// One candidate from given communities (a partition of the network, none empty): merged to k, or split,
/// then local moves as above.
Partition merge_to_k(const NetworkView& network, const Partition& communities, const MergeOptions& options,
                     int passes, std::uint64_t seed, const Context& context = Context{});

}  // namespace parsimony::partition
