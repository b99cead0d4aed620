// The graph that the bindings hand to the library: a view of arrays of Python, or a graph of its own.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "call.hpp"
#include "parsimony/core/csr.hpp"
#include "parsimony/graph/graph.hpp"

namespace parsimony::python {

/// A sound graph (graph::check_graph). Python sees its counts, its arrays and the names of its nodes.
struct GraphHandle {
  graph::Graph owned;         ///< empty where `view` shows arrays of Python
  CsrView view;               ///< marked as checked
  nb::object arrays;          ///< keeps the arrays of `view` alive
  std::vector<double> loops;  ///< weights of the self loops that were left out, a value a node; empty: none
  std::optional<graph::NodeIds> ids;  ///< names of the nodes in the file; none: 0, 1, …

  /// The handle of a graph of the library, which is sound.
  static GraphHandle of(graph::Graph graph);
};

}  // namespace parsimony::python
