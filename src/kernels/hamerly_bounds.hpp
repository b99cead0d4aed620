// Hamerly's bounds for k-means [hamerly2010making], for a run of points: a lower bound on the distance to
// every centroid but the own one, and whether it settles the label without a comparison. No pointer needs
// alignment. An output may be the same array as an input but must not overlap it otherwise.
#pragma once

#include <cstdint>

namespace parsimony::kernels {

/// Error of a score ‖c‖²/2 − x·c in float32: at most relative · (‖x‖² + 3 highest_half_norm) + absolute.
struct ScoreError {
  float relative = 0;
  float highest_half_norm = 0;  // largest ‖c‖²/2 of the centroids
  float absolute = 0;
};

/// Moves of the centroids since the last assignment: centroid `fastest` moved by at most first_fall, every
/// other by at most second_fall. nearest_other[c] is a lower bound on the distance from centroid c to the
/// nearest other centroid.
struct CentroidMoves {
  float first_fall = 0, second_fall = 0;
  std::int32_t fastest = -1;
  const float* nearest_other = nullptr;
};

/// For points with squared norm `norm` at squared distance `distance` from the centroid of `label`: reduces
/// `lower` by the largest move of the other centroids, but not below 0. If margin[t] > 0, the label of point
/// t is certainly the best one, however scores are rounded.
void hamerly_margins(const ScoreError& error, const CentroidMoves& moves, const std::int32_t* label,
                     const float* distance, const float* norm, std::int64_t count, float* lower,
                     float* margin);

/// lower[p] = a lower bound on the distance from point rows[p] to its second nearest centroid, computed from
/// that centroid's score; 0 if the rounding error exceeds the distance. norm is indexed by rows[p].
void runner_up_distances(const ScoreError& error, const std::int32_t* rows, const float* norm,
                         const float* second, std::int64_t count, float* lower);

/// The same in plain C++, for tests and for the points that do not fill a vector.
namespace scalar {
void hamerly_margins(const ScoreError& error, const CentroidMoves& moves, const std::int32_t* label,
                     const float* distance, const float* norm, std::int64_t count, float* lower,
                     float* margin);
void runner_up_distances(const ScoreError& error, const std::int32_t* rows, const float* norm,
                         const float* second, std::int64_t count, float* lower);
}  // namespace scalar

}  // namespace parsimony::kernels
