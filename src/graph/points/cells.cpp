#include "graph/points/cells.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "kernels/nearest_points.hpp"
#include "parsimony/core/kmeans.hpp"
#include "parsimony/core/random.hpp"

namespace parsimony::graph {
namespace {

using kernels::kTile;

constexpr std::int64_t kSamplesPerCell = 48;
constexpr std::int64_t kLargestCell = 8;  // times the mean
constexpr std::int64_t kProductsAtOnce = std::int64_t{1} << 27;

std::int64_t whole_tiles(std::int64_t count) {
  return (count + kTile - 1) / kTile * kTile;
}

float half_norm(std::span<const float> row, Metric metric) {
  double sum = 0;
  for (const double value : row) sum += metric == Metric::manhattan ? std::abs(value) : value * value;
  return static_cast<float>(sum / 2);
}

Candidates empty_lists(std::int64_t count, std::int64_t capacity) {
  return {capacity, std::vector<float>(count * capacity, std::numeric_limits<float>::infinity()),
          std::vector<std::int32_t>(count * capacity, std::numeric_limits<std::int32_t>::max())};
}

Matrix<float> train_centroids(MatrixView<const float> points, std::int64_t cells, std::uint64_t seed,
                              const Context& context) {
  const std::int64_t size = std::min(points.rows, kSamplesPerCell * cells);
  const RandomStream random(seed, "cells.sample");
  Matrix<float> sample(size, points.cols);
  for (std::int64_t s = 0; s < size; ++s) {
    // One point of each of `size` equal pieces.
    const std::int64_t begin = points.rows * s / size, end = points.rows * (s + 1) / size;
    const auto at = begin + static_cast<std::int64_t>(random.below(end - begin, s));
    std::copy_n(points.row_data(at), points.cols, sample.row(s).data());
  }
  // Cells need not be optimal clusters: a few iterations are enough.
  return kmeans(sample, {}, {.clusters = cells, .max_iterations = 8, .tolerance = 1e-2, .seed = seed},
                context)
      .centroids;
}

// The centroids in an order in which each is followed by the nearest of those that are left, so that the
// points of cells that follow each other are near in space, and near in memory when sorted by cell.
Matrix<float> chained(const Matrix<float>& centroids, const Context& context) {
  const std::int64_t count = centroids.rows(), d = centroids.cols();
  std::vector<std::int64_t> left(count);
  std::iota(left.begin(), left.end(), 0);
  Matrix<float> out(count, d);
  std::size_t next = 0;
  for (std::int64_t placed = 0; placed < count; ++placed) {
    context.check_cancelled();
    const std::int64_t current = left[next];
    left[next] = left.back();
    left.pop_back();
    std::copy_n(centroids.row(current).data(), d, out.row(placed).data());
    float nearest = std::numeric_limits<float>::infinity();
    for (std::size_t i = 0; i < left.size(); ++i) {
      const float* other = centroids.row(left[i]).data();
      float square = 0;
      for (std::int64_t j = 0; j < d && square < nearest; ++j) {
        const float apart = other[j] - out(placed, j);
        square += apart * apart;
      }
      if (square < nearest) {
        nearest = square;
        next = i;
      }
    }
    if (nearest == std::numeric_limits<float>::infinity()) next = 0;
  }
  return out;
}

// The state of a search for some queries.
class BlockSearch {
 public:
  BlockSearch(const Cells& cells, MatrixView<const float> queries, std::span<const std::int32_t> rows,
              bool leave_out_own, Candidates& out, const Context& context)
      : cells_(cells),
        context_(context),
        d_(cells.dimension()),
        count_(static_cast<std::int64_t>(rows.size())),
        own_(leave_out_own ? rows.data() : nullptr),
        block_(count_, d_),
        tiles_(whole_tiles(count_), d_),
        lists_{out.capacity, out.distances.data(), out.ids.data()},
        middle_(d_),
        norms_(count_),
        centroids_(cells.count(), d_),
        centroid_half_norms_(cells.count()) {
    std::vector<double> sum(d_);
    for (std::int64_t q = 0; q < count_; ++q) {
      std::copy_n(queries.row_data(rows[q]), d_, block_.row(q).data());
      for (std::int64_t j = 0; j < d_; ++j) sum[j] += block_(q, j);
    }
    for (std::int64_t j = 0; j < d_; ++j)
      middle_[j] = static_cast<float>(sum[j] / static_cast<double>(count_));
    for (std::int64_t q = 0; q < count_; ++q) {
      for (std::int64_t j = 0; j < d_; ++j) {
        const float value = block_(q, j) - middle_[j];
        norms_[q] += manhattan() ? std::abs(value) : value * value;
      }
    }
    for (std::int64_t cell = 0; cell < cells_.count(); ++cell) {
      for (std::int64_t j = 0; j < d_; ++j) centroids_(cell, j) = cells_.centroids(cell, j) - middle_[j];
      centroid_half_norms_[cell] = half_norm(centroids_.row(cell), cells_.metric);
    }
  }

