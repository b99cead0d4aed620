// Groups of centroids with bounds of their own, the moves of these, and points sorted by the groups that they
// must be compared with.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "kernels/hamerly_bounds.hpp"
#include "parsimony/core/context.hpp"
#include "parsimony/core/matrix.hpp"

namespace parsimony {

/// Most groups. Each one costs 4 bytes per point and a test per point and iteration. Measured on 10⁶ points
/// of 8 dimensions with 256 centroids, 20 iterations: 1 group leaves 55 % of the comparisons, 2 leave 45 %, 4
/// leave 36 %, 8 leave 27 %, but 4 or 5 take the least time.
inline constexpr std::int32_t kCentroidGroups = 4;

/// The centroids of group g are index[begin[g]] to index[begin[g + 1] − 1], ascending.
struct CentroidGrouping {
  std::vector<std::int32_t> index, begin;
  std::vector<std::int32_t> bit;  ///< bit[c] = 1 << (group of centroid c)

  std::int32_t groups() const { return static_cast<std::int32_t>(begin.size()) - 1; }
};

/// Groups centroids that are near each other, as these tend to be too far from a point together; at most
/// `most` groups, fewer for few centroids. The grouping changes the time of k-means and not its result.
CentroidGrouping group_centroids(MatrixView<const float> centroids, std::int32_t most,
                                 const Context& context);

/// The moves of the centroids from one assignment to the next, by group. Distances are rounded up.
class CentroidMoves {
 public:
  void measure(const CentroidGrouping& groups, MatrixView<const float> before, MatrixView<const float> after);

  /// For the groups of the last measure(); nearest_other as in kernels::GroupMoves.
  kernels::GroupMoves view(const CentroidGrouping& groups, const float* nearest_other) const {
    return {groups.groups(), first_fall_.data(), second_fall_.data(),
            fastest_.data(), nearest_other,      groups.bit.data()};
  }

 private:
  std::vector<float> first_fall_, second_fall_;
  std::vector<std::int32_t> fastest_;
};

/// The points of a chunk sorted by their sets of groups, so that neighbours in this order are compared
/// together.
class PointsBySet {
 public:
  /// A range of points that have the same set of groups.
  struct Range {
    std::int32_t set, begin, end;
  };

  PointsBySet(std::int64_t points, std::int32_t groups);

  /// sets[t] has a bit for each group that point t must be compared with. Points with none are left out.
  void sort(std::span<const std::int32_t> sets);

  std::span<const std::int32_t> points() const { return {order_.data(), static_cast<std::size_t>(count_)}; }
  /// The set of each of these, then zeros up to a whole tile.
  const std::int32_t* sets() const { return sorted_.data(); }
  const std::vector<Range>& ranges() const { return ranges_; }

 private:
  std::vector<std::int32_t> order_, sorted_;
  std::vector<Range> ranges_;
  std::vector<std::array<std::int32_t, 4>> counters_;  // four for each set, see sort()
  std::int32_t count_ = 0;
};

}  // namespace parsimony
