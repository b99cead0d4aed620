// The bounds of k-means [hamerly2010making], for a run of points at once: below which distance no centroid
// but the own one lies, and whether that settles the label without a comparison. No pointer needs alignment;
// an output overlaps an input only where it is the same array.
#pragma once

#include <cstdint>

namespace parsimony::kernels {

/// A score ‖c‖²/2 − x·c in float32 is within relative · (‖x‖² + 3 highest_half_norm) + absolute of the exact
/// one.
struct ScoreError {
  float relative = 0;
  float highest_half_norm = 0;  // of the centroids
  float absolute = 0;
};

/// Since the last assignment no centroid moved by more than first_fall, and none but `fastest` by more than
/// second_fall; nearest_other[c] is at most the distance of centroid c to the nearest other.
struct CentroidMoves {
  float first_fall = 0, second_fall = 0;
  std::int32_t fastest = -1;
  const float* nearest_other = nullptr;
};

/// For points of squared norm `norm`, at squared distance `distance` from the centroid of `label`: lowers
/// `lower` by what the other centroids may have moved, down to 0. The label of point t can only be the best
/// one, whatever the rounding of scores, if margin[t] > 0.
void hamerly_margins(const ScoreError& error, const CentroidMoves& moves, const std::int32_t* label,
                     const float* distance, const float* norm, std::int64_t count, float* lower,
                     float* margin);

/// lower[p] = a value not above the distance of point rows[p] to its second nearest centroid, given that
/// centroid's score; 0 where rounding leaves nothing. norm is indexed by rows[p].
void runner_up_distances(const ScoreError& error, const std::int32_t* rows, const float* norm,
                         const float* second, std::int64_t count, float* lower);

/// The same in plain C++, for tests and for what does not fill a vector.
namespace scalar {
void hamerly_margins(const ScoreError& error, const CentroidMoves& moves, const std::int32_t* label,
                     const float* distance, const float* norm, std::int64_t count, float* lower,
                     float* margin);
void runner_up_distances(const ScoreError& error, const std::int32_t* rows, const float* norm,
                         const float* second, std::int64_t count, float* lower);
}  // namespace scalar

}  // namespace parsimony::kernels
