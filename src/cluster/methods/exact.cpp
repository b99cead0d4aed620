#include "parsimony/cluster/exact.hpp"

#include <algorithm>

#include "cluster/methods/prepared.hpp"
#include "cluster/methods/refine.hpp"
#include "cluster/methods/signals.hpp"
#include "parsimony/cluster/sampling.hpp"
#include "parsimony/core/kmeans.hpp"
#include "parsimony/spectral/eigenvectors.hpp"
#include "parsimony/spectral/features.hpp"

namespace parsimony::cluster {
namespace {

// The number of nodes that the restarts of k-means see. Restarts choose among local optima; the iterations on
// all nodes then place the centroids exactly.
std::int64_t sample_size(std::int64_t clusters, std::int64_t connected) {
  return std::min(connected, std::max<std::int64_t>(20 * clusters, 10000));
}

spectral::EigenOptions eigen_options(const ExactOptions& options) {
  return {.count = options.clusters,
          .oversampling = options.oversampling,
          .tolerance = options.eigen_tolerance,
          .max_iterations = options.passes,
          .seed = options.seed};
}

struct Clustered {
  std::vector<std::int32_t> sample;
  std::vector<std::int32_t> sample_labels;
  KMeansResult all;
};

Clustered cluster_rows(MatrixView<const float> rows, std::span<const float> connected,
                       std::int64_t candidates, const ExactOptions& options, const Context& context) {
  Clustered out;
  out.sample = sample_without_replacement(connected, sample_size(options.clusters, candidates), options.seed);
  KMeansOptions kmeans_options{
      .clusters = options.clusters, .restarts = options.restarts, .seed = options.seed};
  KMeansResult first = kmeans(rows_of(rows, out.sample), {}, kmeans_options, context);
  out.sample_labels = std::move(first.labels);
  kmeans_options.restarts = 1;
  out.all = kmeans(rows, connected, kmeans_options, first.centroids, context);
  return out;
}

}  // namespace

std::int64_t estimate_memory(CsrView adjacency, const ExactOptions& options, const Context& context) {
  const std::int64_t nodes = adjacency.rows(), k = std::min(options.clusters, nodes);
  const std::int64_t dimension = spectral::subspace_dimension(eigen_options(options), nodes);
  const std::int64_t columns = whole_lines(dimension), samples = sample_size(k, nodes);
  // Two panels of the recurrence; of the dense problem some twelve matrices of float64.
  const std::int64_t subspace =
      2 * matrix_bytes(nodes, std::min(columns, kColumns)) + 100 * dimension * dimension;
  // The sample, packed again by every restart that runs.
  const std::int64_t clustering =
      matrix_bytes(samples, k) +
      std::min(options.restarts, context.threads()) * matrix_bytes(std::min(samples, 256 * k), k + kLine);
  // Per node: Laplacian 12, an operator 12, and at most 28 of degrees, marks, labels, weights.
  return matrix_bytes(nodes, columns) + std::max({subspace, clustering, kmeans_bytes(nodes, k, k)}) +
         64 * nodes + refinement_bytes(options.refine, nodes);
}

// prepare() finds these two by their argument. Refuses combinations that the ranges of single fields allow.
static void check_options(const ExactOptions& options) {
  check_refinement(options.refine);
}

static RunMemory run_memory(CsrView adjacency, const ExactOptions& options, const Context& context) {
  return {.bytes = estimate_memory(adjacency, options, context)};
}

ClusterResult exact_spectral_clustering(CsrView adjacency, const ExactOptions& requested,
                                        const spectral::SpectralDensity* density, const Context& context) {
  const Prepared prepared =
      prepare(adjacency, requested, {}, "fewer clusters or another method need less", context);
  adjacency = prepared.adjacency;
  const std::vector<float>& connected = prepared.connected.marks;
  const std::int64_t k = requested.clusters, candidates = prepared.connected.count;
  ExactOptions options = requested;  // with every automatic value filled in, as the report shows it
  options.regularization = settled_regularization(options, adjacency);
  options.oversampling =
      candidates > k ? spectral::subspace_dimension(eigen_options(options), candidates) - k : 0;
  ClusterResult result = begin_result("spectral clustering", prepared, options, false, context);
  Report& report = result.report;
  if (!result.labels.empty()) return result;

  const graph::Laplacian laplacian =
      graph::make_laplacian(adjacency, options.laplacian, options.regularization, context);
  spectral::Eigenvectors eigen = spectral::smallest_eigenvectors(
      spectral::LaplacianOperator(laplacian, context), eigen_options(options), density, context);
  result.lambda_k = eigen.values.back();
  report.status = eigen.report.status;
  report.stages.insert(report.stages.end(), eigen.report.stages.begin(), eigen.report.stages.end());
  report.figures.insert(report.figures.end(), eigen.report.figures.begin(), eigen.report.figures.end());
  report.figures.emplace_back("eigen_passes", eigen.report.iterations);

  StageTimer clustering(report, "k-means");
  if (options.laplacian == graph::LaplacianKind::normalized)
    spectral::normalize_rows(eigen.vectors(), context);
  Clustered clustered = cluster_rows(eigen.vectors(), connected, candidates, options, context);
  if (report.status == Status::converged) report.status = clustered.all.report.status;
  report.iterations = clustered.all.report.iterations;
  report.objective_history = std::move(clustered.all.report.objective_history);
  result.labels = std::move(clustered.all.labels);
  place_unknown(result.labels, k, connected);
  fill_empty_clusters(result.labels, k, clustered.sample, clustered.sample_labels);
  clustering.finish();
  if (options.refine == Refinement::moves)
    refine_by_moves(adjacency, prepared.connected, result, options.seed, context);
  return result;
}

ClusterResult exact_spectral_clustering(CsrView adjacency, const ExactOptions& options,
                                        const Context& context) {
  return exact_spectral_clustering(adjacency, options, nullptr, context);
}

}  // namespace parsimony::cluster
