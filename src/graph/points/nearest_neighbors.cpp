#include "parsimony/graph/nearest_neighbors.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>
#include <vector>

#include "core/count_of.hpp"
#include "graph/points/cells.hpp"
#include "graph/points/copies.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/core/kmeans.hpp"
#include "parsimony/core/random.hpp"

namespace parsimony::graph {
namespace {

constexpr std::int64_t kQueriesPerBlock = 2048;
constexpr std::int64_t kPointsPerBlock = 1 << 13;
constexpr std::int64_t kSample = 1000;
constexpr std::int64_t kSpare = 4;  // candidates beyond k: float32 rounding may order near ties wrongly
constexpr double kExactPairs = 0x1p31;
constexpr float kSmall = 0x1p-20F;   // points whose largest coordinate is below it are scaled up
constexpr int kScaledExponent = 40;  // exponent of the largest coordinate after scaling: no square overflows

double squared_norm(std::span<const float> row) {
  double sum = 0;
  for (const float value : row) sum += static_cast<double>(value) * value;
  return sum;
}

void check_rows(const char* what, MatrixView<const float> points, Metric metric, const Context& context) {
  constexpr double kLargest = 1e36;  // squares of differences are at most 4 times this
  context.for_blocks(points.rows, kPointsPerBlock, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const double norm = squared_norm(points.row(i));
      const auto fail = [&](const std::string& fault) {
        refuse(fmt::format("row {} of the {} {}", i, what, fault));
      };
      if (!(norm <= kLargest)) {  // NaN too
        const auto row = points.row(i);
        const auto at = std::find_if(row.begin(), row.end(), [](float v) { return !std::isfinite(v); });
        if (at == row.end()) fail("is too long for squares in float32; scale the points down");
        fail(fmt::format("has the value {} in column {}; coordinates must be finite", *at, at - row.begin()));
      }
      if (metric == Metric::cosine && norm == 0) {
        fail("is zero and has no direction; the cosine metric needs rows with one");
      }
    }
  });
}

Matrix<float> unit_rows(MatrixView<const float> points, const Context& context) {
  Matrix<float> out(points.rows, points.cols);
  context.for_blocks(points.rows, kPointsPerBlock, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const double factor = 1 / std::sqrt(squared_norm(points.row(i)));
      for (std::int64_t j = 0; j < points.cols; ++j) out(i, j) = static_cast<float>(points(i, j) * factor);
    }
  });
  return out;
}

Matrix<float> scaled(MatrixView<const float> points, int exponent, const Context& context) {
  Matrix<float> out(points.rows, points.cols);
  context.for_blocks(points.rows, kPointsPerBlock, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      for (std::int64_t j = 0; j < points.cols; ++j) out(i, j) = std::ldexp(points(i, j), exponent);
    }
  });
  return out;
}

float largest_coordinate(MatrixView<const float> points, const Context& context) {
  std::vector<float> largest((points.rows + kPointsPerBlock - 1) / kPointsPerBlock);
  context.for_blocks(points.rows, kPointsPerBlock, [&](std::int64_t begin, std::int64_t end) {
    float& most = largest[begin / kPointsPerBlock];
    for (std::int64_t i = begin; i < end; ++i) {
      for (const float value : points.row(i)) most = std::max(most, std::abs(value));
    }
  });
  return largest.empty() ? 0 : *std::max_element(largest.begin(), largest.end());
}

// The exponent of a power of two to scale by, so that squares of small differences do not vanish in float32;
// 0 for coordinates of ordinary size.
int scaling(float largest) {
  if (largest == 0 || largest >= kSmall) return 0;
  return kScaledExponent - std::ilogb(largest);
}

