#include "parsimony/core/kmeans.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <mutex>
#include <utility>

#include "core/count_of.hpp"
#include "core/kmeans/kmeans_exchange.hpp"
#include "core/kmeans/kmeans_seeding.hpp"
#include "core/kmeans/lloyd.hpp"
#include "kernels/assigned_points.hpp"
#include "kernels/nearest_centroid.hpp"
#include "parsimony/core/error.hpp"

namespace parsimony {
namespace {

constexpr std::int64_t kBlock = 16 * kernels::kTile;
constexpr std::int64_t kFewPoints =
    1 << 15;  // below: one thread per restart; above: all threads on one restart

constexpr double kWorthwhile = 1e-6;  // times the objective; an exchange that gains less is rounding

// Throws with the first row that accept() refuses.
template <class Accept>
void check_rows(std::int64_t rows, const Context& context, const Accept& accept, std::string_view what) {
  std::vector<std::int64_t> first((rows + kBlock - 1) / kBlock, rows);
  context.for_blocks(rows, kBlock, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      if (!accept(i)) {
        first[begin / kBlock] = i;
        return;
      }
    }
  });
  const auto bad = rows == 0 ? rows : *std::min_element(first.begin(), first.end());
  if (bad < rows) refuse(fmt::format("k-means: row {} of {}", bad, what));
}

std::vector<float> column_means(MatrixView<const float> points, const Context& context) {
  const std::int64_t block = std::max(kBlock, points.rows / 64 + 1);
  Matrix<double> partial((points.rows + block - 1) / block, points.cols);
  context.for_blocks(points.rows, block, [&](std::int64_t begin, std::int64_t end) {
    const auto sum = partial.row(begin / block);
    for (std::int64_t i = begin; i < end; ++i) {
      const float* x = points.row_data(i);
      for (std::int64_t j = 0; j < points.cols; ++j) sum[j] += x[j];
    }
  });
  std::vector<float> mean(points.cols);
  for (std::int64_t j = 0; j < points.cols; ++j) {
    double sum = 0;
    for (std::int64_t b = 0; b < partial.rows(); ++b) sum += partial(b, j);
    mean[j] = static_cast<float>(sum / static_cast<double>(points.rows));
  }
  return mean;
}

void check_points(MatrixView<const float> points, std::string_view what, const Context& context) {
  if (points.cols < 1) refuse(fmt::format("k-means: {} have no columns; at least 1 is needed", what));
  if (points.rows > std::numeric_limits<std::int32_t>::max()) {
    refuse(fmt::format("k-means: {} {} are too many; at most 2^31 - 1 fit", points.rows, what));
  }
  // Squares of differences, and their sums, must stay finite in float32.
  const float limit = 1e18f / std::sqrt(static_cast<float>(points.cols));
  check_rows(
      points.rows, context,
      [&](std::int64_t i) {
        const auto row = points.row(i);
        return std::all_of(row.begin(), row.end(), [&](float v) { return std::abs(v) <= limit; });
      },
      fmt::format("{} has a coordinate that is not finite or above {:.1e}; remove or rescale it", what,
                  limit));
}

// Continues a run: the state of `after` replaces its state, and the history grows.
void append(LloydResult& run, LloydResult after) {
  run.history.insert(run.history.end(), after.history.begin(), after.history.end());
  after.history = std::move(run.history);
  after.iterations += run.iterations;
  after.evaluated += run.evaluated;
  run = std::move(after);
}

Matrix<float> shifted(MatrixView<const float> rows, std::span<const float> shift, float sign) {
  Matrix<float> out(rows.rows, rows.cols);
  for (std::int64_t r = 0; r < rows.rows; ++r) {
    for (std::int64_t j = 0; j < rows.cols; ++j) out(r, j) = rows(r, j) + sign * shift[j];
  }
  return out;
}

}  // namespace

KMeansResult kmeans(MatrixView<const float> points, std::span<const float> weights,
                    const KMeansOptions& options, const Context& context) {
  return kmeans(points, weights, options, MatrixView<const float>{}, context);
}

