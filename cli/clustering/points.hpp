// Points as input: flags, reading, and a note on the search for neighbours.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "parsimony/core/matrix.hpp"
#include "parsimony/core/report.hpp"
#include "parsimony/graph/neighbor_graph.hpp"

namespace parsimony::cli {

/// Adds the flags of both options in the group "Points", without --seed: the verb has its own. Returns the
/// names of the flags.
std::vector<std::string> add_point_flags(CLI::App& app, graph::NeighborOptions& neighbors,
                                         graph::NeighborGraphOptions& graph);

/// Whether the file name says that it is an array of points: .npy, also before .gz or .zst.
bool names_points(const std::string& path);

/// Reads a 2-D array of numbers; max_memory bounds the bytes of the file and of the array; 0: no bound.
Matrix<float> read_points(const std::string& path, std::int64_t max_memory = 0);

/// "recall .981 ± .002" if the search was approximate, else "exact".
std::string search_text(const Report& report);

}  // namespace parsimony::cli
