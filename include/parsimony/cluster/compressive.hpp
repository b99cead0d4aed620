// Compressive spectral clustering [tremblay2016compressive]: k clusters of a graph without eigenvectors.
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

/// How the labels of the sampled nodes reach all nodes.
enum class Assignment {
  interpolate,  ///< as in the paper: k regularised least-squares problems with the high-pass g(L)
  filter,       ///< the k indicators of the sample pass the low-pass filter once
  nearest       ///< the nearest centroid in the space of the random features
};

constexpr auto names_of(Assignment) {
  using enum Assignment;
  return enum_names<Assignment>({{interpolate, "interpolate"}, {filter, "filter"}, {nearest, "nearest"}});
}

enum class Sampling {
  uniform,  ///< every node with the same probability, without replacement
  energy  ///< in proportion to the energy of a node's row of filtered signals, an estimate of ‖U_kᵀδ_i‖²
};

constexpr auto names_of(Sampling) {
  using enum Sampling;
  return enum_names<Sampling>({{uniform, "uniform"}, {energy, "energy"}});
}

struct CompressiveOptions {
  std::int64_t clusters = 8;  ///< k, exactly
  /// As in the paper's experiments. Change it only for graphs whose degrees are all alike.
  graph::LaplacianKind laplacian = graph::LaplacianKind::normalized;
  /// τ ≥ 0 in units of degree; −1: graph::automatic_regularization. Raise it when single nodes with few edges
  /// become clusters.
  double regularization = -1;
  /// d; 0: round(4 ln samples) as the authors, rounded up to a whole cache line (16) of signals. Raise it
  /// when runs with other seeds merge different clusters.
  std::int64_t features = 0;
  /// n, at least k (all nodes with edges where these are fewer); 0: round(2 k ln k) as the authors, but at
  /// least 20 k and 1000. Raise it for clusters that are not round.
  std::int64_t samples = 0;
  /// p, the authors' value. The step of the filter falls from 0.9 to 0.1 over 2 to 4 lambda_max / p: raise it
  /// for graphs whose low eigenvalues lie close together, such as neighbour graphs and meshes.
  int order = 50;
  Assignment assign = Assignment::nearest;  ///< within .01 ARI of `interpolate` at a hundredth of the time
  Sampling sampling = Sampling::uniform;    ///< the authors' default
  LambdaMethod lambda_method = LambdaMethod::moments;
  double lambda_k = 0;  ///< cut-off λ_k of an earlier run on nearly the same graph; 0: found anew
  int restarts = 20;    ///< runs of k-means on the sample; the authors' value
  /// ε > 0: choose d, p, n and the cut-off by the theorems that keep distances and low-pass signals within 1
  /// ± ε, as filtered_spectral_clustering does. 0: use the fields above.
  double error = 0;
  double failure_probability = 0.05;     ///< probability that a pair of nodes, or the sample, misses 1 ± ε
  Refinement refine = Refinement::none;  ///< work after the paper's method; none returns its own result
  std::uint64_t seed = 0;
};

template <OptionsOf<CompressiveOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(fields::clusters, options.clusters);
  visit(fields::laplacian, options.laplacian);
  visit(fields::regularization, options.regularization);
  visit(fields::features, options.features);
  visit(fields::samples, options.samples);
  visit(fields::order, options.order);
  visit(fields::assign, options.assign);
  visit(fields::sampling, options.sampling);
  visit(fields::lambda_method, options.lambda_method);
  visit(fields::lambda_k, options.lambda_k);
  visit(fields::restarts, options.restarts);
  visit(fields::error, options.error);
  visit(fields::failure_probability, options.failure_probability);
  visit(fields::refine, options.refine);
  visit(kSeedField, options.seed);
}

/// Clusters a graph into exactly `clusters` non-empty clusters. adjacency: see graph::Graph.
/// - Nodes without edges are never counted or sampled; all of them join the smallest cluster. With assign =
///   filter or interpolate, nodes that no sampled node reaches within the filter's order join it too.
/// - A cluster that the assignment left empty takes back a node that k-means had given it.
/// - With at least as many clusters as nodes with edges, each of these is a cluster, then single isolated
///   nodes are.
/// - A disconnected graph is clustered as a whole. With τ = 0 its components are the lowest eigenvectors: k
///   components are the clusters without further work (λ_k is 0); a smaller k merges components, a larger one
///   also cuts them. context.on_log receives their number.
///
/// With error = ε > 0, d, p and the cut-off are chosen as filtered_spectral_clustering says, with its
/// figures, and n is that of the sampling theorem (spectral::theorem_samples) for the coherence measured, at
/// most all nodes: figures coherence and samples_of_theorem.
///
/// Time O(p · E · (16 + d)) and 4 (3 d + 16) N bytes for d ≤ 64 by assign = nearest; `filter` adds p · k · E,
/// and `interpolate` ten to twenty times that. The same seed and SIMD target give the same labels for any
/// thread count. Throws invalid_argument (options out of range, more clusters than nodes, an unsound graph:
/// see graph::check_graph, degrees that float32 cannot hold: see graph::make_laplacian), memory_limit and
/// cancelled.
ClusterResult compressive_spectral_clustering(CsrView adjacency, const CompressiveOptions& options = {},
                                              const Context& context = Context{});

/// A warm start. initial: for every node its cluster in an earlier run on nearly the same graph, or −1 for a
/// new node. k-means then sees all nodes (unless samples says how many), starts from the mean features of
/// those clusters and runs once, so that clusters keep their numbers. With the lambda_k of the earlier run no
/// density is computed, and one filter pass remains, as in [martin2018fast], which also keeps a part of the
/// earlier features. Empty: no warm start. Throws invalid_argument when `initial` does not fit the nodes, or
/// a cluster has no node with edges.
ClusterResult compressive_spectral_clustering(CsrView adjacency, const CompressiveOptions& options,
                                              std::span<const std::int32_t> initial,
                                              const Context& context = Context{});

/// Peak bytes that the call above needs beside the graph: within a tenth of the measured peak for the
/// defaults, never far below it.
std::int64_t estimate_memory(CsrView adjacency, const CompressiveOptions& options,
                             const Context& context = Context{});

}  // namespace parsimony::cluster
