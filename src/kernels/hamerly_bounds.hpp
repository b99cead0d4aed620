// Lower bounds for k-means, for a run of points: a bound on the distance to every centroid of a group except
// the point's own, and whether it settles the label without a comparison. One group: [hamerly2010making];
// several: [ding2015yinyang]. No pointer needs alignment. An output may be the same array as an input but
// must not overlap it otherwise.
#pragma once

#include <cstdint>

namespace parsimony::kernels {

/// Error of a score ‖c‖²/2 − x·c in float32: at most relative · (‖x‖² + 3 highest_half_norm) + absolute.
struct ScoreError {
  float relative = 0;
  float highest_half_norm = 0;  // largest ‖c‖²/2 of the centroids
  float absolute = 0;
};

/// Most groups of centroids: a set of groups is a bit each of an int32, and every set has a counter.
inline constexpr std::int32_t kMostGroups = 8;

/// Moves of the centroids since the last assignment, by group: centroid fastest[g] moved by at most
/// first_fall[g], every other of group g by at most second_fall[g]. nearest_other[c] is a lower bound on the
/// distance from centroid c to the nearest other centroid. group_bit[c] = 1 << (the group of centroid c).
struct GroupMoves {
  std::int32_t groups = 0;
  const float* first_fall = nullptr;
  const float* second_fall = nullptr;
  const std::int32_t* fastest = nullptr;
  const float* nearest_other = nullptr;
  const std::int32_t* group_bit = nullptr;
};

/// For points with squared norm `norm` at squared distance `distance` from the centroid of `label`: reduces
/// lower[g · stride + t], a lower bound on the distance from point t to every centroid of group g except its
/// own, by the largest move of these centroids, but not below 0. compare[t] = the bits of the groups that may
/// hold a centroid nearer than the own one, however scores are rounded; if there is any, also the bit of the
/// own centroid's group.
void groups_to_compare(const ScoreError& error, const GroupMoves& moves, const std::int32_t* label,
                       const float* distance, const float* norm, std::int64_t count, float* lower,
                       std::int64_t stride, std::int32_t* compare);

/// lower[p] = a lower bound on the distance from point rows[p] to a centroid, computed from that centroid's
/// score; 0 if the rounding error exceeds the distance. norm is indexed by rows[p].
void runner_up_distances(const ScoreError& error, const std::int32_t* rows, const float* norm,
                         const float* score, std::int64_t count, float* lower);

/// The same in plain C++, for tests and for the points that do not fill a vector.
namespace scalar {
void groups_to_compare(const ScoreError& error, const GroupMoves& moves, const std::int32_t* label,
                       const float* distance, const float* norm, std::int64_t count, float* lower,
                       std::int64_t stride, std::int32_t* compare);
void runner_up_distances(const ScoreError& error, const std::int32_t* rows, const float* norm,
                         const float* score, std::int64_t count, float* lower);
}  // namespace scalar

}  // namespace parsimony::kernels
