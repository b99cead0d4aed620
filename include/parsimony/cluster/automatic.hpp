// The automatic method: exactly k clusters from communities, or from spectral features where these fail,
// voted on and chosen by a likelihood.
#pragma once

#include <cstdint>
#include <span>

#include "parsimony/cluster/result.hpp"
#include "parsimony/core/context.hpp"
#include "parsimony/core/csr.hpp"
#include "parsimony/core/options.hpp"

namespace parsimony::cluster {

/// What makes one partition better than another.
enum class Aim {
  automatic,   ///< likelihood where a block model could have made the graph, else modularity
  likelihood,  ///< partition::density_likelihood(): the planted clusters, where there are any
  modularity,  ///< clusters of few edges between them, as modularity counts
  ncut         ///< the same, as the normalised cut counts
};

constexpr auto names_of(Aim) {
  using enum Aim;
  return enum_names<Aim>(
      {{automatic, "auto"}, {likelihood, "likelihood"}, {modularity, "modularity"}, {ncut, "ncut"}});
}

enum class Effort {
  fast,     ///< one candidate from communities, nothing after it
  normal,   ///< several candidates, votes where they disagree
  thorough  ///< eight times the votes: more is found where clusters are hard to tell apart
};

constexpr auto names_of(Effort) {
  using enum Effort;
  return enum_names<Effort>({{fast, "fast"}, {normal, "normal"}, {thorough, "thorough"}});
}

struct AutomaticOptions {
  std::int64_t clusters = 8;  ///< k, exactly
  Aim objective = Aim::automatic;
  Effort effort = Effort::normal;
  std::int64_t max_memory =
      0;  ///< bytes beside the graph; above it the run is refused before it starts; 0: no limit
  std::uint64_t seed = 0;
};

template <OptionsOf<AutomaticOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(Field{"clusters", "number of clusters k", 1, 1 << 30}, options.clusters);
  visit(Field{"objective", "what makes a partition good"}, options.objective);
  visit(Field{"effort", "how long to look"}, options.effort);
  visit(Field{"max_memory", "bytes the run may use; 0: no limit", 0, 9e18}, options.max_memory);
  visit(Field{"seed", "seed of all randomness"}, options.seed);
}

/// adjacency: symmetric, no self loops (see graph::Graph). Always exactly `clusters` non-empty clusters,
/// nodes without edges and k beyond the connected nodes as compressive_spectral_clustering says.
///
/// Which objective: of a graph with planted clusters a block model explains the triangles, of meshes, nearest
/// neighbours and papers with several authors it does not. Where there are more than four times as many as
/// the model of the communities at resolution 1 expects (clusters finer than these allowed for), clusters are
/// not planted, and partition::modularity_partition is the result.
///
/// By likelihood: partition::communities_to_k gives up to three candidates, two where these agree. Where they
/// disagree (the best shares an ARI below .6 with each other one) and k ≤ 300, communities are too weak to be
/// met from single nodes up, and random features give one more. Unless candidates agree on nearly every node,
/// Gibbs votes by the planted partition model and then by the one with a density per cluster start from the
/// best. Of all these the one of highest density_likelihood() is taken; within 0.2 %, where that order says
/// nothing, the later one.
///
/// report.figures names each candidate with its likelihood, modularity, normalised cut, largest share of the
/// volume and seconds, and says which was taken and why. lambda_k of the result is 0 unless features were
/// made.
///
/// initial: when not empty, for every node its cluster in an earlier run on nearly the same graph, or −1 for
/// a new node, which then takes the cluster of most of its neighbours. After local moves these clusters are
/// one candidate more, chosen like the others (by the objective, where that is modularity or the normalised
/// cut); whichever is taken, each cluster keeps the number of the earlier one that it shares most nodes with.
/// Throws invalid_argument when it does not fit the nodes, or one of the clusters has no node with edges.
///
/// O(E) time for each of some 20 descents of Leiden and 80 sweeps, more than half of it in parallel; features
/// O(50 d E). The same seed gives the same labels for any number of threads. Throws invalid_argument (options
/// out of range, more clusters than nodes), memory_limit and cancelled.
ClusterResult automatic_clustering(CsrView adjacency, const AutomaticOptions& options = {},
                                   const Context& context = Context{},
                                   std::span<const std::int32_t> initial = {});

/// Peak bytes that the call above needs beside the graph itself, features included.
std::int64_t estimate_memory(CsrView adjacency, const AutomaticOptions& options);

}  // namespace parsimony::cluster
