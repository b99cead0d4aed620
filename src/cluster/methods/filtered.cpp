#include "parsimony/cluster/filtered.hpp"

#include <algorithm>

#include "cluster/methods/filtered_features.hpp"
#include "cluster/methods/initial_centroids.hpp"
#include "cluster/methods/local_order.hpp"
#include "cluster/methods/on_operator.hpp"
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

std::int64_t filtered_bytes(std::int64_t rows, std::int64_t ghosts, std::int64_t nodes,
                            const FilteredOptions& options, int threads, bool collects) {
  const std::int64_t features = settled_features(options, nodes, nodes);
  const std::int64_t sample = rows_of_restarts(options.clusters, nodes);
  const std::int64_t clustered = collects ? nodes : rows;
  const std::int64_t clustering =
      matrix_bytes(rows, features) + (collects ? 2 * matrix_bytes(nodes, features) : 0) +
      std::max((1 + std::min(options.restarts, threads)) * matrix_bytes(sample, features + kLine),
               kmeans_bytes(clustered, options.clusters, features));
  // Per node as in compressive clustering. k-means of all rows gives each process the labels of all nodes.
  return std::max({lambda_k_bytes(rows + ghosts, options.lambda_method),
                   features_bytes(rows + ghosts, features), clustering}) +
         64 * rows + 4 * (nodes - rows) + refinement_bytes(options.refine, rows);
}

// prepare() finds it by its argument, as it finds check_options().
static RunMemory run_memory(CsrView adjacency, const FilteredOptions& options, const Context& context) {
  const std::int64_t nodes = adjacency.rows();
  return with_local_order(filtered_bytes(nodes, 0, nodes, options, context.threads(), false), adjacency,
                          context);
}

std::int64_t estimate_memory(CsrView adjacency, const FilteredOptions& options, const Context& context) {
  return run_memory(adjacency, options, context).bytes;
}

// Refuses combinations that the ranges of single fields allow.
static void check_options(const FilteredOptions& options) {
  check_filtered_options(options);
}

void check_filtered_options(const FilteredOptions& options) {
  check_refinement(options.refine);
  check_distance_control(options);
}

FilteredOptions settled_options(const FilteredOptions& requested, std::int64_t connected,
                                double regularization, bool warm) {
  FilteredOptions options = requested;
  options.features = settled_features(options, connected, connected);
  options.regularization = regularization;
  if (warm) options.restarts = 1;
  return options;
}

void run_filtered(const spectral::Operator& op, const ConnectedNodes& connected,
                  std::span<const std::int32_t> initial, const FilteredOptions& options,
                  ClusterResult& result, const Context& context) {
  Report& report = result.report;
  const Processes& processes = op.processes();
  const std::int64_t k = options.clusters, points = connected.count;
  if (options.error > 0 || options.refine != Refinement::none || !initial.empty()) {
    spectral::refuse_several_processes(op, "an error bound, refinement or a warm start");
  }
  Matrix<float> features = filtered_features(op, connected, options, result, context).rows;
  if (options.laplacian == graph::LaplacianKind::normalized) spectral::normalize_rows(features, context);

  KMeansOptions run{
      .clusters = k, .restarts = options.restarts, .exchanges = kExchanges, .seed = options.seed};
  Matrix<float> start = initial_centroids(features, initial, k, connected.marks);
  if (initial.empty()) {
    const StageTimer timer(report, "start");
    const std::vector<std::int32_t> sample = sample_without_replacement(
        connected.marks, rows_of_restarts(k, points), options.seed, op.first_row(), processes);
    start = kmeans_once(processes, rows_of(op, features, sample), {}, run, {}, context).centroids;
  }
  const StageTimer timer(report, "k-means");
  run.exchanges = 0;  // the start has had them
  const bool all = points == op.all_rows();
  KMeansResult clustered = kmeans_of_all_rows(
      op, features, all ? std::span<const float>() : std::span(connected.marks), run, start, context);
  report.status = clustered.report.status;
  report.iterations = clustered.report.iterations;
  report.objective_history = clustered.report.objective_history;
  result.labels = std::move(clustered.labels);
  place_unknown(result.labels, k, connected.marks, processes);
  fill_empty_clusters(result.labels, k, {}, {}, processes);
}

namespace {

ClusterResult cluster_prepared(const Prepared& prepared, const FilteredOptions& requested,
                               const Context& context) {
  const FilteredOptions options =
      settled_options(requested, prepared.connected.count,
                      settled_regularization(requested, prepared.adjacency), !prepared.initial.empty());
  ClusterResult result =
      begin_result("filtered spectral clustering", prepared, options,
                   options.regularization == 0 && options.error == 0 && prepared.initial.empty(), context);
  if (!result.labels.empty()) return result;
  const graph::Laplacian laplacian =
      graph::make_laplacian(prepared.adjacency, options.laplacian, options.regularization, context);
  run_filtered(spectral::LaplacianOperator(laplacian, context), prepared.connected, prepared.initial, options,
               result, context);
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
