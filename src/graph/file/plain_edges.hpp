// Edge lists whose ids are integers: the parts of their reader that a reader of a part of the file needs too.
#pragma once

#include <cstdint>
#include <optional>

#include "graph/file/edge_columns.hpp"
#include "graph/file/number_edges.hpp"
#include "graph/file/table.hpp"

namespace parsimony::graph {

/// Where such a list begins, and its columns.
struct PlainLayout {
  TableHead head;
  EdgeColumns columns;
  bool header = false;    ///< the first line is one
  std::int64_t body = 0;  ///< where the edges begin
};

/// By the first lines: nothing if the list is not of integers in the first two columns. Throws as
/// edge_columns().
std::optional<PlainLayout> plain_layout(const Text& text, const ReadOptions& options);

struct PlainEdges : IdEdges<std::int64_t> {
  Comments comments;
};

/// Reads lines of two integers, separated by blanks, tabs or commas, and `others` more columns, of which the
/// first is the weight if there are weights. Nothing if any line is different.
std::optional<PlainEdges> read_plain(const Text& text, std::int64_t from, int others, bool weighted,
                                     const Context& context);

}  // namespace parsimony::graph
