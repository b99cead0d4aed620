// Implements cluster_points() and make_model() of parsimony/cluster/cluster.hpp.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "cluster/run.hpp"
#include "core/count_of.hpp"
#include "parsimony/cluster/points.hpp"
#include "parsimony/core/error.hpp"

namespace parsimony::cluster {
namespace {

// Graphs of neighbours have low eigenvalues close together: fields that are left automatic get the values of
// options_for_points(). An error bound chooses features and samples itself. Methods without a field ignore
// it.
ClusterOptions suited(ClusterOptions options) {
  const CompressiveOptions points = options_for_points(options.clusters);
  if (options.order == 0) options.order = points.order;
  if (options.error > 0) return options;
  if (options.features == 0) options.features = points.features;
  if (options.samples == 0 && options.clusters > 0) options.samples = points.samples;
  return options;
}

// Refuses, before the long part, a run whose model could not be saved afterwards, when clustering has given
// its memory back.
void check_saving(const PointClusterOptions& options, MatrixView<const float> points,
                  const Context& context) {
  if (!options.saves_model) return;
  context.require_memory(estimate_saving_memory(points.rows, points.cols), "writing the model");
}

// `owned` is freed once the graph is there; nullptr if the caller keeps the points.
PointClustering run(MatrixView<const float> points, Matrix<float>* owned, const PointClusterOptions& options,
                    const Context& context) {
  check_cluster_options(options.cluster);
  graph::PointGraphOptions graph_options{options.neighbors, options.graph};
  graph_options.neighbors.seed = options.cluster.seed;
  graph::PointGraph made = graph::point_graph(points, graph_options, context);
  std::erase_if(made.report.options, [](const auto& option) { return option.first == "seed"; });
  const auto different = made.report.figure<std::int64_t>("distinct");
  if (options.cluster.clusters > different) {
    context.log(
        LogLevel::warning,
        fmt::format("clusters: {} is more than the {}, so copies of a point are in different clusters",
                    options.cluster.clusters, count_of(different, "different point")));
  }
  check_saving(options, points, context);
  if (owned) *owned = {};
  CsrView adjacency = made.graph;
  adjacency.checked = true;
  PointClustering out;
  static_cast<Clustering&>(out) = run_clustering(adjacency, suited(options.cluster), true, context);
  add_before(out.report, made.report);
  out.graph = std::move(made.graph);
  return out;
}

}  // namespace

PointClustering cluster_points(MatrixView<const float> points, const PointClusterOptions& options,
                               const Context& context) {
  return run(points, nullptr, options, context);
}

PointClustering cluster_points(Matrix<float>&& points, const PointClusterOptions& options,
                               const Context& context) {
  return run(points, &points, options, context);
}

PointClustering cluster_points(MatrixView<const double> points, const PointClusterOptions& options,
                               const Context& context) {
  graph::Points rounded = graph::float32_points(points, options.neighbors.metric, context);
  return run(rounded.rows, &rounded.rows, options, context);
}

PointModel make_model(Matrix<float> points, const Clustering& clustering,
                      const PointClusterOptions& options) {
  return make_model(graph::Points{std::move(points), {}}, clustering, options);
}

PointModel make_model(graph::Points points, const Clustering& clustering,
                      const PointClusterOptions& options) {
  return {std::move(points.rows),   clustering.labels,           clustering.clusters,
          options.neighbors.metric, options.neighbors.neighbors, std::move(points.shift)};
}

}  // namespace parsimony::cluster
