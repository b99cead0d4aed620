// Communities of any number: Leiden [traag2019louvain].
#pragma once

#include <cstdint>
#include <vector>

#include "parsimony/core/context.hpp"
#include "parsimony/core/options.hpp"
#include "parsimony/partition/network.hpp"
#include "parsimony/partition/partition.hpp"

namespace parsimony::partition {

struct LeidenOptions {
  double resolution = 1;  ///< γ of modularity; raise it for more and smaller communities
  /// Most descents, each from the communities of the one before. The second gains some .003 of modularity,
  /// later ones almost nothing; a descent that moves nothing is the last.
  int iterations = 2;
  std::uint64_t seed = 0;  ///< seed of the order in which nodes are visited
};

template <OptionsOf<LeidenOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(Field{"resolution", "resolution of modularity", 0, 1e30}, options.resolution);
  visit(Field{"iterations", "descents from the nodes up", 1, 10000}, options.iterations);
  visit(Field{"seed", "seed of the order of visits"}, options.seed);
}

struct LeidenResult {
  Partition partition;     ///< no cluster is empty; clusters are numbered by their first node
  int iterations = 0;      ///< descents made
  bool converged = false;  ///< the last descent moved nothing
  /// Modularity at this resolution, first of the start, then after the moves of each level.
  std::vector<double> history;
};

/// Communities of high modularity, as many as the resolution gives. A descent works on levels: it moves nodes
/// (later parts) among communities, refines the communities into well connected parts, and continues on the
/// network of the parts, which start in their communities, until no two nodes of a level are refined into one
/// part. Every community is connected, and no level lowers modularity. A node without edges is a community of
/// its own.
///
/// Departures from the paper: the communities of the last level are split if they are not connected, which
/// only raises modularity; the refinement takes the best part instead of a random one; nodes move only to
/// communities of neighbours; visits come in batches (see local_moves), so that the result is the same for
/// any number of threads.
///
/// start: a partition of the network; by default every node alone. O(E) time per descent, about 60 N + 12 E
/// bytes. Throws invalid_argument (options out of range, a partition of another network) and cancelled.
LeidenResult leiden(const NetworkView& network, const LeidenOptions& options = {},
                    const Context& context = Context{});
LeidenResult leiden(const NetworkView& network, Partition start, const LeidenOptions& options,
                    const Context& context = Context{});

}  // namespace parsimony::partition
