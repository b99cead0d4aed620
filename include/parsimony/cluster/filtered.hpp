// Accelerated spectral clustering [tremblay2016accelerated]: k-means on filtered random signals of all nodes.
#pragma once

#include <cstdint>
#include <span>

#include "parsimony/cluster/fields.hpp"
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
  graph::LaplacianKind laplacian = graph::LaplacianKind::normalized;  ///< as in the paper
  double regularization = -1;  ///< τ ≥ 0 in units of degree; −1: graph::automatic_regularization
  /// d; 0: round(4 ln N), rounded up to a whole cache line (16) of signals. The theorem asks for d ≥ (4 + 2
  /// β) / (ε²/2 − ε³/3) ln N, the same order with constants that promise far more than k-means needs.
  std::int64_t features = 0;
  int order = 50;  ///< p, as in compressive clustering
  /// ε > 0: choose d, p and the cut-off so that the distances of spectral clustering are kept within 1 ± ε
  /// (see spectral/distance_error.hpp). Set it when distances must be trusted; 0: use the fields above.
  double error = 0;
  double failure_probability = 0.05;  ///< probability that a pair of nodes misses 1 ± ε
  LambdaMethod lambda_method = LambdaMethod::moments;
  double lambda_k = 0;  ///< cut-off λ_k of an earlier run on nearly the same graph; 0: found anew
  /// Runs of k-means on a part of the rows; the best then starts the run on all rows. With exchanges
  /// (core/kmeans.hpp) 1, 5 and 20 runs end within .0001 ARI of each other.
  int restarts = 5;
  Refinement refine = Refinement::none;  ///< none or moves: k-means sees all rows already
  std::uint64_t seed = 0;
};

template <OptionsOf<FilteredOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(fields::clusters, options.clusters);
  visit(fields::laplacian, options.laplacian);
  visit(fields::regularization, options.regularization);
  visit(Field{"features", "random signals d; auto: round(4 ln N)", 1, 1 << 20, "auto", 0}, options.features);
  visit(fields::order, options.order);
  visit(fields::error, options.error);
  visit(fields::failure_probability, options.failure_probability);
  visit(fields::lambda_method, options.lambda_method);
  visit(fields::lambda_k, options.lambda_k);
  visit(fields::restarts, options.restarts);
  visit(fields::refine, options.refine);
  visit(kSeedField, options.seed);
}

/// Clusters a graph into exactly `clusters` non-empty clusters. adjacency: see graph::Graph. The rows of the
/// N × d features h(L) R, each divided by its norm if L is normalised, stand for the rows of the first k
/// eigenvectors. k-means on all rows gives the labels: there is no sample and no assignment afterwards. Nodes
/// without edges are not given to k-means and join the smallest cluster. With at least as many clusters as
/// nodes with edges, and for a graph of several components, see compressive_spectral_clustering.
///
/// The paper draws the restarts of k-means on all rows. Here they run on 50 rows per cluster (at least 1000),
/// drawn without replacement, and Lloyd's iterations on all rows start from the best of them: the same
/// minimum in a fraction of the time.
///
/// With error = ε > 0 the eigenvalues λ_k and λ_{k+1} are read off where the estimated count passes k − ½ and
/// k + ½, and spectral::plan_distances chooses d, p and the cut-off for them, with a filter of at most four
/// times `order`. For each pair of rows, before they are normalised, that are at least half the mean distance
/// apart, the distance is then within 1 ± ε except with failure_probability, if no eigenvalue lies between
/// the two estimates. Figures: distance_kept (false: the gap is too narrow for the order, and a warning is
/// logged), spectral_gap, filter_error_pass, filter_error_stop, filter_order, and distance_error, the root
/// mean square of the relative error of 1000 random pairs, measured against a filter of twice the order and
/// twice as many fresh signals, whose own noise makes it some fifth too large.
///
/// Time O(p · E · (16 + d)) and O(N k d) for each iteration of k-means; 4 (3 d + 16) N bytes for d ≤ 64. The
/// same seed and SIMD target give the same labels for any thread count. Throws invalid_argument (bad options,
/// more clusters than nodes, features given beside error, an unsound graph: see graph::check_graph, degrees
/// that float32 cannot hold), memory_limit and cancelled.
ClusterResult filtered_spectral_clustering(CsrView adjacency, const FilteredOptions& options = {},
                                           const Context& context = Context{});

/// A warm start from the clusters of an earlier run, as in compressive_spectral_clustering; empty: none.
ClusterResult filtered_spectral_clustering(CsrView adjacency, const FilteredOptions& options,
                                           std::span<const std::int32_t> initial,
                                           const Context& context = Context{});

/// Peak bytes that the call above needs beside the graph.
std::int64_t estimate_memory(CsrView adjacency, const FilteredOptions& options,
                             const Context& context = Context{});

}  // namespace parsimony::cluster
