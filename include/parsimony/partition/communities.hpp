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
  int candidates = 3;         ///< most partitions returned: from 1, 1.3 and 2 times the resolution found
  int iterations = 2;         ///< descents of leiden()
  /// Two candidates whose ARI is at least this agree, and no more are made; above 1: all are made.
  double agreement = 2;
  int passes = 3;  ///< passes of local moves of nodes at the end, each at the resolution of the likelihood
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
  double resolution = 1;         ///< resolution of the communities that were merged to it
  std::int64_t communities = 0;  ///< their number, without those of volume 0
};

/// Up to three partitions into exactly k clusters, from the coarsest communities first. Each comes from
/// Leiden at a resolution that gives at least k communities (resolution_search), greedy merges to k
/// (merge_clusters; by the normalised cut from more than 3 k communities), and local moves of the communities
/// and then of the nodes, at the resolution where modularity is the likelihood of a planted partition
/// (planted_rates). The agreement of the candidates tells how far they can be trusted; a likelihood chooses
/// among them.
///
/// k may be any number up to the number of nodes: if there are fewer than k communities, single nodes leave
/// the finest ones (split_off_nodes). Nodes without edges hold a cluster only if k exceeds the number of
/// other nodes. O(E) time for each probe of the search and each descent, some 20 in all. Throws
/// invalid_argument (options out of range, more clusters than nodes) and cancelled.
std::vector<CommunityCandidate> communities_to_k(const NetworkView& network,
                                                 const CommunityOptions& options = {},
                                                 const Context& context = Context{});

/// The same from known communities at resolution 1.
std::vector<CommunityCandidate> communities_to_k(const NetworkView& network, Partition at_one,
                                                 const CommunityOptions& options,
                                                 const Context& context = Context{});

/// One candidate from given communities (a partition of the network without empty clusters): merges to k, or
/// splits, then local moves as above.
Partition merge_to_k(const NetworkView& network, const Partition& communities, const MergeOptions& options,
                     int passes, std::uint64_t seed, const Context& context = Context{});

}  // namespace parsimony::partition
