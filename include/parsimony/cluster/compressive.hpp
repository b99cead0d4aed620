// Compressive spectral clustering [tremblay2016compressive]: k clusters of a graph without eigenvectors.
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

/// How the labels of the sampled nodes reach all nodes.
enum class Assignment {
  interpolate,  ///< the paper's: k regularised least-squares problems with the high-pass g(L)
  filter,       ///< the k indicators of the sample through the low-pass filter once
  nearest       ///< the nearest centroid in the space of the random features
};

constexpr auto names_of(Assignment) {
  using enum Assignment;
  return enum_names<Assignment>({{interpolate, "interpolate"}, {filter, "filter"}, {nearest, "nearest"}});
}

enum class Sampling {
  uniform,  ///< every node alike, without replacement
  energy  ///< in proportion to the energy of the row of the filtered signals, an estimate of ‖U_kᵀδ_i‖²
};

constexpr auto names_of(Sampling) {
  using enum Sampling;
  return enum_names<Sampling>({{uniform, "uniform"}, {energy, "energy"}});
}

struct CompressiveOptions {
  std::int64_t clusters = 8;                                          ///< k, exactly
  graph::LaplacianKind laplacian = graph::LaplacianKind::normalized;  ///< the paper's experiments'
  double regularization = -1;  ///< τ ≥ 0 in units of degree; −1: graph::automatic_regularization
  std::int64_t features =
      0;  ///< d; 0: round(4 ln samples) as the authors, up to a whole cache line (16) of signals
  /// n, at least k (all nodes with edges where they are fewer); 0: round(2 k ln k) as the authors, but at
  /// least 20 k and 1000
  std::int64_t samples = 0;
  int order = 50;  ///< p, the authors' value: the step falls from .9 to .1 over 2 to 4 lambda_max / p
  Assignment assign = Assignment::nearest;  ///< within .01 ARI of `interpolate` and a hundred times cheaper
  Sampling sampling = Sampling::uniform;    ///< the authors' default
  LambdaMethod lambda_method = LambdaMethod::moments;
  double lambda_k = 0;  ///< the cut-off λ_k, known from an earlier run on nearly the same graph; 0: found
  int restarts = 20;    ///< of k-means on the sample; the authors' value
  /// ε: d, p, n and the cut-off are those of the theorems for distances and low-pass signals within 1 ± ε, as
  /// for filtered_spectral_clustering; 0: they are the ones above
  double error = 0;
  double failure_probability = 0.05;  ///< of a pair of nodes, and of the sample, to be outside of 1 ± ε
  std::int64_t max_memory =
      0;  ///< bytes beside the graph; above it the run is refused before it starts; 0: no limit
  Refinement refine = Refinement::none;  ///< after the paper's method; its own result by default
  std::uint64_t seed = 0;
};

template <OptionsOf<CompressiveOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(Field{"clusters", "number of clusters k", 1, 1 << 30}, options.clusters);
  visit(Field{"laplacian", "normalized or combinatorial"}, options.laplacian);
  visit(Field{"regularization", "tau added to the degrees; -1: automatic", -1, 1e30}, options.regularization);
  visit(Field{"features", "random signals d; 0: round(4 ln samples)", 0, 1 << 20}, options.features);
  visit(Field{"samples", "nodes that k-means sees; 0: 2 k ln k, at least 20 k and 1000", 0, 1 << 30},
        options.samples);
  visit(Field{"order", "degree p of the Jackson-Chebyshev filter", 1, 100000}, options.order);
  visit(Field{"assign", "how labels reach all nodes"}, options.assign);
  visit(Field{"sampling", "how the sampled nodes are drawn"}, options.sampling);
  visit(Field{"lambda_method", "how lambda_k is found"}, options.lambda_method);
  visit(Field{"lambda_k", "the cut-off lambda_k of an earlier run; 0: found anew", 0, 1e30},
        options.lambda_k);
  visit(Field{"restarts", "runs of k-means on the sample", 1, 10000}, options.restarts);
  visit(Field{"error", "keep distances within 1 +- this by choosing features and order; 0: do not", 0, 0.999},
        options.error);
  visit(Field{"failure_probability", "of a pair of nodes to be outside of it", 1e-300, 0.999},
        options.failure_probability);
  visit(Field{"max_memory", "bytes the run may use; 0: no limit", 0, 9e18}, options.max_memory);
  visit(Field{"refine", "what follows: nothing, Lloyd on all rows (compressive only), local moves"},
        options.refine);
  visit(Field{"seed", "seed of all randomness"}, options.seed);
}

/// adjacency: symmetric, no self loops (see graph::Graph). Every result has exactly `clusters` non-empty
/// clusters:
/// - Nodes without edges are never counted or sampled; all of them join the smallest cluster, and so do, with
///   assign = filter or interpolate, nodes that no sampled node reaches within the filter's order.
/// - A cluster that the assignment left empty takes back a node that k-means had given it.
/// - With as many clusters as nodes with edges, or more, each such node is a cluster, then single isolated
/// nodes.
/// - A disconnected graph is clustered as a whole: with τ = 0 its components are the lowest eigenvectors. k
///   of them are the clusters without further work (λ_k is 0); k below their number merges components and k
///   above it also cuts; context.on_log gets their number.
///
/// Warm start: `initial`, when not empty, has for every node its cluster in an earlier run on nearly the same
/// graph, or −1 for a new node. k-means then sees all nodes (unless samples says how many), starts from the
/// mean features of those clusters and runs once, so that clusters keep their numbers, and with the earlier
/// run's lambda_k no density is taken anew: what is left is one filter pass, as for dynamic graphs
/// [martin2018fast], who also keep a part of the earlier features. Throws invalid_argument when `initial`
/// does not fit the nodes, or one of the clusters has no node with edges.
///
/// With error = ε > 0, d, p and the cut-off are chosen as filtered_spectral_clustering says, with its
/// figures, and n is that of the sampling theorem (spectral::theorem_samples) for the coherence measured, at
/// most all nodes: figures coherence and samples_of_theorem.
///
/// Time O(p · E · (16 + d)) and 4 (3 d + 16) N bytes for d ≤ 64 by assign = nearest, with p · k · E more by
/// `filter` and some ten to twenty times that by `interpolate`. The same seed and SIMD target give the same
/// labels for any thread count. Throws invalid_argument (options out of range, more clusters than nodes),
/// memory_limit, cancelled; invalid_argument as well for degrees that float32 cannot hold (see
/// graph::make_laplacian).
ClusterResult compressive_spectral_clustering(CsrView adjacency, const CompressiveOptions& options = {},
                                              const Context& context = Context{},
                                              std::span<const std::int32_t> initial = {});

/// Peak bytes that the call above needs beside the graph itself: within a tenth of what is measured for the
/// defaults, never far below.
std::int64_t estimate_memory(CsrView adjacency, const CompressiveOptions& options,
                             int threads = default_thread_count());

}  // namespace parsimony::cluster
