// Points in float32 that keep the digits of float64.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "parsimony/core/context.hpp"
#include "parsimony/core/matrix.hpp"
#include "parsimony/graph/nearest_neighbors.hpp"

namespace parsimony::graph {

/// Points as the library compares them: the coordinates less a shift, in float32.
struct Points {
  Matrix<float> rows;         ///< n × d
  std::vector<double> shift;  ///< d values that were subtracted from every row; empty: none
};

/// Rounds points (n × d, n < 2³¹) to float32 after it has moved them to the origin, where float32 has its
/// digits. Times, map coordinates and other numbers with a large common part otherwise lose what tells them
/// apart. Every distance then agrees with that of the float64 points to 1.2e-7 of the larger distance from
/// the shift. Nothing is scaled.
///
/// The shift is the median of every column over 4096 rows in equal steps. Points are moved only if that
/// changes what float32 keeps: not if float32 holds every value exactly, not if the medians lie within 4
/// times the spread (root of the summed squares of the columns' median deviations) from the origin, and not
/// for the cosine metric, whose angles a shift would change.
///
/// Logs a warning when different rows become the same row of float32, which happens only if their distance
/// is below 1e-7 of that from the shift. O(n d + n log n) time. Throws invalid_argument for a finite value
/// beyond float32 (its row is named), and cancelled. NaN and infinities are kept; functions that compare
/// points refuse them.
Points float32_points(MatrixView<const double> points, Metric metric = Metric::euclidean,
                      const Context& context = Context{});

/// Rows less a given shift (empty: 0), in float32: new points beside those of a model.
Matrix<float> less_shift(MatrixView<const double> points, std::span<const double> shift,
                         const Context& context = Context{});
Matrix<float> less_shift(MatrixView<const float> points, std::span<const double> shift,
                         const Context& context = Context{});

}  // namespace parsimony::graph
