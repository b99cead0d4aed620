// The graph of points in one call: nearest neighbours, then edges and weights.
#pragma once

#include <cstdint>

#include "parsimony/core/context.hpp"
#include "parsimony/core/matrix.hpp"
#include "parsimony/core/options.hpp"
#include "parsimony/core/report.hpp"
#include "parsimony/graph/graph.hpp"
#include "parsimony/graph/neighbor_graph.hpp"
#include "parsimony/graph/points.hpp"

namespace parsimony::graph {

struct PointGraphOptions {
  NeighborOptions neighbors;
  NeighborGraphOptions graph;
};

template <OptionsOf<PointGraphOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  describe(options.neighbors, visit);
  describe(options.graph, visit);
}

struct PointGraph {
  Graph graph;  ///< node i is row i of the points
  Report report;
};

/// The graph of the nearest neighbours of points, n × d float32: nearest_neighbors(), then neighbor_graph(),
/// with their time, memory and errors.
///
/// Lists of nearest points alone would cut off a point with k copies or more: they would name copies only. So
/// the list of a point with more than min(⌈k/2⌉, 6) copies has that many of them, all at distance 0: two
/// beside it in the order of its copies, then the first ones, which join all. The rest of its k neighbours
/// are the nearest different points, one copy of each, in turn; more copies follow only where there are too
/// few different points. Other points have their k nearest.
///
/// The report has the stages, options and figures of both. Throws
/// memory_limit before it starts.
PointGraph point_graph(MatrixView<const float> points, const PointGraphOptions& options = {},
                       const Context& context = Context{});

/// The same for float64 points, as float32_points() rounds them.
PointGraph point_graph(MatrixView<const double> points, const PointGraphOptions& options = {},
                       const Context& context = Context{});

}  // namespace parsimony::graph
