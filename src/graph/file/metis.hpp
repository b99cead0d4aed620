// The parts of the reader of METIS files that a reader of a part of the file needs too.
#pragma once

#include <cstdint>
#include <vector>

#include "graph/assemble.hpp"
#include "graph/file/text.hpp"
#include "parsimony/core/context.hpp"

namespace parsimony::graph {

struct MetisHeader {
  std::int64_t nodes = 0;
  std::int64_t edges = 0;
  bool node_sizes = false;
  std::int64_t node_weights = 0;  // per node
  bool edge_weights = false;
  std::int64_t line = 0;  // where it starts
  std::int64_t body = 0;  // where the nodes start

  std::int64_t skipped_fields() const { return node_sizes + node_weights; }
};

/// Reads the comments and the first line. Throws Error.
MetisHeader parse_metis_header(const Text& text);

/// The most memory that the entries of so many bytes of text take: a neighbour has at least two bytes there,
/// a neighbour with its weight four.
std::int64_t metis_entry_bytes(const MetisHeader& header, std::int64_t bytes);

/// For each piece of the text from `from` on, the nodes before it; then the number of all. Blank lines are
/// nodes without edges, and comments are not nodes.
std::vector<std::int64_t> count_metis_nodes(const Text& text, std::int64_t from, const Context& context);

/// The neighbours on the lines of a cursor, of which the first is that of `node`. Throws TextFault.
EntryBlock parse_metis_nodes(LineCursor& cursor, std::int64_t node, const MetisHeader& header);

/// Throws Error if fewer lines of nodes are there than the header states. `head` has the header.
void check_metis_nodes(const Text& head, const MetisHeader& header, std::int64_t nodes);
/// The same for another number of edges. Writers disagree on how loops and repeated edges count: anything
/// from the edges of the graph to the entries of the file is accepted when there are some.
void check_metis_edges(const Text& head, const MetisHeader& header, std::int64_t entries, std::int64_t edges);

}  // namespace parsimony::graph
