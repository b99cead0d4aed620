// An order of the nodes for graphs that are cut into ranges of nodes: communities stay together.
#pragma once

#include <cstdint>
#include <vector>

#include "parsimony/core/context.hpp"
#include "parsimony/core/options.hpp"
#include "parsimony/core/report.hpp"
#include "parsimony/graph/graph.hpp"

namespace parsimony::partition {

struct CommunityOrderOptions {
  double resolution = 1;  ///< γ of modularity; raise it for smaller communities, if those do not fit a range
  std::uint64_t seed = 0;  ///< seed of Leiden's visits
};

template <OptionsOf<CommunityOrderOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(Field{"resolution", "resolution of the communities; raise it for smaller ones", 0, 1e30},
        options.resolution);
  visit(kSeedField, options.seed);
}

struct CommunityOrder {
  std::vector<std::int32_t> order;  ///< node i of the ordered graph is node order[i] of the given one
  graph::Graph graph;               ///< the ordered graph
  Report report;                    ///< figures communities, parts, ghosts_before, ghosts_after
};

/// Orders the nodes of a graph by communities: those of leiden(), in the order of the mean place of their
/// nodes in graph::ball_order(), and the nodes of one by that place. adjacency: see graph::Graph. O(E) time,
/// twice the memory of the graph. The figures ghosts_before and ghosts_after are ghost_share() for 2, 4, 16
/// and 64 parts. Throws invalid_argument and cancelled.
CommunityOrder order_by_communities(CsrView adjacency, const CommunityOrderOptions& options = {},
                                    const Context& context = Context{});

/// The nodes that the parts of a graph need of other parts, summed over the parts and divided by the number
/// of nodes. So many rows `parts` processes exchange in a product with the matrix. The parts are ranges of
/// nearly equally many nodes, cut at multiples of 1024 nodes. O(E) time, N integers. parts: at least 1.
double ghost_share(CsrView adjacency, std::int64_t parts);

}  // namespace parsimony::partition
