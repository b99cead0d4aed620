// Readers of points, on the bytes of a file.
#pragma once

#include <string>
#include <string_view>

#include "graph/assemble.hpp"
#include "parsimony/graph/point_file.hpp"

namespace parsimony::graph {

/// read_point_array() on the decompressed bytes of a file; the name is for messages.
PointArray parse_points(std::string bytes, const std::string& name, const PointReadOptions& options,
                        const Context& context);

/// Text: CSV and its relatives.
Matrix<double> parse_point_text(std::string_view bytes, const MemoryBudget& budget, const Context& context);

}  // namespace parsimony::graph
