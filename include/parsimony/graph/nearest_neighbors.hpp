// The nearest neighbours of points: exact, or approximate with a measured recall.
#pragma once

#include <cstdint>

#include "parsimony/core/context.hpp"
#include "parsimony/core/matrix.hpp"
#include "parsimony/core/options.hpp"
#include "parsimony/core/report.hpp"

namespace parsimony::graph {

enum class Metric {
  euclidean,  ///< ‖x − y‖
  cosine,     ///< 1 − cos(x, y)
  manhattan   ///< Σ |x_j − y_j|
};

constexpr auto names_of(Metric) {
  using enum Metric;
  return enum_names<Metric>({{euclidean, "euclidean"}, {cosine, "cosine"}, {manhattan, "manhattan"}});
}

enum class Search {
  automatic,   ///< exact up to 2^31 pairs of points (46,000 points among themselves)
  exact,       ///< search every cell that is not too far to matter
  approximate  ///< search only the nearest cells
};

constexpr auto names_of(Search) {
  using enum Search;
  return enum_names<Search>({{automatic, "auto"}, {exact, "exact"}, {approximate, "approximate"}});
}

struct NeighborOptions {
  std::int64_t neighbors =
      10;  ///< k, scikit-learn's default for graphs; raise it if clusters fall into pieces
  Metric metric = Metric::euclidean;
  Search search = Search::automatic;
  double recall = .98;  ///< share of the true neighbours that an approximate search aims at
  std::uint64_t seed = 0;
};

template <OptionsOf<NeighborOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(Field{"neighbors", "nearest neighbours of a point", 1, 1024}, options.neighbors);
  visit(Field{"metric", "distance between points"}, options.metric);
  visit(Field{"search",
              "how neighbours are found, among coordinates of seven digits (float32, after a shift); auto: "
              "exact up to "
              "46,000 points"},
        options.search);
  visit(Field{"recall", "share of the true neighbours that an approximate search aims at", 0.1, 1},
        options.recall);
  visit(Field{"seed", "seed of all randomness"}, options.seed);
}

struct Neighbors {
  Matrix<std::int32_t> indices;  ///< queries × k, the nearest first
  Matrix<float> distances;       ///< in the metric, ascending
  Metric metric = Metric::euclidean;
  Report report;
};

/// The k nearest other points of every row of points (n × d float32, k < n < 2³¹, d ≥ 1). A point does not
/// neighbour itself, but a copy of it does; among equal distances the smaller index comes first. cosine
/// compares rows scaled to unit length. If a point has more than k copies, the search is among the different
/// points, so that copies take no longer than other points.
///
/// Uses an inverted file [sivic2003video, jegou2011product]: k-means on a sample cuts the points into about 2
/// √n cells, the points of a cell are compared in blocks by the matrix products of k-means [lloyd1982least],
/// and the candidates left are ranked by distances summed in float64. exact searches every cell that the
/// triangle inequality does not rule out: it finds each neighbour that is nearer than the k-th by more than
/// float32 rounding, about 1e-6 of the squared radius of its cell. approximate searches, for each point, the
/// cells of the nearest centroids; their number is the smallest whose recall on up to 1000 sampled points is
/// the one asked for. With recall 1, or if no smaller number suffices, all cells are searched.
///
/// Points whose coordinates are all below 2⁻²⁰ are scaled by a power of two, so that their squares do not
/// vanish in float32. For other points, differences below 1e-19 in every coordinate vanish.
///
/// report.figures: "distinct" (different points), "cells", "probes" (cells searched for each point) and, for
/// an approximate search, "recall" with "recall_standard_error", measured on up to 1000 other points, each
/// compared with all points. The same bytes for any number of threads.
///
/// Time: exact O(n² d) less what is ruled out; approximate O(n √n d) times the cells searched. Memory beside
/// the points: 4 n d bytes (8 n d for cosine and for scaled points; as much again if there are many copies),
/// 8 n k of the result, some megabytes a thread. Cancelling takes some hundredths of a second.
///
/// Throws invalid_argument (k ≥ n, options out of range; a row with a NaN or infinite coordinate, one too
/// large for float32 squares, or for cosine a row of zeros: named) and cancelled.
Neighbors nearest_neighbors(MatrixView<const float> points, const NeighborOptions& options = {},
                            const Context& context = Context{});

/// The k ≤ n nearest of points (n × d) for every row of queries (m × d), by the same search.
Neighbors nearest_neighbors_of(MatrixView<const float> queries, MatrixView<const float> points,
                               const NeighborOptions& options = {}, const Context& context = Context{});

/// Peak bytes, beside the points, of the search for the neighbours of `rows` points among themselves and of
/// their graph (neighbor_graph.hpp).
std::int64_t estimate_memory(std::int64_t rows, std::int64_t cols, const NeighborOptions& options);

}  // namespace parsimony::graph