  void nearest_cells(std::int64_t probes) {
    const Candidates chosen = choose_cells(probes);
    // The queries of each cell, and a lower bound of its distance. Near cells come first, so that later cells
    // meet lists of near candidates and change little.
    const std::int64_t cells = cells_.count();
    std::vector<std::int64_t> starts(cells + 1);
    std::vector<std::int32_t> best_rank(cells, std::numeric_limits<std::int32_t>::max());
    for (std::size_t i = 0; i < chosen.ids.size(); ++i) {
      const std::int32_t cell = chosen.ids[i];
      ++starts[cell + 1];
      best_rank[cell] = std::min(best_rank[cell], static_cast<std::int32_t>(i % probes));
    }
    std::partial_sum(starts.begin(), starts.end(), starts.begin());
    std::vector<std::int64_t> choices(chosen.ids.size());  // positions in chosen, by cell
    std::vector<std::int64_t> next(starts.begin(), starts.end() - 1);
    for (std::size_t i = 0; i < chosen.ids.size(); ++i) {
      choices[next[chosen.ids[i]]++] = static_cast<std::int64_t>(i);
    }
    std::vector<std::int32_t> order, members;
    for (std::int32_t cell = 0; cell < cells; ++cell) {
      if (starts[cell] < starts[cell + 1]) order.push_back(cell);
    }
    std::stable_sort(order.begin(), order.end(),
                     [&](std::int32_t a, std::int32_t b) { return best_rank[a] < best_rank[b]; });
    for (const std::int32_t cell : order) {
      members.clear();
      for (std::int64_t c = starts[cell]; c < starts[cell + 1]; ++c) {
        const std::int64_t query = choices[c] / probes;
        if (may_matter(query, cell, chosen.distances[choices[c]])) {
          members.push_back(static_cast<std::int32_t>(query));
        }
      }
      if (!members.empty()) scan(cell, members);
    }
  }

  void all_cells() {
    const std::int64_t cells = cells_.count();
    const Matrix<float> distances = centroid_distances();
    std::vector<float> least(cells);
    for (std::int64_t cell = 0; cell < cells; ++cell) {
      least[cell] = *std::min_element(distances.row(cell).begin(), distances.row(cell).begin() + count_);
    }
    std::vector<std::int32_t> order(cells), members;
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(),
                     [&](std::int32_t a, std::int32_t b) { return least[a] < least[b]; });
    for (const std::int32_t cell : order) {
      members.clear();
      for (std::int64_t q = 0; q < count_; ++q) {
        if (may_matter(q, cell, distances(cell, q))) members.push_back(static_cast<std::int32_t>(q));
      }
      if (!members.empty()) scan(cell, members);
    }
  }

  // Squared distances of the queries to all centroids, a row for each centroid.
  Matrix<float> centroid_distances() {
    const std::int64_t cells = cells_.count(), padded = whole_tiles(count_);
    pack(middle_.data(), {}, count_);
    std::vector<float> norms(padded);
    std::copy(norms_.begin(), norms_.end(), norms.begin());
    const std::vector<float> infinity(padded, std::numeric_limits<float>::infinity());
    Matrix<float> out(cells, padded);
    const std::int64_t step = centroids_at_once();
    for (std::int64_t first = 0; first < cells; first += step) {
      context_.check_cancelled();
      if (manhattan()) {
        kernels::manhattan_distances(tiles_.data(), padded / kTile, d_, centroids_.row(first).data(),
                                     std::min(step, cells - first), out.row(first).data(), padded);
        continue;
      }
      kernels::candidate_distances(tiles_.data(), padded / kTile, d_, norms.data(),
                                   centroids_.row(first).data(), centroid_half_norms_.data() + first,
                                   std::min(step, cells - first), infinity.data(), out.row(first).data(),
                                   padded);
    }
    return out;
  }

 private:
  bool manhattan() const { return cells_.metric == Metric::manhattan; }

  void nearest(const float* tiles, std::int64_t count, std::int64_t d, const kernels::PointBlock& points,
               const std::int32_t* slots, const std::int32_t* own, const kernels::NearestLists& lists) const {
    const auto search = manhattan() ? kernels::nearest_points_manhattan : kernels::nearest_points;
    search(tiles, count, d, points, slots, own, lists);
  }

