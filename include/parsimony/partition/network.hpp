// The view of a graph that community detection needs: edges, degrees, and the weight inside each node.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "parsimony/core/context.hpp"
#include "parsimony/core/csr.hpp"

namespace parsimony::partition {

/// A network. The nodes of an aggregate stand for sets of nodes of a finer network, and the weight inside
/// such a set is their loop.
struct NetworkView {
  CsrView adjacency;               ///< a sound graph; make_network() checks it
  std::span<const double> degree;  ///< d_i: the sum of the row plus loop_i
  std::span<const double> loop;    ///< twice the weight inside node i; empty: all are 0
  double total = 0;                ///< 2m: the sum of the degrees

  std::int64_t nodes() const { return adjacency.rows(); }
  double loop_of(std::int64_t node) const { return loop.empty() ? 0.0 : loop[node]; }
};

/// A network that owns its edges, such as an aggregate.
struct Network {
  Csr adjacency;
  std::vector<double> degree;
  std::vector<double> loop;
  double total = 0;

  std::int64_t nodes() const { return adjacency.rows(); }
  operator NetworkView() const { return {adjacency, degree, loop, total}; }
};

/// A network that borrows the edges of a graph. The graph must live longer.
struct GraphNetwork {
  CsrView adjacency;
  std::vector<double> degree;
  double total = 0;

  std::int64_t nodes() const { return adjacency.rows(); }
  operator NetworkView() const { return {adjacency, degree, {}, total}; }
};

/// The network of a graph (see graph::Graph). O(N + E) time, 8 N bytes. Throws invalid_argument for an
/// unsound graph (see graph::check_graph).
GraphNetwork make_network(CsrView adjacency, const Context& context = Context{});

}  // namespace parsimony::partition
