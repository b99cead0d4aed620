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
  int restarts = 1;               ///< the run of lowest objective is kept
  int max_iterations = 100;       ///< Lloyd iterations per restart
  double tolerance = 1e-4;        ///< stop when the objective falls by less than this fraction of itself
  std::uint64_t seed = 0;
};

template <OptionsOf<KMeansOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(Field{"clusters", "number of clusters", 1, 1 << 30}, options.clusters);
  visit(Field{"restarts", "runs from fresh seeds, the best is kept", 1, 10000}, options.restarts);
  visit(Field{"max_iterations", "Lloyd iterations per restart", 0, 1e6}, options.max_iterations);
  visit(Field{"tolerance", "relative decrease of the objective to stop at", 0, 1}, options.tolerance);
  visit(Field{"seed", "seed of all randomness"}, options.seed);
}

struct KMeansResult {
  Matrix<float> centroids;           ///< clusters × d
  std::vector<std::int32_t> labels;  ///< per point, every cluster non-empty
  double objective = 0;              ///< Σ w_i ‖x_i − c(label_i)‖²
  Report report;
};

/// points: n × d float32. weights: n values of at least 0, or empty for all ones.
KMeansResult kmeans(MatrixView<const float> points, std::span<const float> weights, const KMeansOptions& options = {},
                    const Context& context = Context{});

/// Index of the nearest row of centroids (clusters × d) for every point; ties go to the smaller index.
/// distances, when not empty, receives the n squared distances.
std::vector<std::int32_t> nearest_centroids(MatrixView<const float> points, MatrixView<const float> centroids,
                                            std::span<float> distances = {}, const Context& context = Context{});

}  // namespace parsimony