  // As many as take some hundredths of a second, so that cancelling is prompt.
  std::int64_t centroids_at_once() const {
    return std::max<std::int64_t>(16, kProductsAtOnce / (std::max<std::int64_t>(count_, 1) * d_));
  }

  void pack(const float* shift, std::span<const std::int32_t> members, std::int64_t count) {
    const kernels::PointRows from{block_.data(), d_, d_, shift, members.empty() ? nullptr : members.data()};
    kernels::pack_tiles(from, count, tiles_.data());
  }

  // The cells of the `probes` nearest centroids of every query.
  Candidates choose_cells(std::int64_t probes) {
    Candidates chosen = empty_lists(count_, probes);
    pack(middle_.data(), {}, count_);
    std::vector<std::int32_t> slots(count_);
    std::iota(slots.begin(), slots.end(), 0);
    std::vector<std::int32_t> cells(cells_.count());
    std::iota(cells.begin(), cells.end(), 0);
    const std::int64_t step = centroids_at_once();
    for (std::int64_t first = 0; first < cells_.count(); first += step) {
      context_.check_cancelled();
      nearest(tiles_.data(), count_, d_,
              {centroids_.row(first).data(), centroid_half_norms_.data() + first, cells.data() + first,
               std::min(step, cells_.count() - first)},
              slots.data(), nullptr, {probes, chosen.distances.data(), chosen.ids.data()});
    }
    return chosen;
  }

  // Whether a cell at this distance may hold a better candidate than the list has. By the triangle inequality
  // its points are at least as far as its centroid less its radius; the bound of rounding is twice that of
  // the kernels.
  bool may_matter(std::int64_t query, std::int32_t cell, float square) const {
    const float rounding =
        static_cast<float>(d_ + 2) * 0x1p-20f * (norms_[query] + 2 * centroid_half_norms_[cell]);
    const float away = std::max(0.0f, square - rounding);
    const float apart = (manhattan() ? away : std::sqrt(away)) - cells_.radius[cell] * 1.0001f;
    const float least = manhattan() ? apart : apart * apart;
    return !(apart > 0 && least > 1.0001f * lists_.distances[(query + 1) * lists_.capacity - 1]);
  }

  void scan(std::int32_t cell, std::span<const std::int32_t> members) {
    // A block of points stays in the cache beside the tiles that pass over it.
    constexpr std::int64_t kBytes = 1 << 18;
    const auto count = static_cast<std::int64_t>(members.size());
    pack(cells_.centroids.row(cell).data(), members, count);
    const std::int64_t step = std::max<std::int64_t>(64, kBytes / (4 * d_));
    for (std::int64_t row = cells_.starts[cell]; row < cells_.starts[cell + 1]; row += step) {
      context_.check_cancelled();
      const std::int64_t last = std::min(row + step, cells_.starts[cell + 1]);
      nearest(
          tiles_.data(), count, d_,
          {cells_.rows.row(row).data(), cells_.half_norms.data() + row, cells_.ids.data() + row, last - row},
          members.data(), own_, lists_);
    }
  }

  const Cells& cells_;
  const Context& context_;
  std::int64_t d_, count_;
  const std::int32_t* own_;
  Matrix<float> block_;  // the queries
  Matrix<float> tiles_;
  kernels::NearestLists lists_;
  std::vector<float> middle_;  // mean of the queries
  std::vector<float> norms_;   // squared norms of the queries less the middle; Manhattan: norms
  Matrix<float> centroids_;    // less the middle
  std::vector<float> centroid_half_norms_;
};

}  // namespace

