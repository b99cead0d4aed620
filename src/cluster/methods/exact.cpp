#include "parsimony/cluster/exact.hpp"

#include <algorithm>

#include "cluster/methods/filtering.hpp"
#include "cluster/methods/placement.hpp"
#include "parsimony/cluster/sampling.hpp"
#include "parsimony/core/kmeans.hpp"
#include "parsimony/spectral/eigenvectors.hpp"
#include "parsimony/spectral/features.hpp"

namespace parsimony::cluster {
namespace {

// What the restarts of k-means see. They choose among local optima; where the centroids lie exactly is left
// to the iterations on all nodes.
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
  out.all = kmeans(rows, connected, kmeans_options, context, first.centroids);
  return out;
}

}  // namespace

std::int64_t estimate_memory(CsrView adjacency, const ExactOptions& options, int threads) {
  const std::int64_t nodes = adjacency.rows(), k = std::min(options.clusters, nodes);
  const std::int64_t dimension = spectral::subspace_dimension(eigen_options(options), nodes);
  const std::int64_t columns = whole_lines(dimension), samples = sample_size(k, nodes);
  // Two panels of the recurrence; of the dense problem some twelve matrices of float64.
  const std::int64_t subspace =
      2 * matrix_bytes(nodes, std::min(columns, kColumns)) + 100 * dimension * dimension;
  // The sample, packed again by every restart that runs; then the sums of at most 64 blocks of all rows.
  const std::int64_t clustering =
      matrix_bytes(samples, k) +
      std::min(options.restarts, threads) * matrix_bytes(std::min(samples, 256 * k), k + kLine);
  const std::int64_t assigning = std::min<std::int64_t>(64, nodes / 4096 + 1) * 8 * k * k + 16 * nodes;
  // Per node: Laplacian 12, an operator 12, and at most 28 of degrees, marks, labels, weights.
  return matrix_bytes(nodes, columns) + std::max({subspace, clustering, assigning}) + 64 * nodes +
         refinement_bytes(options.refine, nodes);
}

ClusterResult exact_spectral_clustering(CsrView adjacency, const ExactOptions& requested,
                                        const Context& context, const spectral::SpectralDensity* density) {
  validate_fields(requested);
  check_refinement(requested.refine);
  const std::int64_t nodes = adjacency.rows(), k = requested.clusters;
  check_filtering(requested, nodes);
  const std::int64_t memory = estimate_memory(adjacency, requested, context.threads());
  check_memory(memory, requested.max_memory, "fewer clusters or another method need less");

  // Every automatic value is settled here, so that the report says what was used.
  ExactOptions options = requested;
  const std::vector<float> connected = marks_of_connected(adjacency);
  const auto candidates = std::count(connected.begin(), connected.end(), 1.0f);
  options.regularization = settled_regularization(options, adjacency);
  options.oversampling =
      candidates > k ? spectral::subspace_dimension(eigen_options(options), candidates) - k : 0;

  ClusterResult result{.clusters = k, .report = make_report("spectral clustering", context, options.seed)};
  Report& report = result.report;
  record_options(report, options);
  report.figures.emplace_back("memory_estimate", memory);
  {
    StageTimer timer(report, "components");
    note_structure(report, adjacency, context);
  }
  if (k == 1 || k >= candidates) {
    result.labels = k == 1 ? std::vector<std::int32_t>(nodes, 0) : single_nodes(connected, k);
    return result;
  }

  const graph::Laplacian laplacian =
      graph::make_laplacian(adjacency, options.laplacian, options.regularization, context);
  spectral::Eigenvectors eigen =
      spectral::smallest_eigenvectors(laplacian, eigen_options(options), context, density);
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
  if (options.refine == Refinement::moves) refine_by_moves(adjacency, result, options.seed, context);
  return result;
}

}  // namespace parsimony::cluster
