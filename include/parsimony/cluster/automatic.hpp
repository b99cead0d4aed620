// The automatic method: exactly k clusters from communities, or from spectral features where these fail,
// refined by votes and chosen by a likelihood.
#pragma once

#include <cstdint>
#include <span>

#include "parsimony/cluster/fields.hpp"
#include "parsimony/cluster/result.hpp"
#include "parsimony/core/context.hpp"
#include "parsimony/core/csr.hpp"
#include "parsimony/core/options.hpp"

namespace parsimony::cluster {

/// The objective by which one partition is better than another.
enum class Aim {
  automatic,   ///< likelihood if a block model explains the triangles of the graph, else modularity
  likelihood,  ///< partition::density_likelihood(): finds planted clusters, if there are any
  modularity,  ///< few edges between clusters, measured by modularity
  ncut         ///< few edges between clusters, measured by the normalised cut
};

constexpr auto names_of(Aim) {
  using enum Aim;
  return enum_names<Aim>(
      {{automatic, "auto"}, {likelihood, "likelihood"}, {modularity, "modularity"}, {ncut, "ncut"}});
}

enum class Effort {
  fast,     ///< one candidate from communities, no votes
  normal,   ///< several candidates, and votes where they disagree
  thorough  ///< eight times as many votes: finds more where clusters are hard to tell apart
};

constexpr auto names_of(Effort) {
  using enum Effort;
  return enum_names<Effort>({{fast, "fast"}, {normal, "normal"}, {thorough, "thorough"}});
}

struct AutomaticOptions {
  std::int64_t clusters = 8;  ///< k, exactly
  /// Set it when you know the purpose: likelihood to recover groups, ncut or modularity to separate parts.
  Aim objective = Aim::automatic;
  Effort effort = Effort::normal;  ///< fast for a first look, thorough for graphs with weak clusters
  std::uint64_t seed = 0;
};

template <OptionsOf<AutomaticOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(fields::clusters, options.clusters);
  visit(fields::objective, options.objective);
  visit(fields::effort, options.effort);
  visit(kSeedField, options.seed);
}

/// Clusters a graph into exactly `clusters` non-empty clusters. adjacency: see graph::Graph. Nodes without
/// edges, and k beyond the number of nodes with edges, are treated as in compressive_spectral_clustering.
///
/// Objective auto: a block model explains the triangles of graphs with planted clusters, but not those of
/// meshes, of nearest neighbours or of co-authors. If there are more than four times as many triangles as the
/// model of the communities at resolution 1 expects (allowing for clusters finer than these), clusters are
/// not planted, and the result is that of partition::modularity_partition.
///
/// Objective likelihood: partition::communities_to_k gives up to three candidates, or two if these agree. If
/// the candidates disagree (the best has an ARI below 0.6 with each other one) and k ≤ 300, communities are
/// too weak to be found from single nodes upwards, and random features give one more candidate. Unless
/// candidates agree on nearly every node, Gibbs votes start from the best: first by the planted partition
/// model, then by the model with a density per cluster. The candidate of highest density_likelihood() is
/// taken; among candidates within 0.2 %, whose order is chance, the last vote. See docs/automatic.md.
///
/// report.figures lists the candidates with likelihood, modularity, normalised cut, share of the volume in
/// the largest cluster and seconds, and names the candidate taken and the reason. lambda_k of the result is 0
/// unless features were computed.
///
/// O(E) time for each of some 20 descents of Leiden and 80 sweeps, more than half of it in parallel; features
/// take O(50 d E). The same seed gives the same labels for any number of threads. Throws invalid_argument
/// (options out of range, more clusters than nodes, an unsound graph: see graph::check_graph), memory_limit
/// and cancelled.
ClusterResult automatic_clustering(CsrView adjacency, const AutomaticOptions& options = {},
                                   const Context& context = Context{});

/// A warm start. initial: for every node its cluster in an earlier run on nearly the same graph, or −1 for a
/// new node, which then takes the cluster of most of its neighbours. After local moves these clusters are one
/// candidate more, chosen like the others (by the objective, if that is modularity or the normalised cut).
/// Whichever candidate is taken, each cluster keeps the number of the earlier cluster that it shares most
/// nodes with. Empty: no warm start. Throws invalid_argument when it does not fit the nodes, or a cluster has
/// no node with edges.
ClusterResult automatic_clustering(CsrView adjacency, const AutomaticOptions& options,
                                   std::span<const std::int32_t> initial, const Context& context = Context{});

/// Peak bytes that the call above needs beside the graph, features included.
std::int64_t estimate_memory(CsrView adjacency, const AutomaticOptions& options,
                             const Context& context = Context{});

}  // namespace parsimony::cluster
