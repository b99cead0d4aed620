// Spectral clustering as it is defined: k-means on the rows of the k lowest eigenvectors [ng2001spectral,
// shi2000normalized]. What the other methods approximate, and are measured by.
#pragma once

#include <cstdint>

#include "parsimony/cluster/refine.hpp"
#include "parsimony/cluster/result.hpp"
#include "parsimony/core/context.hpp"
#include "parsimony/core/csr.hpp"
#include "parsimony/core/options.hpp"
#include "parsimony/graph/laplacian.hpp"

namespace parsimony::cluster {

struct ExactOptions {
  std::int64_t clusters = 8;                                          ///< k, exactly
  graph::LaplacianKind laplacian = graph::LaplacianKind::normalized;  ///< the usual; rows are then normalised
  double regularization = -1;  ///< τ ≥ 0 in units of degree; −1: graph::automatic_regularization
  /// Columns of the subspace beside k; 0: see spectral::EigenOptions
  std::int64_t oversampling = 0;
  double eigen_tolerance = 1e-5;  ///< residual of every eigenvector, in units of lambda_max / 2
  int passes = 50;                ///< at most, of filter and Rayleigh–Ritz
  int restarts = 20;              ///< of k-means, as the other methods; ten miss a cluster more often
  std::int64_t max_memory =
      0;  ///< bytes beside the graph; above it the run is refused before it starts; 0: no limit
  Refinement refine = Refinement::none;  ///< none or moves: k-means sees all rows already
  std::uint64_t seed = 0;
};

template <OptionsOf<ExactOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(Field{"clusters", "number of clusters k", 1, 1 << 30}, options.clusters);
  visit(Field{"laplacian", "normalized or combinatorial"}, options.laplacian);
  visit(Field{"regularization", "tau added to the degrees; -1: automatic", -1, 1e30}, options.regularization);
  visit(Field{"oversampling", "columns of the subspace beside k; 0: a quarter of k, at least 16", 0, 1 << 20},
        options.oversampling);
  visit(Field{"eigen_tolerance", "residual of the eigenvectors in units of lambda_max / 2", 0, 1},
        options.eigen_tolerance);
  visit(Field{"passes", "most passes of filter and Rayleigh-Ritz", 1, 1e6}, options.passes);
  visit(Field{"restarts", "runs of k-means", 1, 10000}, options.restarts);
  visit(Field{"max_memory", "bytes the run may use; 0: no limit", 0, 9e18}, options.max_memory);
  visit(Field{"refine", "what follows: nothing, Lloyd on all rows (compressive only), local moves"},
        options.refine);
  visit(Field{"seed", "seed of all randomness"}, options.seed);
}

/// adjacency: symmetric, no self loops (see graph::Graph). The k lowest eigenvectors by
/// spectral::smallest_eigenvectors, their rows divided by their norms (normalised Laplacian only), k-means:
/// `restarts` runs on max(20 k, 10,000) nodes with edges, the best of them continued on all nodes.
///
/// Always exactly `clusters` non-empty clusters; nodes without edges join the smallest. k at or above the
/// number of nodes with edges: each of these is a cluster, then single isolated nodes. A disconnected graph
/// is clustered as a whole.
///
/// report: iterations and objective_history of the last k-means; figures "eigenvalues" (the k smallest),
/// "largest_residual", "dimension", "products", "eigen_passes". Status iteration_limit when the eigenvectors
/// did not reach their tolerance in `passes`; the clusters are those of the best there are.
///
/// Time O(products · E + passes · N d² + iterations · N k²), d = k + oversampling; 4 (d + 128) N bytes. The
/// same seed and SIMD target give the same labels for any thread count. Throws invalid_argument (options out
/// of range, more clusters than nodes), memory_limit, cancelled; invalid_argument as well for degrees that
/// float32 cannot hold (see graph::make_laplacian).
/// density: of the same Laplacian, where it is there already; spares a tenth of the time.
ClusterResult exact_spectral_clustering(CsrView adjacency, const ExactOptions& options = {},
                                        const Context& context = Context{},
                                        const spectral::SpectralDensity* density = nullptr);

/// Peak bytes that the call above needs beside the graph itself: an upper bound, and within a third of it
/// when k is far below N.
std::int64_t estimate_memory(CsrView adjacency, const ExactOptions& options,
                             int threads = default_thread_count());

}  // namespace parsimony::cluster
