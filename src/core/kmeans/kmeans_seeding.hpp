// The first centroids of k-means: greedy k-means++.
#pragma once

#include <cstdint>
#include <span>

#include "parsimony/core/context.hpp"
#include "parsimony/core/matrix.hpp"

namespace parsimony {

/// k rows of points, minus shift, drawn by greedy k-means++ [arthur2007kmeans]: each next centroid is the
/// best of 2 + ⌊ln k⌋ points drawn in proportion to weight times squared distance to the nearest centroid so
/// far. Points of weight 0 are never drawn. With fewer distinct points than k, some rows are equal.
///
/// Above 256 k points it works on 256 k of them, one from each of as many equal runs of rows. A cluster of
/// mean size then has about 256 points, and seeding costs about as much as two iterations for any n. In
/// return, a cluster of fewer than n / (256 k) points may be missed. O(k log k · d · min(n, 256 k)) time, 4
/// (d
/// + 4 + log k) bytes for each of these points.
Matrix<float> seed_centroids(MatrixView<const float> points, std::span<const float> weights,
                             std::span<const float> shift, std::int64_t k, std::uint64_t seed,
                             std::uint64_t restart, const Context& context);

}  // namespace parsimony
