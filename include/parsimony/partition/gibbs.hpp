// Votes of Gibbs samples: every node joins the cluster that is most likely for it by the posterior of a block
// model.
#pragma once

#include <cstdint>

#include "parsimony/core/context.hpp"
#include "parsimony/core/options.hpp"
#include "parsimony/partition/local_moves.hpp"
#include "parsimony/partition/network.hpp"
#include "parsimony/partition/partition.hpp"

namespace parsimony::partition {

struct GibbsOptions {
  /// modularity: the planted partition model, with the rates of the sample before each sweep (planted_rates);
  /// density: the model with a rate per cluster.
  Objective objective = Objective::modularity;
  int sweeps = 40;        ///< raise it tenfold, at ten times the cost, where clusters are hard to tell apart
  double burn_in = 0.25;  ///< share of the sweeps, the first ones, that do not vote
  std::uint64_t seed = 0;
};

template <OptionsOf<GibbsOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(Field{"objective", "the model whose posterior is sampled"}, options.objective);
  visit(Field{"sweeps", "visits of every node", 1, 65535}, options.sweeps);
  visit(Field{"burn_in", "share of the sweeps that do not vote", 0, 0.99}, options.burn_in);
  visit(Field{"seed", "seed of all randomness"}, options.seed);
}

/// Samples from `start`. Each sweep visits all nodes in a random order and draws the cluster of each node,
/// among its own and those of its neighbours, with the odds that the other nodes give; weights are relative
/// to their mean. The probabilities of the draws are summed over the sweeps, which has less variance than
/// counting draws. The cluster of the largest sum wins, among the (at most six) clusters kept for the node.
///
/// Near the detectability threshold very many partitions are as likely as the best one, which is overfitted.
/// Their vote is nearer to the planted partition than the maximum of either likelihood
/// [decelle2011asymptotic]. It is a vote and not a maximum: compare it with others by density_likelihood(),
/// and do not run local moves after it.
///
/// The result has as many clusters as `start`, and none is empty that had a node there: a sample never
/// empties a cluster, and a cluster that loses every vote gets back its nodes of the last sample. Batches of
/// nodes, at most one in 64, are drawn side by side from the state before the batch, so that the result does
/// not depend on the number of threads. True Gibbs sampling draws them one by one, as this function does
/// below 128 nodes.
///
/// O(E) time per sweep, 56 N bytes. Throws invalid_argument for options out of range or a partition of
/// another network, and cancelled.
Partition gibbs_votes(const NetworkView& network, Partition start, const GibbsOptions& options = {},
                      const Context& context = Context{});

}  // namespace parsimony::partition