KMeansResult kmeans(MatrixView<const float> points, std::span<const float> weights,
                    const KMeansOptions& options, MatrixView<const float> initial, const Context& context) {
  validate_fields(options);
  const std::int64_t n = points.rows, k = options.clusters;
  if (n < k)
    refuse(fmt::format("k-means: {} cannot fill {}; ask for at most {}", count_of(n, "point"),
                       count_of(k, "cluster"), n));
  if (!weights.empty() && std::ssize(weights) != n) {
    refuse(fmt::format("k-means: {} for {}; give one each, or none", count_of(weights.size(), "weight"),
                       count_of(n, "point")));
  }
  if (initial.rows != 0 && (initial.rows != k || initial.cols != points.cols)) {
    refuse(fmt::format("k-means: initial centroids are {} x {}; must be {} x {}", initial.rows, initial.cols,
                       k, points.cols));
  }
  KMeansResult out;
  out.report = make_report("kmeans", context, options.seed);
  record_options(out.report, options);

  StageTimer check(out.report, "check");
  check_points(points, "points", context);
  if (initial.rows) check_points(initial, "initial centroids", context);
  if (!weights.empty()) {
    check_rows(
        n, context, [&](std::int64_t i) { return weights[i] >= 0 && std::isfinite(weights[i]); },
        "weights is not a finite number of at least 0");
    if (std::none_of(weights.begin(), weights.end(), [](float w) { return w > 0; })) {
      refuse("k-means: all weights are 0; at least one must be positive");
    }
  }
  const std::vector<float> shift = column_means(points, context);
  check.finish();

  StageTimer runs(out.report, "restarts");
  const LloydProblem problem{points, weights, shift, options.max_iterations, options.tolerance};
  const std::int64_t restarts = initial.rows ? 1 : options.restarts;
  LloydResult best;
  std::int64_t best_restart = -1, evaluated = 0, assignments = 0, done = 0;
  std::mutex mutex;
  const auto run = [&](std::int64_t restart) {
    Matrix<float> seeds = initial.rows
                              ? shifted(initial, shift, -1)
                              : seed_centroids(points, weights, shift, k, options.seed, restart, context);
    LloydResult result = lloyd(problem, std::move(seeds), context);
    for (int round = 0; round < options.exchanges; ++round) {
      auto centroids = exchange_clusters(points, weights, shift, result.labels, k,
                                         kWorthwhile * result.history.back(), context);
      if (!centroids) break;
      append(result, lloyd(problem, std::move(*centroids), context));
    }
    const std::lock_guard lock(mutex);
    evaluated += result.evaluated;
    assignments += std::ssize(result.history);
    const double objective = result.history.back();
    if (best_restart < 0 || objective < best.history.back() ||
        (objective == best.history.back() && restart < best_restart)) {
      best = std::move(result);
      best_restart = restart;
    }
    context.progress("k-means", ++done, restarts);
  };
  if (n < kFewPoints) {
    context.for_blocks(restarts, 1, [&](std::int64_t restart, std::int64_t) { run(restart); });
  } else {
    for (std::int64_t restart = 0; restart < restarts; ++restart) run(restart);
  }
  runs.finish();

  out.centroids = shifted(best.centroids, shift, 1);
  out.labels = std::move(best.labels);
  out.objective = best.history.back();
  out.report.status = best.converged ? Status::converged : Status::iteration_limit;
  out.report.iterations = best.iterations;
  out.report.objective_history = std::move(best.history);
  out.report.figures.emplace_back("restart", best_restart);
  out.report.figures.emplace_back(
      "compared", static_cast<double>(evaluated) /
                      (static_cast<double>(assignments) * static_cast<double>(n) * static_cast<double>(k)));
  return out;
}

std::vector<std::int32_t> nearest_centroids(MatrixView<const float> points, MatrixView<const float> centroids,
                                            std::span<float> distances, const Context& context) {
  if (centroids.rows < 1 || centroids.cols != points.cols) {
    refuse(fmt::format(
        "nearest centroids: {} of {} for points of {}; there must be at least one, as wide as the points",
        count_of(centroids.rows, "centroid"), count_of(centroids.cols, "column"), points.cols));
  }
  if (!distances.empty() && std::ssize(distances) != points.rows) {
    refuse(fmt::format("nearest centroids: room for {} of {}; give all or none",
                       count_of(distances.size(), "distance"), count_of(points.rows, "point")));
  }
  check_points(points, "points", context);
  check_points(centroids, "centroids", context);
  const std::int64_t d = points.cols;
  const std::vector<float> shift = column_means(centroids, context);
  const Matrix<float> centers = shifted(centroids, shift, -1);
  const std::vector<float> norms = half_norms(centers);
  std::vector<std::int32_t> labels(points.rows);
  context.for_blocks(points.rows, kBlock, [&](std::int64_t begin, std::int64_t end) {
    const kernels::PointRows rows{points.row_data(begin), points.stride, d, shift.data()};
    const std::int64_t tiles = (end - begin + kernels::kTile - 1) / kernels::kTile;
    Matrix<float> packed(kBlock, d);
    std::array<float, kBlock> best, second;
    std::array<std::int32_t, kBlock> nearest;
    kernels::pack_tiles(rows, end - begin, packed.data());
    kernels::nearest_centroid(packed.data(), tiles, d, centers.data(), norms.data(), centers.rows(),
                              nearest.data(), best.data(), second.data());
    std::copy_n(nearest.data(), end - begin, labels.data() + begin);
    if (!distances.empty()) {
      kernels::assigned_distances(rows, end - begin, centers.data(), nearest.data(), distances.data() + begin,
                                  second.data());
    }
  });
  return labels;
}

}  // namespace parsimony