// The sum over the coordinates of a function of their differences, in four sums, so that their additions
// overlap; symmetric in its arguments to the last bit if the function is even.
template <class Term>
double sum_of_differences(const float* a, const float* b, std::int64_t d, const Term& term) {
  double sums[4] = {};
  std::int64_t j = 0;
  for (; j + 4 <= d; j += 4) {
    for (std::int64_t s = 0; s < 4; ++s) sums[s] += term(static_cast<double>(a[j + s]) - b[j + s]);
  }
  for (; j < d; ++j) sums[0] += term(static_cast<double>(a[j]) - b[j]);
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

// The squared distance, or the distance of Manhattan: it orders points as the metric does.
double separation(const float* a, const float* b, std::int64_t d, Metric metric) {
  return metric == Metric::manhattan
             ? sum_of_differences(a, b, d, [](double apart) { return std::abs(apart); })
             : sum_of_differences(a, b, d, [](double apart) { return apart * apart; });
}

std::vector<std::int32_t> sample_rows(std::int64_t count, std::string_view stream, std::uint64_t seed) {
  const std::int64_t size = std::min(count, kSample);
  const RandomStream random(seed, stream);
  std::vector<std::int32_t> rows(size);
  for (std::int64_t s = 0; s < size; ++s) {
    const std::int64_t begin = count * s / size, end = count * (s + 1) / size;
    rows[s] = static_cast<std::int32_t>(begin + static_cast<std::int64_t>(random.below(end - begin, s)));
  }
  return rows;
}

// The points as they are compared, and the conversion of their separations to the metric.
struct Measure {
  Metric metric = Metric::euclidean;
  int exponent = 0;  // the points are scaled by 2 to this

  float distance(double separation) const {
    // For unit vectors ‖x − y‖² = 2 (1 − cos).
    if (metric == Metric::cosine) return static_cast<float>(separation / 2);
    const double length = metric == Metric::manhattan ? separation : std::sqrt(separation);
    return static_cast<float>(std::ldexp(length, -exponent));
  }
};

struct Found {
  Matrix<std::int32_t> indices;
  Matrix<double> separations;
};

class Finder {
 public:
  // queries: those whose neighbours are found; the points themselves when `among_themselves`.
  Finder(MatrixView<const float> queries, MatrixView<const float> points, bool among_themselves,
         const NeighborOptions& options, const Context& context)
      : queries_(queries),
        points_(points),
        among_themselves_(among_themselves),
        k_(options.neighbors),
        context_(context),
        cells_(make_cells(points, options.metric, options.seed, context)) {}

  const Cells& cells() const { return cells_; }

  Found find(std::span<const std::int32_t> rows, std::int64_t probes) const {
    Found found =
        rank(rows, search_cells(cells_, queries_, rows, among_themselves_, k_ + kSpare, probes, context_));
    // The cells searched may be so small that they hold fewer than k points.
    std::vector<std::int32_t> lacking, places;
    for (std::size_t q = 0; q < rows.size(); ++q) {
      if (found.indices(static_cast<std::int64_t>(q), k_ - 1) >= 0) continue;
      lacking.push_back(rows[q]);
      places.push_back(static_cast<std::int32_t>(q));
    }
    if (lacking.empty()) return found;
    const Found more = rank(lacking, search_cells(cells_, queries_, lacking, among_themselves_, k_ + kSpare,
                                                  cells_.count(), context_));
    for (std::size_t q = 0; q < places.size(); ++q) {
      const auto from = static_cast<std::int64_t>(q);
      std::copy_n(more.indices.row(from).data(), k_, found.indices.row(places[q]).data());
      std::copy_n(more.separations.row(from).data(), k_, found.separations.row(places[q]).data());
    }
    return found;
  }

  // The true neighbours of a few rows, in small blocks so that all threads have some.
  Found find_exactly(std::span<const std::int32_t> rows, std::string_view stage) const {
    constexpr std::int64_t kBlock = 64;
    const auto count = static_cast<std::int64_t>(rows.size());
    Found out{Matrix<std::int32_t>(count, k_), Matrix<double>(count, k_)};
    std::atomic<std::int64_t> done{0};
    context_.for_blocks(count, kBlock, [&](std::int64_t begin, std::int64_t end) {
      const Found part = find(rows.subspan(begin, end - begin), cells_.count());
      std::copy_n(part.indices.data(), part.indices.size(), out.indices.row(begin).data());
      std::copy_n(part.separations.data(), part.separations.size(), out.separations.row(begin).data());
      context_.progress(stage, done += end - begin, count);
    });
    return out;
  }

  // The queries in the order of the cells they lie in: neighbours in this order search the same cells.
  std::vector<std::int32_t> ordered_queries() const {
    if (among_themselves_) return cells_.ids;
    const std::vector<std::int32_t> labels = nearest_centroids(queries_, cells_.centroids, {}, context_);
    std::vector<std::int32_t> order(labels.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(),
                     [&](std::int32_t a, std::int32_t b) { return labels[a] < labels[b]; });
    return order;
  }

  // The fewest cells whose recall on a sample is the one asked for.
  std::int64_t choose_probes(double recall, std::uint64_t seed) const {
    const auto rows = sample_rows(queries_.rows, "neighbors.probes", seed);
    const Found truth = find_exactly(rows, "probes");
    const auto share = share_by_probes(cells_, queries_, rows, truth.indices, context_);
    const auto enough = std::find_if(share.begin(), share.end(), [&](double s) { return s >= recall; });
    return std::min(cells_.count(), static_cast<std::int64_t>(enough - share.begin()) + 1);
  }

  // The share of the k nearest that were found, by distance, so that any of equally distant points counts.
  std::pair<double, double> measure_recall(MatrixView<const float> distances, const Measure& measure,
                                           std::uint64_t seed) const {
    const auto rows = sample_rows(queries_.rows, "neighbors.recall", seed);
    const Found truth = find_exactly(rows, "recall");
    double sum = 0, squares = 0;
    for (std::size_t q = 0; q < rows.size(); ++q) {
      const float farthest = measure.distance(truth.separations(static_cast<std::int64_t>(q), k_ - 1));
      const auto row = distances.row(rows[q]);
      const auto hits = std::upper_bound(row.begin(), row.end(), farthest) - row.begin();
      const double share = static_cast<double>(hits) / static_cast<double>(k_);
      sum += share;
      squares += share * share;
    }
    const auto count = static_cast<double>(rows.size());
    const double mean = sum / count;
    const double variance = count > 1 ? std::max(0.0, squares - count * mean * mean) / (count - 1) : 0.0;
    return {mean, std::sqrt(variance / count)};
  }

 private:
  // The candidates by their distances in float64; places that stay empty hold −1.
  Found rank(std::span<const std::int32_t> rows, const Candidates& candidates) const {
    const auto count = static_cast<std::int64_t>(rows.size());
    Found out{Matrix<std::int32_t>(count, k_), Matrix<double>(count, k_)};
    std::vector<std::pair<double, std::int32_t>> ranked;
    for (std::int64_t q = 0; q < count; ++q) {
      ranked.clear();
      for (std::int64_t c = q * candidates.capacity; c < (q + 1) * candidates.capacity; ++c) {
        const std::int32_t id = candidates.ids[c];
        if (id == std::numeric_limits<std::int32_t>::max()) break;
        ranked.emplace_back(
            separation(queries_.row_data(rows[q]), points_.row_data(id), points_.cols, cells_.metric), id);
      }
      std::sort(ranked.begin(), ranked.end());
      for (std::int64_t r = 0; r < k_; ++r) {
        const bool is_there = r < static_cast<std::int64_t>(ranked.size());
        out.indices(q, r) = is_there ? ranked[r].second : -1;
        out.separations(q, r) = is_there ? ranked[r].first : std::numeric_limits<double>::infinity();
      }
    }
    return out;
  }

  MatrixView<const float> queries_, points_;
  bool among_themselves_;
  std::int64_t k_;
  const Context& context_;
  Cells cells_;
};

// The neighbours of rows as they are compared.
Neighbors search(MatrixView<const float> queries, MatrixView<const float> points, bool among_themselves,
                 const NeighborOptions& used, const Measure& measure, Report&& so_far,
                 const Context& context) {
  Neighbors result{.metric = used.metric, .report = std::move(so_far)};
  Report& report = result.report;
  result.indices = Matrix<std::int32_t>(queries.rows, used.neighbors);
  result.distances = Matrix<float>(queries.rows, used.neighbors);
  if (used.neighbors == 0) return result;  // all points are copies of one

  StageTimer building(report, "cells");
  const Finder finder(queries, points, among_themselves, used, context);
  building.finish();
  const std::int64_t cells = finder.cells().count();
  std::int64_t probes = cells;
  if (used.search == Search::approximate && queries.rows > 0) {
    const StageTimer timer(report, "probes");
    probes = finder.choose_probes(used.recall, used.seed);
  }
  report.figures.emplace_back("cells", cells);
  report.figures.emplace_back("probes", probes);

  {
    const StageTimer timer(report, "neighbors");
    const std::vector<std::int32_t> order = finder.ordered_queries();
    std::atomic<std::int64_t> done{0};
    context.for_blocks(queries.rows, kQueriesPerBlock, [&](std::int64_t begin, std::int64_t end) {
      const std::span<const std::int32_t> rows(order.data() + begin, static_cast<std::size_t>(end - begin));
      const Found found = finder.find(rows, probes);
      for (std::int64_t q = 0; q < end - begin; ++q) {
        std::copy_n(found.indices.row(q).data(), used.neighbors, result.indices.row(rows[q]).data());
        for (std::int64_t r = 0; r < used.neighbors; ++r) {
          result.distances(rows[q], r) = measure.distance(found.separations(q, r));
        }
      }
      context.progress("neighbors", done += end - begin, queries.rows);
    });
  }
  if (used.search == Search::approximate && queries.rows > 0) {
    const StageTimer timer(report, "recall");
    const auto [recall, error] = finder.measure_recall(result.distances, measure, used.seed);
    report.figures.emplace_back("recall", recall);
    report.figures.emplace_back("recall_standard_error", error);
  }
  return result;
}

// queries and points: copies of few points take the place of both before the search.
Neighbors find_neighbors(MatrixView<const float> queries, MatrixView<const float> points,
                         bool among_themselves, const NeighborOptions& options, CopyRule rule,
                         const Context& context) {
  validate_fields(options);
  const std::int64_t most = among_themselves ? points.rows - 1 : points.rows;
  if (points.cols < 1 || points.rows < 1) {
    refuse(fmt::format("an array of {} × {} holds no points", points.rows, points.cols));
  }
  if (std::max(points.rows, queries.rows) > std::numeric_limits<std::int32_t>::max()) {
    refuse(fmt::format("{}; must be at most 2147483647",
                       count_of(std::max(points.rows, queries.rows), "point")));
  }
  if (queries.cols != points.cols) {
    refuse(fmt::format("queries: rows of {}, but those of the points have {}; must be as many",
                       count_of(queries.cols, "value"), points.cols));
  }
  if (options.neighbors > most) {
    refuse(fmt::format("neighbors: {} is more than the {} {}points there are to choose from",
                       options.neighbors, most, among_themselves ? "other " : ""));
  }
  Report report = make_report("nearest neighbors", context, options.seed);
  check_rows("points", points, options.metric, context);
  if (!among_themselves) check_rows("queries", queries, options.metric, context);
  Matrix<float> own_points, own_queries;  // as they are compared, where that is not as they came
  const auto replace = [&](const auto& replaced) {
    own_points = replaced(points);
    points = own_points;
    if (!among_themselves) own_queries = replaced(queries);
    queries = among_themselves ? own_points : own_queries;
  };
  Measure measure{options.metric};
  if (options.metric == Metric::cosine) {
    replace([&](MatrixView<const float> rows) { return unit_rows(rows, context); });
  } else {
    const float largest = largest_coordinate(points, context);
    measure.exponent =
        scaling(among_themselves ? largest : std::max(largest, largest_coordinate(queries, context)));
    if (measure.exponent != 0) {
      replace([&](MatrixView<const float> rows) { return scaled(rows, measure.exponent, context); });
    }
  }

  StageTimer comparing(report, "copies");
  const DistinctRows distinct = distinct_rows(points, context);
  comparing.finish();
  report.figures.emplace_back("distinct", distinct.count());
  // A few copies are points like others. Many are all equally near, and no cell could be ruled out.
  const bool copies = distinct.largest() - among_themselves > most_copies(options.neighbors, rule);
  Matrix<float> different;
  if (copies) {
    different = Matrix<float>(distinct.count(), points.cols);
    for (std::int64_t g = 0; g < distinct.count(); ++g) {
      std::copy_n(points.row_data(distinct.group(g)[0]), points.cols, different.row(g).data());
    }
    own_points = {};
    points = different;
    if (among_themselves) queries = different;
  }
  NeighborOptions used = options;
  const double pairs = static_cast<double>(queries.rows) * static_cast<double>(points.rows);
  if (used.search == Search::automatic) {
    used.search = pairs <= kExactPairs ? Search::exact : Search::approximate;
  }
  record_options(report, used);
  used.neighbors = std::min(used.neighbors, points.rows - among_themselves);
  Neighbors found = search(queries, points, among_themselves, used, measure, std::move(report), context);
  if (!copies) return found;
  return with_copies(found, distinct, options.neighbors, among_themselves, rule, context);
}

}  // namespace

std::int64_t estimate_memory(std::int64_t rows, std::int64_t cols, const NeighborOptions& options) {
  const std::int64_t listed = rows * options.neighbors, result = 8 * listed;
  const std::int64_t copies = (options.metric == Metric::cosine ? 12 : 8) * rows * cols;
  const std::int64_t searching = copies + 40 * rows + (std::int64_t{8} << 20);
  const std::int64_t graphing = 16 * (listed + rows) + 16 * listed;  // both directions, and all edges kept
  return result + std::max(searching, graphing);
}

Neighbors nearest_neighbors(MatrixView<const float> points, const NeighborOptions& options,
                            const Context& context) {
  return find_neighbors(points, points, true, options, CopyRule::nearest, context);
}

Neighbors neighbors_for_graph(MatrixView<const float> points, const NeighborOptions& options,
                              const Context& context) {
  return find_neighbors(points, points, true, options, CopyRule::spread, context);
}

Neighbors nearest_neighbors_of(MatrixView<const float> queries, MatrixView<const float> points,
                               const NeighborOptions& options, const Context& context) {
  return find_neighbors(queries, points, false, options, CopyRule::nearest, context);
}

}  // namespace parsimony::graph
