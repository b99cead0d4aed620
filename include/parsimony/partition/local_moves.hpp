// Local moves: nodes change to the cluster of a neighbour as long as that raises an objective.
#pragma once

#include <cstdint>

#include "parsimony/core/context.hpp"
#include "parsimony/core/options.hpp"
#include "parsimony/partition/network.hpp"
#include "parsimony/partition/partition.hpp"

namespace parsimony::partition {

/// The objective that local moves raise.
enum class Objective {
  modularity,  ///< Σ_r (in_r − resolution · vol_r² / 2m), see modularity()
  density      ///< density_likelihood(): every cluster has a density of its own
};

constexpr auto names_of(Objective) {
  using enum Objective;
  return enum_names<Objective>({{modularity, "modularity"}, {density, "density"}});
}

struct LocalMoveOptions {
  Objective objective = Objective::modularity;
  double resolution = 1;      ///< γ of modularity; planted_rates().gamma makes it the planted likelihood
  bool keep_clusters = true;  ///< a node alone in its cluster stays, so that no cluster becomes empty
  int max_visits = 20;        ///< most visits of one node; the last of many visits change almost nothing
  std::uint64_t seed = 0;     ///< seed of the order of the first visits
};

template <OptionsOf<LocalMoveOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(Field{"objective", "what the moves raise"}, options.objective);
  visit(Field{"resolution", "resolution of modularity", 0, 1e30}, options.resolution);
  visit(Field{"keep_clusters", "never empty a cluster"}, options.keep_clusters);
  visit(Field{"max_visits", "visits of one node at most", 1, 10000}, options.max_visits);
  visit(Field{"seed", "seed of the order of visits"}, options.seed);
}

/// Visits the nodes in a random order and moves each to the best of its neighbours' clusters, if that gains
/// more than 1e-9 of its degree. Neighbours in the cluster that a node left are visited again
/// [traag2019louvain]. Returns the number of moves.
///
/// The objective never falls, except by rounding. Visits come in batches whose size depends on the network
/// alone: a batch searches its best moves side by side and carries them out one after the other, each only if
/// it still gains. The result therefore does not depend on the number of threads. For `density`, the rate
/// ω_out is that of the partition at the start. The objective with this rate is a lower bound of the
/// likelihood that equals it at the start, so that the likelihood rises by at least the gain of the moves.
///
/// O(E) time for a round of visits, 16 N bytes. Throws invalid_argument for options out of range or a
/// partition of another network, and cancelled.
std::int64_t local_moves(const NetworkView& network, Partition& partition,
                         const LocalMoveOptions& options = {}, const Context& context = Context{});

}  // namespace parsimony::partition
