// Points as input: flags, reading, and a note on the search for neighbours.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "parsimony/core/report.hpp"
#include "parsimony/graph/neighbor_graph.hpp"
#include "parsimony/graph/point_file.hpp"

namespace parsimony::cli {

/// Adds the flags of the options and --array in the group "Points", without --seed: the verb has its own.
/// Returns the names of the flags.
std::vector<std::string> add_point_flags(CLI::App& app, graph::NeighborOptions& neighbors,
                                         graph::NeighborGraphOptions& graph, std::string& array);

/// --array of a verb that reads points.
void add_array_flag(CLI::App& app, std::string& array);

/// The argument POINTS of a verb that reads nothing else.
void add_points_argument(CLI::App& app, std::string& path);

/// "recall .981 ± .002" if the search was approximate, else "exact".
std::string search_text(const Report& report);

}  // namespace parsimony::cli
