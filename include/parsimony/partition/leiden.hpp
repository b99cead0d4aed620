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
  double resolution = 1;  ///< γ of modularity: larger, more and smaller communities
  /// descents, each from the nodes up and from the communities of the one before; the second gains some .003
  /// of modularity, more next to nothing; ends sooner where nothing moves
  int iterations = 2;
  std::uint64_t seed = 0;  ///< of the order in which nodes are visited
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
  /// modularity at this resolution: first of the start, then after the moves of every level
  std::vector<double> history;
};

/// One iteration, on levels: local moves, nodes or parts among communities; refinement of the communities
/// into well connected parts; the network of the parts, which start in the communities they come from; until
/// no two nodes of a level are refined into one part. Every community is connected (beyond the paper, the
/// communities of the last level are split where they are not, which only raises modularity), and no level
/// lowers modularity. A node without edges is a community of its own.
///
/// Departs from the paper in that the refinement takes the best part in place of a random one, nodes move
/// only to communities of neighbours, and visits come in batches (see local_moves), so that the result is the
/// same for any number of threads.
///
/// start: a partition of the network, by default every node for itself. O(E) time an iteration, about 60 N +
/// 12 E bytes. Throws invalid_argument for options out of range or a partition of another network, and
/// cancelled.
LeidenResult leiden(const NetworkView& network, const LeidenOptions& options = {},
                    const Context& context = Context{});
LeidenResult leiden(const NetworkView& network, Partition start, const LeidenOptions& options,
                    const Context& context = Context{});

}  // namespace parsimony::partition
