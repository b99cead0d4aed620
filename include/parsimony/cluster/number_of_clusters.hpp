// The number of clusters of a graph: the k whose clusters come out the same from independent random signals
// [tremblay2016accelerated].
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "parsimony/cluster/fields.hpp"
#include "parsimony/core/context.hpp"
#include "parsimony/core/csr.hpp"
#include "parsimony/core/options.hpp"
#include "parsimony/core/report.hpp"
#include "parsimony/graph/laplacian.hpp"
#include "parsimony/spectral/density.hpp"

namespace parsimony::cluster {

struct NumberOfClustersOptions {
  std::int64_t min_clusters = 2;  ///< raise it when a coarse level of a hierarchy hides the level you want
  std::int64_t max_clusters = 0;  ///< 0: a tenth of the nodes with edges, at most 200
  std::int64_t candidates = 20;   ///< numbers tried; the whole range if it has no more
  std::int64_t features = 16;     ///< d, random signals of one realisation; 2 d are filtered
  std::int64_t splits = 5;  ///< pairs of realisations for the best candidates; more make the choice surer
  /// Nodes clustered for the comparison; 0: 20 max_clusters, at least 1000 and at most 4000.
  std::int64_t samples = 0;
  int order = 50;  ///< p, as in clustering
  graph::LaplacianKind laplacian = graph::LaplacianKind::normalized;
  double regularization = -1;  ///< τ ≥ 0 in units of degree; −1: graph::automatic_regularization
  std::uint64_t seed = 0;
};

template <OptionsOf<NumberOfClustersOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(Field{"min_clusters", "fewest clusters to consider", 2, 1 << 30}, options.min_clusters);
  visit(Field{"max_clusters", "most clusters to consider; auto: a tenth of the nodes, at most 200", 2,
              1 << 30, "auto", 0},
        options.max_clusters);
  visit(Field{"candidates", "numbers of clusters tried", 3, 10000}, options.candidates);
  visit(Field{"features", "random signals d of one realisation", 1, 1 << 20}, options.features);
  visit(Field{"splits", "pairs of realisations compared", 2, 10000}, options.splits);
  visit(Field{"samples", "nodes compared; auto: 20 max_clusters, 1000 to 4000", 1, 1 << 30, "auto", 0},
        options.samples);
  visit(fields::order, options.order);
  visit(fields::laplacian, options.laplacian);
  visit(fields::regularization, options.regularization);
  visit(kSeedField, options.seed);
}

/// Measurements for one number of clusters.
struct ClusterCandidate {
  std::int64_t clusters = 0;
  double lambda_k = 0;        ///< cut-off of its filter
  double gap = 0;             ///< width of the gap of eigenvalues at this number, in units of λ
  double stability = 0;       ///< mean agreement of two realisations: 0 for chance, 1 for the same clusters
  double standard_error = 0;  ///< standard error of `stability`; a low estimate, as the pairs share signals
};

struct ClusterChoice {
  std::int64_t clusters = 0;  ///< the number chosen
  double lambda_k = 0;        ///< its cut-off; as option lambda_k of a method it saves finding it again
  std::vector<ClusterCandidate> candidates;          ///< those tried, ascending
  std::optional<spectral::SpectralDensity> density;  ///< density of the eigenvalues, with λ_k of every k
  Report report;
};

/// Chooses the number of clusters of a graph. adjacency: see graph::Graph.
///
/// If a graph has k clusters, k-means finds them from any random signals. With fewer clusters it is chance
/// which of them are united; with more, which are cut. So two realisations of the filtered signals are
/// clustered for each candidate k, and the agreement of their clusters measures how stable k is. The most
/// stable k is chosen. Among numbers that are as stable within a standard error of the difference, the gap
/// decides: λ(k + ½ + s)/λ(k + ½ − s) − 1, with s the standard error of the estimated count of eigenvalues
/// (at least ½), is large if no eigenvalue lies above the k-th. The gap alone is off by as many as s, and
/// stability alone takes any of several levels of a hierarchy. If a coarse level is clearer than the fine
/// one, the coarse level is chosen; min_clusters excludes it.
///
/// Agreement is the mean over the clusters of the largest Jaccard index with a cluster of the other
/// realisation [hennig2007clusterwise], scaled so that random even clusters have 0 for any k. The paper's
/// adjusted Rand index counts pairs of nodes and does not notice a surplus cluster of a few outliers: on
/// block models of 50 blocks it chose 51 to 53 on four seeds of ten, where this index chose 50.
///
/// Departures from the paper:
/// - One Chebyshev recurrence serves all candidates and counts the eigenvalues too. Its terms are kept on n
///   sampled nodes, where a filter of any cut-off is a sum of them; the sample is clustered and compared. The
///   signals are ±1.
/// - A realisation is d of the 4 d / 3 signals (rounded up to a whole cache line), drawn anew for each pair,
///   so that two realisations share half of their signals. This raises the stability of every number a
///   little; with at most d / 2 signals of its own, a realisation of 100 clusters would often unite two of
///   them.
/// - If the range holds more numbers than `candidates`, the first tried are a third of them on a geometric
///   grid and the number of the widest gap; then those half way to the neighbours of the most stable one.
/// - Two pairs on 400 nodes (8 k, if that is more) rank the candidates; `splits` pairs on 1000 nodes (20 k)
///   decide between the best one and its neighbours, up to two away.
///
/// O(order · E · d) time and, for each candidate, 4 · iterations · n k d, for the last few 2 splits ·
/// iterations · n k d; 6 (order + 1) n d bytes and two panels of N × 4 d / 3 floats, at most 64. The same for
/// any number of threads. Throws invalid_argument (options out of range, min_clusters above max_clusters, at
/// most min_clusters nodes with edges, fewer samples than max_clusters, an unsound graph: see
/// graph::check_graph) and cancelled.
ClusterChoice choose_number_of_clusters(CsrView adjacency, const NumberOfClustersOptions& options = {},
                                        const Context& context = Context{});

/// Peak bytes that the call above needs beside the graph.
std::int64_t estimate_memory(CsrView adjacency, const NumberOfClustersOptions& options,
                             const Context& context = Context{});

}  // namespace parsimony::cluster
