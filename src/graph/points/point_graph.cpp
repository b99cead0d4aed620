#include "parsimony/graph/point_graph.hpp"

#include <fmt/format.h>

#include <utility>

#include "graph/points/copies.hpp"
#include "parsimony/core/error.hpp"

namespace parsimony::graph {

PointGraph point_graph(MatrixView<const float> points, const PointGraphOptions& options,
                       const Context& context) {
  validate_fields(options);
  const std::int64_t needed =
      4 * points.rows * points.cols + estimate_memory(points.rows, points.cols, options.neighbors);
  if (options.max_memory > 0 && needed > options.max_memory) {
    throw Error(
        ErrorCode::memory_limit,
        fmt::format("max_memory: {} bytes are too few; the points and the search for their neighbours take "
                    "about {}",
                    options.max_memory, needed));
  }
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
