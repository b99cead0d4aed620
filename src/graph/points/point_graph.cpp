#include "parsimony/graph/point_graph.hpp"

#include <utility>

#include "graph/points/copies.hpp"

namespace parsimony::graph {

PointGraph point_graph(MatrixView<const float> points, const PointGraphOptions& options,
                       const Context& context) {
  validate_fields(options);
  context.require_memory(estimate_memory(points.rows, points.cols, options.neighbors),
                         "the search for the nearest neighbours");
  Neighbors neighbors = neighbors_for_graph(points, options.neighbors, context);
  PointGraph out{.report = std::move(neighbors.report)};
  out.report.algorithm = "graph of nearest neighbors";
  record_options(out.report, options.graph);
  const StageTimer timer(out.report, "graph");
  out.graph = neighbor_graph(neighbors, options.graph, context);
  return out;
}

PointGraph point_graph(MatrixView<const double> points, const PointGraphOptions& options,
                       const Context& context) {
  return point_graph(float32_points(points, options.neighbors.metric, context).rows, options, context);
}

}  // namespace parsimony::graph
