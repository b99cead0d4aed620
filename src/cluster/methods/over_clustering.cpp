#include "cluster/methods/over_clustering.hpp"

#include <algorithm>

#include "cluster/methods/signals.hpp"
#include "parsimony/cluster/sampling.hpp"
#include "parsimony/core/kmeans.hpp"
#include "parsimony/partition/communities.hpp"
#include "parsimony/partition/objectives.hpp"
#include "parsimony/spectral/chebyshev.hpp"
#include "parsimony/spectral/density.hpp"
#include "parsimony/spectral/features.hpp"

namespace parsimony::cluster {
namespace {

constexpr int kOrder = 50;
constexpr int kPasses = 8;
constexpr std::int64_t kFewestFeatures = 64;  // near the threshold 32 yield an ARI of .36 where 64 yield .77

std::int64_t feature_count(std::int64_t clusters) {
  return whole_lines(std::max<std::int64_t>(kFewestFeatures, clusters / 2));
}

}  // namespace

std::int64_t over_clustering_memory(std::int64_t nodes, std::int64_t clusters) {
  return features_bytes(nodes, feature_count(clusters)) + matrix_bytes(nodes, kLine);
}

partition::Partition features_to_k(CsrView adjacency, const partition::NetworkView& network,
                                   std::int64_t clusters, std::uint64_t seed, double& lambda_k,
                                   const Context& context) {
  const graph::Laplacian laplacian =
      graph::make_laplacian(adjacency, graph::LaplacianKind::normalized, 0, context);
  const spectral::LaplacianOperator op(laplacian, context);
  const auto density = spectral::spectral_density(op, {.order = kOrder, .seed = seed}, {}, context);
  lambda_k = density.eigenvalue(static_cast<double>(clusters));
  Matrix<float> features = spectral::random_features(
      op, spectral::low_pass(lambda_k, op.lambda_max(), kOrder), feature_count(clusters), seed, context);
  spectral::normalize_rows(features, context);

  const std::int64_t nodes = adjacency.rows();
  const std::int64_t over = std::min(nodes, (3 * clusters + 1) / 2);
  const std::int64_t samples = std::min(nodes, std::max<std::int64_t>(4000, 8 * clusters));
  const std::vector<std::int32_t> sample =
      sample_without_replacement(std::vector<float>(nodes, 1), samples, seed);
  const KMeansResult seeds =
      kmeans(rows_of(features, sample), {},
             {.clusters = over, .restarts = 3, .max_iterations = 10, .seed = seed}, context);
  KMeansResult all =
      kmeans(features, {}, {.clusters = over, .max_iterations = 3, .seed = seed}, seeds.centroids, context);

  const partition::Partition fine = partition::make_partition(network, std::move(all.labels), over, context);
  return partition::merge_to_k(
      network, fine,
      {.clusters = clusters, .resolution = partition::planted_rates(fine, network.total).gamma}, kPasses,
      seed, context);
}

}  // namespace parsimony::cluster