Cells make_cells(MatrixView<const float> points, Metric metric, std::uint64_t seed, const Context& context) {
  const std::int64_t n = points.rows, d = points.cols;
  const auto wanted = std::max<std::int64_t>(1, std::llround(2 * std::sqrt(static_cast<double>(n))));
  Cells cells;
  cells.metric = metric;
  const Matrix<float> centroids =
      chained(train_centroids(points, std::min(n, wanted), seed, context), context);
  std::vector<std::int32_t> labels(n);
  std::vector<float> squares(n);
  {
    constexpr std::int64_t kPoints = 1 << 16;  // steps of progress and of cancelling
    for (std::int64_t begin = 0; begin < n; begin += kPoints) {
      context.progress("cells", begin, n);
      const std::int64_t count = std::min(kPoints, n - begin);
      const auto part = nearest_centroids({points.row_data(begin), count, d, points.stride}, centroids,
                                          {squares.data() + begin, static_cast<std::size_t>(count)}, context);
      std::copy(part.begin(), part.end(), labels.begin() + begin);
    }
    context.progress("cells", n, n);
  }

  // Points by cell, and the cells that are too large cut into pieces.
  std::vector<std::int64_t> starts(centroids.rows() + 1);
  for (const std::int32_t label : labels) ++starts[label + 1];
  std::partial_sum(starts.begin(), starts.end(), starts.begin());
  cells.ids.resize(n);
  std::vector<std::int64_t> next(starts.begin(), starts.end() - 1);
  for (std::int64_t i = 0; i < n; ++i) cells.ids[next[labels[i]]++] = static_cast<std::int32_t>(i);
  const std::int64_t most = std::max<std::int64_t>(1, kLargestCell * n / centroids.rows());
  std::vector<std::int32_t> origin;
  cells.starts = {0};
  for (std::int64_t c = 0; c < centroids.rows(); ++c) {
    const std::int64_t size = starts[c + 1] - starts[c], pieces = (size + most - 1) / most;
    for (std::int64_t piece = 0; piece < pieces; ++piece) {  // none for an empty cell
      origin.push_back(static_cast<std::int32_t>(c));
      cells.starts.push_back(starts[c] + size * (piece + 1) / pieces);
    }
  }
  const auto count = static_cast<std::int64_t>(origin.size());
  cells.centroids = Matrix<float>(count, d);
  cells.radius.resize(count);
  cells.cell_of.resize(n);
  cells.rows = Matrix<float>(n, d);
  cells.half_norms.resize(n);
  for (std::int64_t c = 0; c < count; ++c) {
    std::copy_n(centroids.row(origin[c]).data(), d, cells.centroids.row(c).data());
  }
  context.for_blocks(count, 64, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t c = begin; c < end; ++c) {
      double largest = 0;
      for (std::int64_t row = cells.starts[c]; row < cells.starts[c + 1]; ++row) {
        const std::int32_t id = cells.ids[row];
        cells.cell_of[id] = static_cast<std::int32_t>(c);
        for (std::int64_t j = 0; j < d; ++j) cells.rows(row, j) = points(id, j) - cells.centroids(c, j);
        cells.half_norms[row] = half_norm(cells.rows.row(row), metric);
        largest = std::max(largest, 2.0 * cells.half_norms[row]);
      }
      cells.radius[c] = static_cast<float>(metric == Metric::manhattan ? largest : std::sqrt(largest));
    }
  });
  return cells;
}

Candidates search_cells(const Cells& cells, MatrixView<const float> queries,
                        std::span<const std::int32_t> rows, bool leave_out_own, std::int64_t capacity,
                        std::int64_t probes, const Context& context) {
  Candidates out = empty_lists(static_cast<std::int64_t>(rows.size()), capacity);
  BlockSearch search(cells, queries, rows, leave_out_own, out, context);
  probes < cells.count() ? search.nearest_cells(probes) : search.all_cells();
  return out;
}

std::vector<double> share_by_probes(const Cells& cells, MatrixView<const float> queries,
                                    std::span<const std::int32_t> rows,
                                    MatrixView<const std::int32_t> neighbors, const Context& context) {
  constexpr std::int64_t kQueries = kTile;
  const std::int64_t count = cells.count();
  const auto total = static_cast<std::int64_t>(rows.size());
  std::vector<std::vector<std::int32_t>> ranks((total + kQueries - 1) / kQueries);
  context.for_blocks(total, kQueries, [&](std::int64_t begin, std::int64_t end) {
    Candidates none{1, std::vector<float>(end - begin), std::vector<std::int32_t>(end - begin)};
    const auto part = rows.subspan(begin, end - begin);
    const Matrix<float> distances =
        BlockSearch(cells, queries, part, false, none, context).centroid_distances();
    for (std::int64_t q = begin; q < end; ++q) {
      for (const std::int32_t id : neighbors.row(q)) {
        const std::int32_t home = cells.cell_of[id];
        const float distance = distances(home, q - begin);
        std::int32_t rank = 0;
        for (std::int64_t c = 0; c < count; ++c) {
          const float other = distances(c, q - begin);
          rank += other < distance || (other == distance && c < home);
        }
        ranks[begin / kQueries].push_back(rank);
      }
    }
  });
  std::vector<double> share(count);
  for (const auto& part : ranks) {
    for (const std::int32_t rank : part) ++share[rank];
  }
  std::partial_sum(share.begin(), share.end(), share.begin());
  for (double& value : share) value /= static_cast<double>(total * neighbors.cols);
  return share;
}

}  // namespace parsimony::graph
