#include "parsimony/partition/communities.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/count_of.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/graph/scores.hpp"
#include "parsimony/partition/aggregate.hpp"
#include "parsimony/partition/leiden.hpp"
#include "parsimony/partition/local_moves.hpp"
#include "parsimony/partition/objectives.hpp"
#include "parsimony/partition/resolution_search.hpp"
#include "parsimony/partition/split.hpp"
#include "partition/count_with_volume.hpp"

namespace parsimony::partition {
namespace {

constexpr double kFactors[] = {1, 1.3, 2};
constexpr std::int64_t kManyMerges = 3;  // times k communities: modularity merges the wrong ones first

// The last candidate agrees with one before it.
bool confirmed(const std::vector<CommunityCandidate>& candidates, double agreement) {
  if (agreement > 1) return false;
  const auto& last = candidates.back().partition.labels;
  return std::any_of(candidates.begin(), candidates.end() - 1, [&](const CommunityCandidate& other) {
    return graph::agreement(last, other.partition.labels).adjusted_rand >= agreement;
  });
}

}  // namespace

Partition merge_to_k(const NetworkView& network, const Partition& communities, const MergeOptions& options,
                     int passes, std::uint64_t seed, const Context& context) {
  Partition out;
  LocalMoveOptions moves{.keep_clusters = true, .seed = seed};
  if (count_with_volume(communities) < options.clusters) {
    out = communities;
    split_off_nodes(network, out, options.clusters, options.resolution, context);
  } else {
    const Network coarse = aggregate(network, communities.labels, communities.clusters(), context);
    Partition merged = make_partition(coarse, merge_clusters(coarse, options, context), 0, context);
    moves.resolution = planted_rates(merged, coarse.total).gamma;
    local_moves(coarse, merged, moves, context);
    out = make_partition(network, project(communities.labels, merged.labels), merged.clusters(), context);
  }
  for (int pass = 0; pass < passes; ++pass) {
    moves.resolution = planted_rates(out, network.total).gamma;
    moves.seed = seed + static_cast<std::uint64_t>(pass) + 1;
    if (local_moves(network, out, moves, context) == 0) break;
  }
  // Moves may have left a cluster to nodes without edges.
  split_off_nodes(network, out, options.clusters, options.resolution, context);
  return out;
}

std::vector<CommunityCandidate> communities_to_k(const NetworkView& network, const CommunityOptions& options,
                                                 const Context& context) {
  validate_fields(options);
  LeidenResult at_one = leiden(network, {.iterations = 1, .seed = options.seed}, context);
  return communities_to_k(network, std::move(at_one.partition), options, context);
}

std::vector<CommunityCandidate> communities_to_k(const NetworkView& network, Partition at_one,
                                                 const CommunityOptions& options, const Context& context) {
  validate_fields(options);
  const std::int64_t k = options.clusters;
  if (k > network.nodes()) {
    refuse(
        fmt::format("clusters: {} is more than the {} of the network", k, count_of(network.nodes(), "node")));
  }
  ResolutionSearch search =
      resolution_search(network, std::move(at_one), {.clusters = k, .seed = options.seed}, context);
  std::vector<CommunityCandidate> out;
  for (int c = 0; c < options.candidates; ++c) {
    const double resolution = kFactors[c] * search.resolution;
    const Context part = context.part("communities", c, options.candidates);
    LeidenOptions descents{
        .resolution = resolution, .iterations = options.iterations, .seed = options.seed + 1};
    LeidenResult found;
    if (c > 0) {
      found = leiden(network, descents, part);
    } else if (options.iterations == 1) {
      found.partition = std::move(search.partition);
    } else {  // the search has made the first descent
      --descents.iterations;
      found = leiden(network, std::move(search.partition), descents, part);
    }
    CommunityCandidate candidate{.resolution = resolution};
    candidate.communities = count_with_volume(found.partition);
    // A second descent can end with fewer communities than the search saw: a finer candidate has more.
    const bool last = c + 1 == options.candidates;
    if (candidate.communities < k && !(last && out.empty())) continue;
    const bool many = candidate.communities > kManyMerges * k;
    candidate.partition = merge_to_k(network, found.partition,
                                     {.clusters = k,
                                      .gain = many ? MergeGain::normalized_cut : MergeGain::modularity,
                                      .resolution = resolution},
                                     options.passes, options.seed, context);
    out.push_back(std::move(candidate));
    if (confirmed(out, options.agreement)) break;
  }
  return out;
}

}  // namespace parsimony::partition
