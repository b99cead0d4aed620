// Orders of the nodes in which neighbours lie close to each other in memory.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "parsimony/core/context.hpp"
#include "parsimony/core/csr.hpp"

namespace parsimony::graph {

/// Number of nodes whose rows of a panel of 32 floats fill half a megabyte, a part of the private cache of a
/// core.
inline constexpr std::int64_t kBallSize = 1 << 12;

/// Nodes in an order that keeps balls together: order[i] is the i-th node. A ball is the first kBallSize
/// nodes that breadth-first search meets from its first node, which is a neighbour of an earlier ball.
/// Reverse Cuthill–McKee [cuthill1969reducing] is the same with one ball per component; in large graphs its
/// fronts are wider than a cache. O(N + E) time, 9 N bytes.
std::vector<std::int32_t> ball_order(CsrView adjacency);

/// The graph whose node i is node order[i] of this one; `order` has every node once. O(N + E log(largest
/// degree)) time.
Csr reordered(CsrView adjacency, std::span<const std::int32_t> order, const Context& context = Context{});

/// Whether ball_order would speed up products with the matrix enough to pay for itself, judged by a sample:
/// at least half of the neighbours of a node are in its ball, and the share exceeds that of neighbours within
/// kBallSize / 2 places by at least .3. This holds for meshes and neighbour graphs of points that come in
/// random order. It does not hold for random graphs and most networks, which have no such order, for graphs
/// that come in a good order, and for graphs that fit into a cache. Reads O(kBallSize) rows; N bytes.
bool ordering_pays(CsrView adjacency);

}  // namespace parsimony::graph
