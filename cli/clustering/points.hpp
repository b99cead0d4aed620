// Points as input: an array of rows, made into the graph of its nearest neighbours.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "parsimony/core/matrix.hpp"
#include "parsimony/graph/file.hpp"
#include "parsimony/graph/neighbor_graph.hpp"

namespace parsimony::cli {

struct PointOptions {
  graph::NeighborOptions neighbors;
  graph::NeighborGraphOptions graph;
};

/// Adds the flags of both options in the group "Points"; --seed only where the verb has none of its own.
/// Returns the names of the flags.
std::vector<std::string> add_point_flags(CLI::App& app, PointOptions& options, bool with_seed);

/// Whether the file is called an array of points: .npy, also before .gz or .zst.
bool names_points(const std::string& path);

/// A 2-D array of numbers; max_memory bounds the bytes of the file and of the array, 0 is no bound.
Matrix<float> read_points(const std::string& path, std::int64_t max_memory = 0);

/// The graph of the points, whose nodes are called by their rows 0, 1, …; adds its stages, options and
/// figures to the report. Above max_memory (0: no limit) it is refused before it starts.
graph::GraphFile graph_of_points(const Matrix<float>& points, const PointOptions& options,
                                 std::int64_t max_memory, Report& report, const Context& context);

/// "recall .981 ± .002" where the search was approximate, else "exact".
std::string search_text(const Report& report);

}  // namespace parsimony::cli
