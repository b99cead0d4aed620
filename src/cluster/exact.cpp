#include "parsimony/cluster/exact.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "cluster/placement.hpp"
#include "parsimony/cluster/sampling.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/core/kmeans.hpp"
#include "parsimony/spectral/eigenvectors.hpp"
#include "parsimony/spectral/features.hpp"

namespace parsimony::cluster {
namespace {

constexpr std::int64_t kLine = 16;     // a row of the subspace is whole cache lines of floats
constexpr std::int64_t kColumns = 64;  // columns filtered at a time

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
  const auto count = static_cast<std::int64_t>(out.sample.size());
  Matrix<float> sampled(count, rows.cols);
  for (std::int64_t s = 0; s < count; ++s) {
    std::copy_n(rows.row_data(out.sample[s]), rows.cols, sampled.row(s).data());
  }
  KMeansOptions kmeans_options{
      .clusters = options.clusters, .restarts = options.restarts, .seed = options.seed};
  KMeansResult first = kmeans(sampled, {}, kmeans_options, context);
  sampled = {};
  out.sample_labels = std::move(first.labels);
  kmeans_options.restarts = 1;
  out.all = kmeans(rows, connected, kmeans_options, context, first.centroids);
  return out;
}

}  // namespace

std::int64_t estimate_memory(CsrView adjacency, const ExactOptions& options, int threads) {
  const std::int64_t nodes = adjacency.rows(), k = std::min(options.clusters, nodes);
  const std::int64_t dimension = spectral::subspace_dimension(eigen_options(options), nodes);
  const std::int64_t columns = (dimension + kLine - 1) / kLine * kLine;
  const std::int64_t samples = sample_size(k, nodes);
  // Two panels of the recurrence; of the dense problem some twelve matrices, and one of float to multiply by.
  const std::int64_t subspace = 4 * 2 * nodes * std::min(columns, kColumns) + 100 * dimension * dimension;
  // The sample, packed again by every restart that runs; sums of at most 64 blocks, a few centroids.
  const std::int64_t clustering =
      4 * samples * k + std::min(options.restarts, threads) * 4 * std::min(samples, 256 * k) * (k + kLine);
  const std::int64_t assigning = std::min<std::int64_t>(64, nodes / 4096 + 1) * 8 * k * k + 16 * nodes;
  // Per node: Laplacian 12, an operator 12, and at most 28 of degrees, marks, labels, weights.
  return 4 * nodes * columns + std::max({subspace, clustering, assigning}) + 64 * nodes;
}

ClusterResult exact_spectral_clustering(CsrView adjacency, const ExactOptions& requested,
                                        const Context& context) {
  validate_fields(requested);
  const std::int64_t nodes = adjacency.rows(), k = requested.clusters;
  if (k > nodes) {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("clusters: {} is more than the {} nodes of the graph", k, nodes));
  }
  if (requested.regularization < 0 && requested.regularization != -1) {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("regularization: {} is out of range; must be at least 0, or -1 for the automatic",
                            requested.regularization));
  }
  const std::int64_t memory = estimate_memory(adjacency, requested, context.threads());
  if (requested.max_memory > 0 && memory > requested.max_memory) {
    throw Error(
        ErrorCode::memory_limit,
        fmt::format("max_memory: the run needs about {} bytes beside the graph, more than the limit of "
                    "{}; fewer clusters or another method need less",
                    memory, requested.max_memory));
  }

  // Every automatic value is settled here, so that the report says what was used.
  ExactOptions options = requested;
  const std::vector<float> connected = marks_of_connected(adjacency);
  const auto candidates = std::count(connected.begin(), connected.end(), 1.0f);
  if (options.regularization < 0) {
    options.regularization = options.laplacian == graph::LaplacianKind::combinatorial
                                 ? 0
                                 : graph::automatic_regularization(adjacency);
  }
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
  StageTimer solving(report, "eigenvectors");
  spectral::Eigenvectors eigen = spectral::smallest_eigenvectors(laplacian, eigen_options(options), context);
  solving.finish();
  result.lambda_k = eigen.values.back();
  report.status = eigen.report.status;
  report.figures.insert(report.figures.end(), eigen.report.figures.begin(), eigen.report.figures.end());
  report.figures.emplace_back("eigen_passes", eigen.report.iterations);

  const StageTimer clustering(report, "k-means");
  if (options.laplacian == graph::LaplacianKind::normalized)
    spectral::normalize_rows(eigen.vectors(), context);
  Clustered clustered = cluster_rows(eigen.vectors(), connected, candidates, options, context);
  report.iterations = clustered.all.report.iterations;
  report.objective_history = std::move(clustered.all.report.objective_history);
  result.labels = std::move(clustered.all.labels);
  place_unknown(result.labels, k, connected);
  fill_empty_clusters(result.labels, k, clustered.sample, clustered.sample_labels);
  return result;
}

}  // namespace parsimony::cluster
