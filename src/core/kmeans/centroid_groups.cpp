#include "core/kmeans/centroid_groups.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>
#include <utility>

#include "core/kmeans/lloyd.hpp"
#include "kernels/nearest_centroid.hpp"

namespace parsimony {
namespace {

constexpr std::int64_t kInGroup =
    64;  // centroids per group; with fewer, sorting points costs more than it saves
static_assert(kCentroidGroups <= kernels::kMostGroups);

}  // namespace

CentroidGrouping group_centroids(MatrixView<const float> centroids, std::int32_t most,
                                 const Context& context) {
  const std::int64_t k = centroids.rows, d = centroids.cols;
  const std::int64_t groups = std::clamp<std::int64_t>(k / kInGroup, 1, most);
  std::vector<std::int32_t> group(k, 0);
  if (groups > 1) {
    Matrix<float> seeds(groups, d);
    for (std::int64_t g = 0; g < groups; ++g)
      std::copy_n(centroids.row_data(g * k / groups), d, seeds.row(g).data());
    const std::vector<float> zero(d);
    // Few iterations do: groups need not be the best ones.
    const LloydProblem problem{.points = centroids, .weights = {}, .shift = zero, .max_iterations = 5};
    group = lloyd(problem, std::move(seeds), context).labels;
  }
  CentroidGrouping out{std::vector<std::int32_t>(k), std::vector<std::int32_t>(groups + 1),
                       std::vector<std::int32_t>(k)};
  for (std::int64_t c = 0; c < k; ++c) {
    ++out.begin[group[c] + 1];
    out.bit[c] = 1 << group[c];
  }
  std::partial_sum(out.begin.begin(), out.begin.end(), out.begin.begin());
  std::iota(out.index.begin(), out.index.end(), 0);
  std::stable_sort(out.index.begin(), out.index.end(),
                   [&](std::int32_t a, std::int32_t b) { return group[a] < group[b]; });
  return out;
}

void CentroidMoves::measure(const CentroidGrouping& groups, MatrixView<const float> before,
                            MatrixView<const float> after) {
  first_fall_.assign(groups.groups(), 0);
  second_fall_.assign(groups.groups(), 0);
  fastest_.assign(groups.groups(), -1);
  for (std::int64_t c = 0; c < after.rows; ++c) {
    double squared = 0;
    for (std::int64_t j = 0; j < after.cols; ++j) {
      const double moved = static_cast<double>(after(c, j)) - before(c, j);
      squared += moved * moved;
    }
    const float fall = static_cast<float>(std::sqrt(squared)) * (1 + 0x1p-20f);
    const int g = std::countr_zero(static_cast<std::uint32_t>(groups.bit[c]));
    if (fall > first_fall_[g]) {
      second_fall_[g] = std::exchange(first_fall_[g], fall);
      fastest_[g] = static_cast<std::int32_t>(c);
    } else {
      second_fall_[g] = std::max(second_fall_[g], fall);
    }
  }
}

PointsBySet::PointsBySet(std::int64_t points, std::int32_t groups)
    : order_(points), sorted_(points), counters_(std::size_t{1} << groups) {}

void PointsBySet::sort(std::span<const std::int32_t> sets) {
  const std::int64_t all = std::ssize(sets);
  ranges_.clear();
  count_ = 0;
  if (counters_.size() == 2) {  // one group: nothing to sort
    for (std::int64_t t = 0; t < all; ++t) {
      order_[count_] = static_cast<std::int32_t>(t);
      count_ += sets[t];
    }
    ranges_.push_back({1, 0, count_});
  } else {
    // Each quarter of the points has its own counters: an increment must wait for the one before it on the
    // same counter.
    const std::int64_t quarter = all / 4;
    std::fill(counters_.begin(), counters_.end(), std::array<std::int32_t, 4>{});
    for (std::int64_t t = 0; t < quarter; ++t) {
      for (int q = 0; q < 4; ++q) ++counters_[sets[q * quarter + t]][q];
    }
    for (std::int64_t t = 4 * quarter; t < all; ++t) ++counters_[sets[t]][3];
    // Sets in the order of Gray's code differ from their neighbours by one group: lanes at the border of two
    // sets are compared with the groups of both. The empty set comes last, behind the points that are used.
    std::int32_t place = 0;
    for (std::uint32_t i = 1; i <= counters_.size(); ++i) {
      const std::uint32_t set = i == counters_.size() ? 0 : i ^ i >> 1;
      const std::int32_t begin = place;
      for (std::int32_t& counter : counters_[set]) place += std::exchange(counter, place);
      if (set == 0) break;
      if (begin < place) ranges_.push_back({static_cast<std::int32_t>(set), begin, place});
      count_ = place;
    }
    for (std::int64_t t = 0; t < quarter; ++t) {
      for (int q = 0; q < 4; ++q) {
        const std::int64_t point = q * quarter + t;
        order_[counters_[sets[point]][q]++] = static_cast<std::int32_t>(point);
      }
    }
    for (std::int64_t t = 4 * quarter; t < all; ++t)
      order_[counters_[sets[t]][3]++] = static_cast<std::int32_t>(t);
  }
  for (const Range& range : ranges_)
    std::fill(sorted_.begin() + range.begin, sorted_.begin() + range.end, range.set);
  const std::int64_t padded = (count_ + kernels::kTile - 1) / kernels::kTile * kernels::kTile;
  std::fill(sorted_.begin() + count_, sorted_.begin() + padded, 0);
}

}  // namespace parsimony
