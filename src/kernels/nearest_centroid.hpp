// The nearest centroids of tiles of points. assigned_points.hpp has the distances and sums that follow.
//
// Points are transposed into tiles of kTile points: a lane is a point, and a centroid is broadcast. Ties, the
// runner-up and any number of centroids then need no horizontal step, and the transposition also gathers the
// points that bounds could not settle. Every function subtracts `shift` (d values, a point in the middle of
// the data) from a point, because x·c − ‖c‖²/2 loses digits far from the origin. Centroids are contiguous, k
// × d, with the shift already subtracted. No pointer needs alignment unless stated; no output may overlap an
// input.
#pragma once

#include <cstdint>

namespace parsimony::kernels {

inline constexpr std::int64_t kTile = 64;

/// Points, d values each, in rows of a row-major matrix.
struct PointRows {
  const float* data = nullptr;
  std::int64_t stride = 0;
  std::int64_t d = 0;
  const float* shift = nullptr;
  const std::int32_t* rows = nullptr;  ///< the row of each point; nullptr: row t is point t

  const float* row(std::int64_t t) const { return data + (rows ? rows[t] : t) * stride; }
  float value(std::int64_t t, std::int64_t j) const { return row(t)[j] - shift[j]; }
};

/// tiles[(t / kTile · d + j) · kTile + t % kTile] = point t, column j; the last tile is filled up with zeros.
/// `tiles` is 64-byte aligned and holds ⌈count / kTile⌉ · d · kTile floats, as in all functions below.
void pack_tiles(const PointRows& points, std::int64_t count, float* tiles);

/// For each point, computes the k ≥ 1 scores ‖c‖²/2 − x·c in float32. nearest: the index of the least score,
/// the first of equal ones. best and second: the least and the second least score (infinity if k = 1).
/// Outputs hold tile_count · kTile values. The error of a score is at most (d + 1) 2⁻²³ (‖x‖ ‖c‖ + ‖c‖²/2);
/// half_norms[c] = ‖c‖²/2.
///
/// Limit on Zen 4: a comparison shares the two units of the d multiply-adds of a score, so at most d / (d +
/// 1) of the multiply-add peak. Its three minima and maxima and its selection run on the other two units but
/// sometimes delay the first two. At d = 8 a loop of the same instructions without dependences reaches
/// 78 % of the peak and this kernel 75 % (k = 256; 63 % at d = 4, 85 % at d = 16, 92 % at d = 32).
void nearest_centroid(const float* tiles, std::int64_t tile_count, std::int64_t d, const float* centroids,
                      const float* half_norms, std::int64_t k, std::int32_t* nearest, float* best,
                      float* second);

/// k centroids in groups, for nearest_in_groups: those of group g are rows begin[g] to begin[g + 1] − 1 of
/// `centroids` (k × d), with ‖c‖²/2 in half_norms; index[row] is the number of the centroid, ascending within
/// a group.
struct CentroidGroups {
  const float* centroids = nullptr;
  const float* half_norms = nullptr;
  const std::int32_t* index = nullptr;
  const std::int32_t* begin = nullptr;
  std::int32_t groups = 0;  // at most kMostGroups
};

/// nearest[p] = the number of the centroid of least score (the smallest of equal ones) among the groups whose
/// bits are set in compare[p]; others[g · stride + p] = the least score in each of these groups, that
/// centroid left out (infinity where the group has no other). Groups whose bits are not set may be compared,
/// too: lanes that are computed together share their groups, so points with the same bits belong side by
/// side. `compare` and the outputs hold tile_count · kTile values; bits of 0 leave a point out.
void nearest_in_groups(const float* tiles, std::int64_t tile_count, std::int64_t d,
                       const CentroidGroups& groups, const std::int32_t* compare, std::int32_t* nearest,
                       float* others, std::int64_t stride);

/// out[c · out_stride + t] = min(current[t], max(0, norms[t] + 2 (half_norms[c] − x_t·c))) for tile_count ·
/// kTile points: the squared distances to the nearest centroid if candidate c were added.
void candidate_distances(const float* tiles, std::int64_t tile_count, std::int64_t d, const float* norms,
                         const float* centroids, const float* half_norms, std::int64_t k,
                         const float* current, float* out, std::int64_t out_stride);

/// The same in plain C++, as a reference for tests.
namespace scalar {
void pack_tiles(const PointRows& points, std::int64_t count, float* tiles);
void nearest_centroid(const float* tiles, std::int64_t tile_count, std::int64_t d, const float* centroids,
                      const float* half_norms, std::int64_t k, std::int32_t* nearest, float* best,
                      float* second);
void nearest_in_groups(const float* tiles, std::int64_t tile_count, std::int64_t d,
                       const CentroidGroups& groups, const std::int32_t* compare, std::int32_t* nearest,
                       float* others, std::int64_t stride);
void candidate_distances(const float* tiles, std::int64_t tile_count, std::int64_t d, const float* norms,
                         const float* centroids, const float* half_norms, std::int64_t k,
                         const float* current, float* out, std::int64_t out_stride);
}  // namespace scalar

}  // namespace parsimony::kernels
