// The inner loop of a nearest-neighbour search: tiles of queries against rows of points.
#pragma once

#include <cstdint>

#include "kernels/nearest_centroid.hpp"

namespace parsimony::kernels {

/// The `capacity` best candidates of each query, ascending by (distance, id). The list of query q begins at
/// q · capacity. Empty places hold +infinity and the largest id.
struct NearestLists {
  std::int64_t capacity = 1;
  float* distances = nullptr;  ///< squared
  std::int32_t* ids = nullptr;
};

/// Rows of points, contiguous, count × d, with the shift of the tiles already subtracted.
struct PointBlock {
  const float* rows = nullptr;
  const float* half_norms = nullptr;  ///< ‖row‖² / 2
  const std::int32_t* ids = nullptr;  ///< ids of the points in the lists; null: 0, 1, …
  std::int64_t count = 0;
};

/// Offers every point to the lists of `count` queries, which lie in aligned tiles of kTile (see pack_tiles).
/// Query t has the list slots[t]; a point whose id is own[slots[t]] is skipped (own may be null). Distances
/// are ‖x‖² + 2 (‖y‖²/2 − x·y) in float32, with an error of at most (d + 2) 2⁻²² (‖x‖ + ‖y‖)². They depend
/// only on the two rows and the SIMD target, not on the place in a tile or block.
void nearest_points(const float* tiles, std::int64_t count, std::int64_t d, const PointBlock& points,
                    const std::int32_t* slots, const std::int32_t* own, const NearestLists& lists);

/// The same by the distances Σ |x_j − y_j|, whose float32 sums have an error of at most d 2⁻²³ times the sum;
/// half_norms is not read.
void nearest_points_manhattan(const float* tiles, std::int64_t count, std::int64_t d,
                              const PointBlock& points, const std::int32_t* slots, const std::int32_t* own,
                              const NearestLists& lists);

/// out[c · out_stride + t] = Σ |x_t − row c| for tile_count · kTile points and k rows, k × d.
void manhattan_distances(const float* tiles, std::int64_t tile_count, std::int64_t d, const float* rows,
                         std::int64_t k, float* out, std::int64_t out_stride);

/// The same in plain C++, as a reference for tests.
namespace scalar {
void nearest_points_manhattan(const float* tiles, std::int64_t count, std::int64_t d,
                              const PointBlock& points, const std::int32_t* slots, const std::int32_t* own,
                              const NearestLists& lists);
void manhattan_distances(const float* tiles, std::int64_t tile_count, std::int64_t d, const float* rows,
                         std::int64_t k, float* out, std::int64_t out_stride);
void nearest_points(const float* tiles, std::int64_t count, std::int64_t d, const PointBlock& points,
                    const std::int32_t* slots, const std::int32_t* own, const NearestLists& lists);
}  // namespace scalar

}  // namespace parsimony::kernels
