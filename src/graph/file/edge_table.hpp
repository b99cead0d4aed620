// Edges of a table: with quotes, a header, other separators than blanks and commas, or columns to choose.
#pragma once

#include <list>
#include <string>
#include <vector>

#include "graph/file/edge_columns.hpp"
#include "graph/file/number_edges.hpp"
#include "graph/file/table.hpp"
#include "parsimony/core/processes.hpp"

namespace parsimony::graph {

struct EdgeTable {
  IdEdges<std::string_view> edges;  ///< views into the text and `unquoted`
  bool weighted = false;
  std::string doubt;  ///< AssembleOptions::doubt
  std::vector<std::list<std::string>> unquoted;
};

/// A table of which each process has the begin and a part.
struct TablePart {
  const Text& head;       ///< in all processes the same: the first 100 rows at least, or the whole file
  const Text& body;       ///< a part of the lines behind the first row
  std::int64_t from = 0;  ///< where they begin in `body`
  const Processes& processes;
};

/// The edges of the part; process 0 has that of the first row, too. Errors are those of all processes, and
/// process 0 speaks. Collective.
EdgeTable read_edge_table(const TablePart& part, const ReadOptions& options, const Context& context);

/// Reads the edges and tells the context about a header and comments. Throws Error(format) with the line of
/// the first fault, and for points.
EdgeTable read_edge_table(const Text& text, const ReadOptions& options, const Context& context);

/// Throws Error(format) if all ids, of all processes, are numbers and some of them have fractions.
void refuse_points(const Text& text, const Words& ids, char separator, const Processes& processes);

/// The doubt of these columns or, if the weights look like times, one of that; empty if there is neither.
std::string weight_doubt(const EdgeColumns& columns, const std::vector<std::vector<float>>& weights,
                         const Processes& processes);

/// Warns when lines of whole numbers may be points: few numbers are repeated.
void say_points(const Text& text, std::int64_t nodes, std::int64_t lines, const Context& context);

}  // namespace parsimony::graph
