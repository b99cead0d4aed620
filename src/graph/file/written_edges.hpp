// Walks over the edges of a graph in the order in which writers write them.
#pragma once

#include <cstdint>

#include "parsimony/core/context.hpp"
#include "parsimony/core/csr.hpp"

namespace parsimony::graph {

/// Calls body(row) for every row, reports progress, and stops when the run is cancelled.
template <class Body>
void for_rows(const Csr& adjacency, const Context& context, const Body& body) {
  for (std::int64_t row = 0; row < adjacency.rows(); ++row) {
    if (row % 65536 == 0) context.progress("write", row, adjacency.rows());
    body(row);
  }
  context.progress("write", adjacency.rows(), adjacency.rows());
}

/// Calls body(row, column, weight) for each edge once, with row > column, in the order of the rows.
template <class Body>
void for_edges(const Csr& adjacency, const Context& context, const Body& body) {
  for_rows(adjacency, context, [&](std::int64_t row) {
    for (std::int64_t e = adjacency.offsets[row];
         e < adjacency.offsets[row + 1] && adjacency.columns[e] < row; ++e) {
      body(row, std::int64_t{adjacency.columns[e]}, adjacency.values.empty() ? 1.0f : adjacency.values[e]);
    }
  });
}

}  // namespace parsimony::graph
