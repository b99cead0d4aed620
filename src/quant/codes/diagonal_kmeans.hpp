// k-means in which every coordinate of every point has its own weight.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "parsimony/core/context.hpp"
#include "parsimony/core/matrix.hpp"

namespace parsimony::quant {

struct DiagonalKMeans {
  Matrix<float> centroids;
  std::vector<std::int32_t> labels;
  std::vector<double> history;  ///< the objective after every assignment
  std::int64_t iterations = 0;
  bool converged = false;
};

/// Minimises Σ_i Σ_j a_ij (x_ij − c(label_i)_j)², a ≥ 0, not all 0, from given centroids by Lloyd's
/// iterations. A coordinate of weight 0 is as if it were missing: its x says nothing. Exact for any a: the
/// score Σ_j a_ij (c_j² / 2 − x_ij c_j) is a product of (a x, −a / 2) with (c, c²), so that the assignment is
/// that of ordinary k-means in 2 d dimensions, and a centroid is the mean of its points by a, coordinate by
/// coordinate (where their a add up to 0 it stays as it was).
///
/// As in core's k-means a label changes only where the distance itself falls, and an emptied cluster takes
/// the point that is farthest from its centroid, of clusters that have several. 2 n k (2 d) flops per
/// iteration, without bounds. points and importance are n × d. The same bytes for any number of threads.
DiagonalKMeans diagonal_kmeans(MatrixView<const float> points, MatrixView<const float> importance,
                               Matrix<float> centroids, int max_iterations, const Context& context);

/// The assignment alone.
std::vector<std::int32_t> diagonal_nearest(MatrixView<const float> points, MatrixView<const float> importance,
                                           const Matrix<float>& centroids, const Context& context);

/// Centroids to start from: ordinary k-means with the part of a that is of rank one, a_ij ≈ p_i b_j², b_j²
/// the mean of column j and p_i the mean of a_ij / b_j². Points scaled by b, of weight p; where a_ij is 0 the
/// coordinate is the column's mean.
Matrix<float> rank_one_kmeans(MatrixView<const float> points, MatrixView<const float> importance,
                              std::int64_t clusters, int max_iterations, std::uint64_t seed,
                              const Context& context);

}  // namespace parsimony::quant
