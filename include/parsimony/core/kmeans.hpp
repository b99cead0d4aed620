// Weighted k-means: k-means++ seeding, Lloyd's iterations with bounds, several restarts.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "parsimony/core/context.hpp"
#include "parsimony/core/matrix.hpp"
#include "parsimony/core/options.hpp"
#include "parsimony/core/report.hpp"

namespace parsimony {

struct KMeansOptions {
  std::int64_t clusters = 8;
  int restarts = 1;          ///< runs from fresh seeds; the run of lowest objective is kept
  int max_iterations = 100;  ///< Lloyd iterations per restart
  /// Most rounds per restart in which clusters are halved and united and Lloyd's iterations run again. Set it
  /// to about 10 when clusters are well separated and a lower objective is worth a few more iterations.
  int exchanges = 0;
  double tolerance = 1e-4;  ///< stop when the objective falls by less than this fraction of itself
  std::uint64_t seed = 0;
};

template <OptionsOf<KMeansOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(Field{"clusters", "number of clusters", 1, 1 << 30}, options.clusters);
  visit(Field{"restarts", "runs from fresh seeds, the best is kept", 1, 10000}, options.restarts);
  visit(Field{"max_iterations", "Lloyd iterations per restart", 0, 1e6}, options.max_iterations);
  visit(Field{"exchanges", "rounds of halving and uniting clusters per restart", 0, 1e6}, options.exchanges);
  visit(Field{"tolerance", "relative decrease of the objective to stop at", 0, 1}, options.tolerance);
  visit(Field{"seed", "seed of all randomness"}, options.seed);
}

struct KMeansResult {
  Matrix<float> centroids;           ///< clusters × d
  std::vector<std::int32_t> labels;  ///< per point, every cluster non-empty
  double objective = 0;              ///< Σ w_i ‖x_i − c(label_i)‖²
  Report report;
};

/// Weighted k-means of points, n × d float32, 1 ≤ n < 2³¹. weights: n values of at least 0, not all 0, or
/// empty for all ones.
///
/// Seeds by greedy k-means++ [arthur2007kmeans] (on 256 points per cluster where there are more; points of
/// weight 0 are never seeds), then Lloyd's iterations with the bounds of [hamerly2010making], from 128
/// clusters on those of [ding2015yinyang], which change the time and not one bit of the result. An iteration
/// ends with exactly `clusters` non-empty clusters: an emptied cluster takes the point farthest from its
/// centroid among the points of clusters that have several, points with weight first. Values are stored in
/// float32 and summed in float64. The result is the same for any number of threads.
///
/// With exchanges > 0, a run that has converged goes on from centroids where some clusters are halved and
/// others united, if that lowers the objective [kaukoranta1998iterative]; it ends after that many rounds, or
/// when no exchange lowers the objective. This separates true clusters that random seeds leave under one
/// centroid; see exchange_clusters in src/core/kmeans/kmeans_exchange.hpp.
///
/// report: iterations and objective_history of the kept run (non-increasing up to float32 rounding of the
/// centroids, about 1e-13 of it, 1e-8 where an exchange begins); figures "restart", the number of the kept
/// run, and "compared", the fraction of the comparisons of a point with a centroid that the bounds could not
/// settle in all runs.
///
/// O(n k d) time per iteration, less the comparisons that the bounds save. Memory: 12 bytes per point (16 to
/// 24 from 128 clusters on) and up to 8 more while an emptied cluster gets its point, 8 k d for each of at
/// most 64 blocks of at least 4096 points, and the memory of seed_centroids, times the threads where restarts
/// run in parallel (below 32768 points).
///
/// Throws invalid_argument (n < clusters, options out of range, shapes that do not fit, a row with a NaN,
/// infinite or too large coordinate or with a negative or non-finite weight: named) and cancelled.
KMeansResult kmeans(MatrixView<const float> points, std::span<const float> weights,
                    const KMeansOptions& options = {}, const Context& context = Context{});

/// The same as one run that starts from these centroids (clusters × d), a warm start; without rows, as above.
KMeansResult kmeans(MatrixView<const float> points, std::span<const float> weights,
                    const KMeansOptions& options, MatrixView<const float> initial,
                    const Context& context = Context{});

/// Index of the nearest row of centroids (clusters × d) for every point; ties (of float32 scores) go to the
/// smaller index. distances, when not empty, receives the n squared distances. Throws invalid_argument as
/// kmeans does.
std::vector<std::int32_t> nearest_centroids(MatrixView<const float> points, MatrixView<const float> centroids,
                                            std::span<float> distances = {},
                                            const Context& context = Context{});

}  // namespace parsimony
