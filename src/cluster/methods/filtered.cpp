#include "parsimony/cluster/filtered.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "cluster/methods/distance_control.hpp"
#include "cluster/methods/filtering.hpp"
#include "cluster/methods/local_order.hpp"
#include "cluster/methods/placement.hpp"
#include "cluster/methods/warm_start.hpp"
#include "parsimony/cluster/sampling.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/core/kmeans.hpp"
#include "parsimony/spectral/chebyshev.hpp"
#include "parsimony/spectral/features.hpp"

namespace parsimony::cluster {
namespace {

constexpr std::int64_t kFewestRows = 1000;
constexpr std::int64_t kRowsPerCluster = 50;

std::int64_t rows_of_restarts(std::int64_t clusters, std::int64_t connected) {
  return std::min(connected, std::max(kFewestRows, kRowsPerCluster * clusters));
}

}  // namespace

std::int64_t estimate_memory(CsrView adjacency, const FilteredOptions& options, int threads) {
  const std::int64_t nodes = adjacency.rows();
  const std::int64_t features = settled_features(options, nodes, nodes);
  const std::int64_t rows = rows_of_restarts(options.clusters, nodes);
  const std::int64_t clustering = matrix_bytes(nodes, features) + (1 + std::min(options.restarts, threads)) *
                                                                      matrix_bytes(rows, features + kLine);
  // Per node as compressive clustering, which k-means on all rows does not pass: 12 and the marks.
  return std::max(
             {lambda_k_bytes(nodes, options.lambda_method), features_bytes(nodes, features), clustering}) +
         64 * nodes + refinement_bytes(options.refine, nodes) +
         local_order_bytes(adjacency, options.max_memory);
}

namespace {

// With the nodes as they are numbered.
ClusterResult cluster_as_numbered(CsrView adjacency, const FilteredOptions& requested, const Context& context,
                                  std::span<const std::int32_t> initial) {
  validate_fields(requested);
  check_refinement(requested.refine);
  const std::int64_t nodes = adjacency.rows(), k = requested.clusters;
  check_filtering(requested, nodes);
  check_distance_control(requested);
  const std::int64_t memory = estimate_memory(adjacency, requested, context.threads());
  check_memory(memory, requested.max_memory, "fewer features need less");

  FilteredOptions options = requested;
  const std::vector<float> connected = marks_of_connected(adjacency);
  const auto points = std::count(connected.begin(), connected.end(), 1.0f);
  options.features = settled_features(options, points, points);
  options.regularization = settled_regularization(options, adjacency);
  check_initial(initial, k, connected);
  if (!initial.empty()) options.restarts = 1;

  ClusterResult result{.clusters = k,
                       .report = make_report("filtered spectral clustering", context, options.seed)};
  Report& report = result.report;
  record_options(report, options);
  report.figures.emplace_back("memory_estimate", memory);
  {
    const StageTimer timer(report, "components");
    const graph::Components components = note_structure(report, adjacency, context);
    if (options.regularization == 0 && options.error == 0 && initial.empty()) {
      result.labels = components_as_clusters(components, k, connected);
    }
  }
  if (!result.labels.empty()) return result;  // λ_k is 0
  if (k == 1 || k >= points) {
    result.labels = k == 1 ? std::vector<std::int32_t>(nodes, 0) : single_nodes(connected, k);
    return result;
  }

  const graph::Laplacian laplacian =
      graph::make_laplacian(adjacency, options.laplacian, options.regularization, context);
  const spectral::DistancePlan plan = plan_filter(laplacian, options, points, result, context);
  const std::vector<double> low_pass = spectral::low_pass(plan.cutoff, laplacian.lambda_max, plan.order);
  Matrix<float> features =
      filtered_signals(laplacian, low_pass, options.features, options.seed, report, context);
  if (options.error > 0)
    note_distance_error(laplacian, plan, features, connected, options.seed, report, context);
  if (options.laplacian == graph::LaplacianKind::normalized) spectral::normalize_rows(features, context);

  KMeansOptions run{
      .clusters = k, .restarts = options.restarts, .exchanges = kExchanges, .seed = options.seed};
  Matrix<float> start = mean_rows(features, initial, k, connected);
  if (initial.empty()) {
    const StageTimer timer(report, "start");
    const std::vector<std::int32_t> sample =
        sample_without_replacement(connected, rows_of_restarts(k, points), options.seed);
    start = kmeans(rows_of(features, sample), {}, run, context).centroids;
  }
  StageTimer timer(report, "k-means");
  run.exchanges = 0;  // the start has had them
  KMeansResult clustered =
      kmeans(features, points < nodes ? std::span(connected) : std::span<const float>(), run, context, start);
  report.status = clustered.report.status;
  report.iterations = clustered.report.iterations;
  report.objective_history = clustered.report.objective_history;
  result.labels = std::move(clustered.labels);
  place_unknown(result.labels, k, connected);
  fill_empty_clusters(result.labels, k, {}, {});
  timer.finish();
  if (options.refine == Refinement::moves) refine_by_moves(adjacency, result, options.seed, context);
  return result;
}

}  // namespace

ClusterResult filtered_spectral_clustering(CsrView adjacency, const FilteredOptions& requested,
                                           const Context& context, std::span<const std::int32_t> initial) {
  validate_fields(requested);
  return in_local_order(adjacency, initial, requested.clusters, requested.max_memory, context,
                        [&](CsrView graph, std::span<const std::int32_t> start) {
                          return cluster_as_numbered(graph, requested, context, start);
                        });
}

}  // namespace parsimony::cluster
