// Edges of a table: with quotes, a header, other separators than blanks and commas, or columns to choose.
#pragma once

#include <list>
#include <string>
#include <vector>

#include "graph/file/edge_columns.hpp"
#include "graph/file/number_edges.hpp"
#include "graph/file/table.hpp"

namespace parsimony::graph {

struct EdgeTable {
  IdEdges<std::string_view> edges;  ///< views into the text and `unquoted`
  bool weighted = false;
  std::vector<std::list<std::string>> unquoted;
};

/// Reads the edges and tells the context about a header, comments, and weights that look like times. Throws
/// Error(format) with the line of the first fault, and for points.
EdgeTable read_edge_table(const Text& text, const ReadOptions& options, const Context& context);

/// Throws Error(format) if all ids are numbers and some of them have fractions.
void refuse_points(const Text& text, const Words& ids, char separator);

/// Warns when these weights look like times.
void say_times(const Text& text, const std::vector<std::vector<float>>& weights, const Context& context);

/// Warns when lines of whole numbers may be points: few numbers are repeated.
void say_points(const Text& text, std::int64_t nodes, std::int64_t lines, const Context& context);

}  // namespace parsimony::graph
