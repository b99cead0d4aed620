#include "parsimony/cluster/filtered.hpp"

#include <algorithm>

#include "cluster/methods/filtered_features.hpp"
#include "cluster/methods/initial_centroids.hpp"
#include "cluster/methods/local_order.hpp"
#include "cluster/methods/prepared.hpp"
#include "cluster/methods/refine.hpp"
#include "parsimony/cluster/sampling.hpp"
#include "parsimony/core/kmeans.hpp"
#include "parsimony/spectral/features.hpp"

namespace parsimony::cluster {
namespace {

constexpr std::int64_t kFewestRows = 1000;
constexpr std::int64_t kRowsPerCluster = 50;

std::int64_t rows_of_restarts(std::int64_t clusters, std::int64_t connected) {
  return std::min(connected, std::max(kFewestRows, kRowsPerCluster * clusters));
}

}  // namespace

// prepare() finds it by its argument, as it finds check_options().
static RunMemory run_memory(CsrView adjacency, const FilteredOptions& options, const Context& context) {
  const std::int64_t nodes = adjacency.rows();
  const std::int64_t features = settled_features(options, nodes, nodes);
  const std::int64_t rows = rows_of_restarts(options.clusters, nodes);
  const std::int64_t clustering =
      matrix_bytes(nodes, features) +
      std::max((1 + std::min(options.restarts, context.threads())) * matrix_bytes(rows, features + kLine),
               kmeans_bytes(nodes, options.clusters, features));
  // Per node as in compressive clustering.
  const std::int64_t bytes =
      std::max({lambda_k_bytes(nodes, options.lambda_method), features_bytes(nodes, features), clustering}) +
      64 * nodes + refinement_bytes(options.refine, nodes);
  return with_local_order(bytes, adjacency, context);
}

std::int64_t estimate_memory(CsrView adjacency, const FilteredOptions& options, const Context& context) {
  return run_memory(adjacency, options, context).bytes;
}

// Refuses combinations that the ranges of single fields allow.
static void check_options(const FilteredOptions& options) {
  check_refinement(options.refine);
  check_distance_control(options);
}

namespace {

ClusterResult cluster_prepared(const Prepared& prepared, const FilteredOptions& requested,
                               const Context& context) {
  const std::span<const std::int32_t> initial = prepared.initial;
  const std::vector<float>& connected = prepared.connected.marks;
  const std::int64_t nodes = prepared.nodes(), k = requested.clusters, points = prepared.connected.count;
  FilteredOptions options = requested;  // with every automatic value filled in, as the report shows it
  options.features = settled_features(options, points, points);
  options.regularization = settled_regularization(options, prepared.adjacency);
  if (!initial.empty()) options.restarts = 1;
  ClusterResult result =
      begin_result("filtered spectral clustering", prepared, options,
                   options.regularization == 0 && options.error == 0 && initial.empty(), context);
  Report& report = result.report;
  if (!result.labels.empty()) return result;

  const graph::Laplacian laplacian =
      graph::make_laplacian(prepared.adjacency, options.laplacian, options.regularization, context);
  Matrix<float> features = filtered_features(spectral::LaplacianOperator(laplacian, context),
                                             prepared.connected, options, result, context)
                               .rows;
  if (options.laplacian == graph::LaplacianKind::normalized) spectral::normalize_rows(features, context);

  KMeansOptions run{
      .clusters = k, .restarts = options.restarts, .exchanges = kExchanges, .seed = options.seed};
  Matrix<float> start = initial_centroids(features, initial, k, connected);
  if (initial.empty()) {
    const StageTimer timer(report, "start");
    const std::vector<std::int32_t> sample =
        sample_without_replacement(connected, rows_of_restarts(k, points), options.seed);
    start = kmeans(rows_of(features, sample), {}, run, context).centroids;
  }
  StageTimer timer(report, "k-means");
  run.exchanges = 0;  // the start has had them
  KMeansResult clustered =
      kmeans(features, points < nodes ? std::span(connected) : std::span<const float>(), run, start, context);
  report.status = clustered.report.status;
  report.iterations = clustered.report.iterations;
  report.objective_history = clustered.report.objective_history;
  result.labels = std::move(clustered.labels);
  place_unknown(result.labels, k, connected);
  fill_empty_clusters(result.labels, k, {}, {});
  timer.finish();
  if (options.refine == Refinement::moves)
    refine_by_moves(prepared.adjacency, prepared.connected, result, options.seed, context);
  return result;
}

}  // namespace

ClusterResult filtered_spectral_clustering(CsrView adjacency, const FilteredOptions& options,
                                           std::span<const std::int32_t> initial, const Context& context) {
  const Prepared prepared = prepare(adjacency, options, initial, "fewer features need less", context);
  return in_local_order(prepared, context,
                        [&](const Prepared& ordered) { return cluster_prepared(ordered, options, context); });
}

ClusterResult filtered_spectral_clustering(CsrView adjacency, const FilteredOptions& options,
                                           const Context& context) {
  return filtered_spectral_clustering(adjacency, options, {}, context);
}

}  // namespace parsimony::cluster
