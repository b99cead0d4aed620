// Votes of Gibbs samples: every node gets the cluster in which the posterior of a block model has it most
// likely.
#pragma once

#include <cstdint>

#include "parsimony/core/context.hpp"
#include "parsimony/core/options.hpp"
#include "parsimony/partition/local_moves.hpp"
#include "parsimony/partition/network.hpp"
#include "parsimony/partition/partition.hpp"

namespace parsimony::partition {

struct GibbsOptions {
  /// modularity: the planted partition model, with rates().gamma and .beta of the sample before each sweep;
  /// density: the model with a rate per cluster
  Objective objective = Objective::modularity;
  int sweeps =
      40;  ///< ten times as many find more where clusters are hard to tell apart, at ten times the cost
  double burn_in = 0.25;  ///< share of the sweeps that do not vote
  std::uint64_t seed = 0;
};

template <OptionsOf<GibbsOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(Field{"objective", "the model whose posterior is sampled"}, options.objective);
  visit(Field{"sweeps", "visits of every node", 1, 65535}, options.sweeps);
  visit(Field{"burn_in", "share of the sweeps that do not vote", 0, 0.99}, options.burn_in);
  visit(Field{"seed", "seed of all randomness"}, options.seed);
}

/// Samples from `start`: each sweep visits all nodes in a random order and draws the cluster of each among
/// its own and those of its neighbours with the odds that the others give, weights counted in units of the
/// mean weight of an edge. The probabilities of the draws are added up over the sweeps, of less variance than
/// to count draws, and the cluster of the largest sum wins, of the (at most six) that were kept for the node.
///
/// Below the detectability threshold the best partition is one of very many and overfitted; the vote is what
/// they agree on, and nearer to the planted one than the maximum of either likelihood
/// [decelle2011asymptotic]. It is a vote, not a maximum: compare it with others by density_likelihood(), and
/// let no moves follow.
///
/// Result: as many clusters as `start`, each with a node where `start` had one: a sample never empties a
/// cluster, and a cluster that loses every vote gets back its nodes of the last sample. The nodes of a batch,
/// at most one in 64, are drawn side by side from the state before it, so that the result does not depend on
/// the number of threads; Gibbs sampling proper draws them one by one, and so does this below 128 nodes.
///
/// O(E) time a sweep, 56 N bytes. Throws invalid_argument for options out of range or a partition of another
/// network, and cancelled.
Partition gibbs_votes(const NetworkView& network, Partition start, const GibbsOptions& options = {},
                      const Context& context = Context{});

}  // namespace parsimony::partition
