// Accelerated spectral clustering [tremblay2016accelerated]: k-means on filtered random signals of all nodes.
#pragma once

#include <cstdint>
#include <span>

#include "parsimony/cluster/lambda_method.hpp"
#include "parsimony/cluster/refine.hpp"
#include "parsimony/cluster/result.hpp"
#include "parsimony/core/context.hpp"
#include "parsimony/core/csr.hpp"
#include "parsimony/core/options.hpp"
#include "parsimony/graph/laplacian.hpp"

namespace parsimony::cluster {

struct FilteredOptions {
  std::int64_t clusters = 8;                                          ///< k, exactly
  graph::LaplacianKind laplacian = graph::LaplacianKind::normalized;  ///< the paper's
  double regularization = -1;  ///< τ ≥ 0 in units of degree; −1: graph::automatic_regularization
  /// d; 0: round(4 ln N), up to a whole cache line (16) of signals: of the order that the theorem asks for,
  /// d ≥ (4 + 2 β)/(ε²/2 − ε³/3) ln N, whose constants promise far more than k-means needs
  std::int64_t features = 0;
  int order = 50;  ///< p, as in compressive clustering
  /// ε: d, p and the cut-off are those that keep the distances of spectral clustering within 1 ± ε (see
  /// spectral/distance_error.hpp); 0: they are the ones above
  double error = 0;
  double failure_probability = 0.05;  ///< of a pair of nodes to be outside of 1 ± ε
  LambdaMethod lambda_method = LambdaMethod::moments;
  double lambda_k = 0;  ///< the cut-off λ_k, known from an earlier run on nearly the same graph; 0: found
  int restarts = 5;     ///< of k-means on a part of the rows; the best then starts the run on all. With
                        ///< exchanges (core/kmeans.hpp) 1, 5 and 20 end within .0001 ARI of each other
  std::int64_t max_memory = 0;           ///< bytes beside the graph; above it the run is refused; 0: no limit
  Refinement refine = Refinement::none;  ///< none or moves: k-means sees all rows already
  std::uint64_t seed = 0;
};

template <OptionsOf<FilteredOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(Field{"clusters", "number of clusters k", 1, 1 << 30}, options.clusters);
  visit(Field{"laplacian", "normalized or combinatorial"}, options.laplacian);
  visit(Field{"regularization", "tau added to the degrees; -1: automatic", -1, 1e30}, options.regularization);
  visit(Field{"features", "random signals d; 0: round(4 ln N)", 0, 1 << 20}, options.features);
  visit(Field{"order", "degree p of the Jackson-Chebyshev filter", 1, 100000}, options.order);
  visit(Field{"error", "keep distances within 1 +- this by choosing features and order; 0: do not", 0, 0.999},
        options.error);
  visit(Field{"failure_probability", "of a pair of nodes to be outside of it", 1e-300, 0.999},
        options.failure_probability);
  visit(Field{"lambda_method", "how lambda_k is found"}, options.lambda_method);
  visit(Field{"lambda_k", "the cut-off lambda_k of an earlier run; 0: found anew", 0, 1e30},
        options.lambda_k);
  visit(Field{"restarts", "runs of k-means that choose the start", 1, 10000}, options.restarts);
  visit(Field{"max_memory", "bytes the run may use; 0: no limit", 0, 9e18}, options.max_memory);
  visit(Field{"refine", "what follows: nothing, Lloyd on all rows (compressive only), local moves"},
        options.refine);
  visit(Field{"seed", "seed of all randomness"}, options.seed);
}

/// adjacency: symmetric, no self loops (see graph::Graph). The rows of the N × d features h(L) R, each
/// divided by its norm where L is normalised, stand for the rows of the first k eigenvectors, and k-means on
/// all of them gives the labels: no sample, nothing to assign afterwards. Exactly `clusters` non-empty
/// clusters; nodes without edges are no points of k-means and join the smallest one. With as many clusters as
/// nodes with edges, or a graph of several components, as compressive_spectral_clustering.
///
/// The paper draws the restarts of k-means on all rows. Here they run on 50 rows a cluster (and at least
/// 1000), drawn without replacement, and Lloyd's iterations on all rows start from the best of them: the
/// same minimum at a fraction of the time.
///
/// With error = ε > 0 the eigenvalues λ_k and λ_{k+1} are taken where the estimated count passes k − ½ and
/// k + ½, and what spectral::plan_distances says of them is done, with a filter of at most four times
/// `order`. For each pair of rows, before they are normalised, at least half the mean distance apart, the
/// distance is then within 1 ± ε but with failure_probability, if no eigenvalue lies between the two
/// estimates. Figures: distance_kept (false: the gap is too narrow for the order, and a warning is logged),
/// spectral_gap, filter_error_pass, filter_error_stop, filter_order, and distance_error, the root mean square
/// of the relative error of 1000 random pairs as measured against a filter of twice the order and twice as
/// many fresh signals, whose own noise makes it some fifth too large. initial: a warm start, as in
/// compressive_spectral_clustering.
///
/// Time O(p · E · (16 + d)) and O(N k d) for each iteration of k-means; 4 (3 d + 16) N bytes for d ≤ 64. The
/// same seed and SIMD target give the same labels for any thread count. Throws invalid_argument (options out
/// of range, more clusters than nodes, features given beside error, degrees that float32 cannot hold),
/// memory_limit, cancelled.
ClusterResult filtered_spectral_clustering(CsrView adjacency, const FilteredOptions& options = {},
                                           const Context& context = Context{},
                                           std::span<const std::int32_t> initial = {});

/// Peak bytes that the call above needs beside the graph itself.
std::int64_t estimate_memory(CsrView adjacency, const FilteredOptions& options,
                             int threads = default_thread_count());

}  // namespace parsimony::cluster
