// How many clusters a graph has: the k whose clusters come out the same from independent random signals
// [tremblay2016accelerated].
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "parsimony/core/context.hpp"
#include "parsimony/core/csr.hpp"
#include "parsimony/core/options.hpp"
#include "parsimony/core/report.hpp"
#include "parsimony/graph/laplacian.hpp"
#include "parsimony/spectral/density.hpp"

namespace parsimony::cluster {

struct NumberOfClustersOptions {
  std::int64_t min_clusters = 2;
  std::int64_t max_clusters = 0;  ///< 0: a tenth of the nodes with edges, at most 200
  std::int64_t candidates = 20;   ///< numbers tried; all of the range where it has no more
  std::int64_t features = 16;     ///< d, random signals of one realisation; 2 d are filtered
  std::int64_t splits = 5;        ///< pairs of realisations for the best candidates
  std::int64_t samples =
      0;           ///< nodes clustered for the comparison; 0: 20 max_clusters, 1000 at least, 4000 at most
  int order = 50;  ///< p, as in clustering
  graph::LaplacianKind laplacian = graph::LaplacianKind::normalized;
  double regularization = -1;  ///< τ ≥ 0 in units of degree; −1: graph::automatic_regularization
  std::uint64_t seed = 0;
};

template <OptionsOf<NumberOfClustersOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(Field{"min_clusters", "fewest clusters to consider", 2, 1 << 30}, options.min_clusters);
  visit(Field{"max_clusters", "most clusters to consider; 0: a tenth of the nodes, at most 200", 0, 1 << 30},
        options.max_clusters);
  visit(Field{"candidates", "numbers of clusters tried", 3, 10000}, options.candidates);
  visit(Field{"features", "random signals d of one realisation", 1, 1 << 20}, options.features);
  visit(Field{"splits", "pairs of realisations compared", 2, 10000}, options.splits);
  visit(Field{"samples", "nodes compared; 0: 20 max_clusters, 1000 to 4000", 0, 1 << 30}, options.samples);
  visit(Field{"order", "degree p of the Jackson-Chebyshev filter", 1, 100000}, options.order);
  visit(Field{"laplacian", "normalized or combinatorial"}, options.laplacian);
  visit(Field{"regularization", "tau added to the degrees; -1: automatic", -1, 1e30}, options.regularization);
  visit(Field{"seed", "seed of all randomness"}, options.seed);
}

/// What was found for one number of clusters.
struct ClusterCandidate {
  std::int64_t clusters = 0;
  double lambda_k = 0;        ///< cut-off of its filter
  double gap = 0;             ///< how wide the count of eigenvalues stays about this number, in units of λ
  double stability = 0;       ///< mean agreement of two realisations: 0 for chance, 1 for the same clusters
  double standard_error = 0;  ///< of the mean over the pairs; they share signals, so it is a low estimate
};

struct ClusterChoice {
  std::int64_t clusters = 0;  ///< the number chosen
  double lambda_k = 0;        ///< of that number; as the option lambda_k of the run it saves finding it anew
  std::vector<ClusterCandidate> candidates;          ///< those tried, ascending
  std::optional<spectral::SpectralDensity> density;  ///< of the eigenvalues: λ_k of every k was read off it
  Report report;
};

/// adjacency: symmetric, no self loops (see graph::Graph).
///
/// The clusters that a graph has come out of k-means whatever the random signals were; with fewer, which of
/// them are united is left to chance, with more, which are cut. So two realisations of the filtered signals
/// are clustered for each candidate k, and how far their clusters agree measures how stable k is. The most
/// stable k is chosen. Where others are as stable within a standard error of the difference, the gap decides:
/// λ(k + ½ + s)/λ(k + ½ − s) − 1, s the standard error of the estimated count of eigenvalues (at least ½), is
/// wide where no eigenvalue lies above the k-th. Alone it is off by as many as s; alone, stability takes any
/// of several levels of a hierarchy. What a coarse level shows more clearly than the fine one is chosen at
/// the coarse level: min_clusters leaves it out.
///
/// Agreement is the mean over the clusters of the largest Jaccard index with a cluster of the other
/// realisation [hennig2007clusterwise], scaled so that random even clusters have 0 whatever k is. The paper's
/// adjusted Rand index counts pairs of nodes and does not notice a surplus cluster of a few outliers: on
/// block models of 50 blocks it chose 51 to 53 on four seeds of ten, where this one chose 50.
///
/// Departs from the paper:
/// - One Chebyshev recurrence serves all candidates, and counts the eigenvalues too: its terms are kept on n
///   sampled nodes, where a filter of any cut-off is a sum of them, and the sample is what is clustered and
///   compared. The signals are of ±1.
/// - A realisation is d of the 4 d / 3 signals (rounded up to a whole cache line), drawn anew for each pair,
///   so that two share half of their own. What they share raises the stability of every number a little; with
///   no more than d / 2 signals of its own each, a realisation of 100 clusters would often unite two.
/// - Where the range holds more numbers than `candidates`, the first tried are a third on a geometric grid
/// and
///   the one of the widest gap; then those half way to the neighbours of the most stable one.
/// - Two pairs on 400 nodes rank the candidates (8 k, where that is more); `splits` pairs on 1000 (20 k)
/// decide
///   between the best one and its neighbours, up to two away.
///
/// O(order · E · d) time and, for each candidate, 4 · iterations · n k d, for the last few 2 splits ·
/// iterations · n k d; 6 (order + 1) n d bytes and two panels of N × 4 d / 3 floats, at most 64. The same for
/// any number of threads. Throws invalid_argument (options out of range, min_clusters above max_clusters,
/// fewer than min_clusters + 1 nodes with edges, fewer samples than max_clusters) and cancelled.
ClusterChoice choose_number_of_clusters(CsrView adjacency, const NumberOfClustersOptions& options = {},
                                        const Context& context = Context{});

/// Peak bytes that the call above needs beside the graph itself.
std::int64_t estimate_memory(CsrView adjacency, const NumberOfClustersOptions& options);

}  // namespace parsimony::cluster
