// Numbering the nodes so that neighbours lie close to each other in memory.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "parsimony/core/context.hpp"
#include "parsimony/core/csr.hpp"

namespace parsimony::graph {

/// Nodes whose rows of a panel of 32 floats fill half a megabyte, a part of what a core caches for itself.
inline constexpr std::int64_t kBallSize = 1 << 12;

/// Nodes in an order that keeps balls together: order[i] is the node that comes i-th. Each ball holds the
/// first kBallSize nodes that breadth-first search meets from its first one, which is a neighbour of an
/// earlier ball; reverse Cuthill–McKee [cuthill1969reducing] is the same with one ball a component, whose
/// fronts of a large graph are wider than a cache. O(N + E) time, 9 N bytes.
std::vector<std::int32_t> ball_order(CsrView adjacency);

/// The graph whose node i is node order[i] of this one. `order` has every node once. O(N + E log(largest
/// degree)) time.
Csr reordered(CsrView adjacency, std::span<const std::int32_t> order, const Context& context = Context{});

/// Whether products with the matrix would be enough faster after ball_order to pay for it, by a sample: the
/// share of the neighbours that are in the ball of a node is .5 or more, and .3 more than that of those
/// within kBallSize / 2 places of it. So it is for meshes and neighbour graphs of points that come in no
/// order; not for random graphs and most networks, which have no such order, nor for those that have one, nor
/// for graphs that a cache holds anyway. O(kBallSize) rows of time, N bytes.
bool ordering_pays(CsrView adjacency);

}  // namespace parsimony::graph
