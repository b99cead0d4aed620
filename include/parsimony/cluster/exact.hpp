// Spectral clustering by its definition: k-means on the rows of the k lowest eigenvectors [ng2001spectral,
// shi2000normalized]. The other methods approximate it and are measured against it.
#pragma once

#include <cstdint>

#include "parsimony/cluster/fields.hpp"
#include "parsimony/cluster/refine.hpp"
#include "parsimony/cluster/result.hpp"
#include "parsimony/core/context.hpp"
#include "parsimony/core/csr.hpp"
#include "parsimony/core/options.hpp"
#include "parsimony/graph/laplacian.hpp"

namespace parsimony::cluster {

struct ExactOptions {
  std::int64_t clusters = 8;  ///< k, exactly
  graph::LaplacianKind laplacian =
      graph::LaplacianKind::normalized;  ///< the usual choice; rows are normalised
  double regularization = -1;  ///< τ ≥ 0 in units of degree; −1: graph::automatic_regularization
  /// Columns of the subspace beyond k; 0: see spectral::EigenOptions. Raise it when passes run out.
  std::int64_t oversampling = 0;
  double eigen_tolerance = 1e-5;         ///< residual of every eigenvector, in units of lambda_max / 2
  int passes = 50;                       ///< most passes of filter and Rayleigh–Ritz
  int restarts = 20;                     ///< runs of k-means; ten miss a cluster more often
  Refinement refine = Refinement::none;  ///< none or moves: k-means sees all rows already
  std::uint64_t seed = 0;
};

template <OptionsOf<ExactOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(fields::clusters, options.clusters);
  visit(fields::laplacian, options.laplacian);
  visit(fields::regularization, options.regularization);
  visit(fields::oversampling, options.oversampling);
  visit(fields::eigen_tolerance, options.eigen_tolerance);
  visit(fields::passes, options.passes);
  visit(fields::restarts, options.restarts);
  visit(fields::refine, options.refine);
  visit(kSeedField, options.seed);
}

/// Clusters a graph into exactly `clusters` non-empty clusters. adjacency: see graph::Graph. Computes the k
/// lowest eigenvectors by spectral::smallest_eigenvectors, divides their rows by their norms (normalised
/// Laplacian only) and runs k-means: `restarts` runs on max(20 k, 10,000) nodes with edges, then the best of
/// them on all nodes.
///
/// Nodes without edges join the smallest cluster. With k at or above the number of nodes with edges, each of
/// these is a cluster, then single isolated nodes are. A disconnected graph is clustered as a whole.
///
/// report: iterations and objective_history of the last k-means; figures "eigenvalues" (the k smallest),
/// "largest_residual", "dimension", "products", "eigen_passes". Status iteration_limit when the eigenvectors
/// did not reach their tolerance within `passes`; the clusters are then those of the best eigenvectors found.
///
/// Time O(products · E + passes · N d² + iterations · N k²), d = k + oversampling; 4 (d + 128) N bytes. The
/// same seed and SIMD target give the same labels for any thread count. Throws invalid_argument (bad options,
/// more clusters than nodes, an unsound graph: see graph::check_graph, degrees that float32 cannot hold: see
/// graph::make_laplacian), memory_limit and cancelled.
ClusterResult exact_spectral_clustering(CsrView adjacency, const ExactOptions& options = {},
                                        const Context& context = Context{});

/// The same with the density of the eigenvalues of this Laplacian, which saves a tenth of the time; nullptr:
/// as above.
ClusterResult exact_spectral_clustering(CsrView adjacency, const ExactOptions& options,
                                        const spectral::SpectralDensity* density,
                                        const Context& context = Context{});

/// Peak bytes that the call above needs beside the graph: an upper bound, and within a third of the measured
/// peak when k is far below N.
std::int64_t estimate_memory(CsrView adjacency, const ExactOptions& options,
                             const Context& context = Context{});

}  // namespace parsimony::cluster
