#include "graph/points/copies.hpp"

#include <algorithm>
#include <span>
#include <tuple>
#include <vector>

namespace parsimony::graph {
namespace {

constexpr std::int64_t kCopiedRows = 1 << 10;  // in a block
// The 7th neighbour of a point, the scale of its self-tuning weights, is to be another point.
constexpr std::int64_t kMostSpreadCopies = 6;

struct ListedPoint {
  float distance;
  std::int32_t point;
};

bool precedes(const ListedPoint& a, const ListedPoint& b) {
  return std::tie(a.distance, a.point) < std::tie(b.distance, b.point);
}

// A list of k neighbours that grows.
class CopiedList {
 public:
  CopiedList(const DistinctRows& distinct, std::int64_t k) : distinct_(distinct), k_(k) {}

  // The nearest points first, the smaller index of equally distant ones; `own` is left out.
  void take_nearest(std::span<const std::int32_t> groups, std::span<const float> distances,
                    std::int64_t own_group, std::int32_t own) {
    points_.clear();
    if (own_group >= 0) append(own_group, 0, own);
    for (std::size_t r = 0; r < groups.size() && size() < k_;) {
      const auto begin = static_cast<std::ptrdiff_t>(points_.size());
      const float distance = distances[r];
      for (; r < groups.size() && distances[r] == distance; ++r) append(groups[r], distance, own);
      std::sort(points_.begin() + begin, points_.end(), precedes);
    }
    points_.resize(std::min<std::size_t>(points_.size(), static_cast<std::size_t>(k_)));
  }

  // Copies: two beside the point in the order of the group and then its first ones, which hold the group
  // together. Others: in turn one copy of each near point, the one at the place that the point has in its own
  // group.
  void take_spread(std::span<const std::int32_t> groups, std::span<const float> distances,
                   std::int64_t own_group, std::int32_t own) {
    const auto copies = distinct_.group(own_group);
    const auto count = static_cast<std::int64_t>(copies.size());
    const auto near = static_cast<std::int64_t>(groups.size());
    const std::int64_t few = most_copies(k_, CopyRule::spread);
    if (count - 1 <= few) return take_nearest(groups, distances, own_group, own);
    const std::int64_t wanted = std::clamp(k_ - near, few, count - 1);
    const std::int64_t place = std::lower_bound(copies.begin(), copies.end(), own) - copies.begin();
    points_.clear();
    const std::int32_t next = copies[(place + 1) % count], last = copies[(place + count - 1) % count];
    if (wanted >= 3) points_ = {{0, next}, {0, last}};  // count is at least 4
    for (std::int64_t c = 0; size() < wanted; ++c) {
      if (c == place || (wanted >= 3 && (copies[c] == next || copies[c] == last))) continue;
      points_.push_back({0, copies[c]});
    }
    for (std::int64_t round = 0; size() < k_; ++round) {
      for (std::int64_t r = 0; r < near && size() < k_; ++r) {
        const auto members = distinct_.group(groups[r]);
        const auto members_count = static_cast<std::int64_t>(members.size());
        if (round < members_count)
          points_.push_back({distances[r], members[(place + round) % members_count]});
      }
    }
    std::sort(points_.begin(), points_.end(), precedes);
  }

  std::int64_t size() const { return static_cast<std::int64_t>(points_.size()); }
  const ListedPoint& operator[](std::int64_t r) const { return points_[r]; }

 private:
  void append(std::int64_t group, float distance, std::int32_t own) {
    const auto members = distinct_.group(group);
    const std::size_t most = std::min(members.size(), static_cast<std::size_t>(k_) + 1);
    for (const std::int32_t member : members.first(most)) {
      if (member != own) points_.push_back({distance, member});
    }
  }

  const DistinctRows& distinct_;
  std::int64_t k_;
  std::vector<ListedPoint> points_;
};

}  // namespace

std::int64_t most_copies(std::int64_t k, CopyRule rule) {
  return rule == CopyRule::nearest ? k : std::min((k + 1) / 2, kMostSpreadCopies);
}

Neighbors with_copies(const Neighbors& found, const DistinctRows& distinct, std::int64_t k,
                      bool among_themselves, CopyRule rule, const Context& context) {
  const std::int64_t count =
      among_themselves ? static_cast<std::int64_t>(distinct.group_of.size()) : found.indices.rows();
  Neighbors out{.indices = Matrix<std::int32_t>(count, k),
                .distances = Matrix<float>(count, k),
                .metric = found.metric,
                .report = found.report};
  context.for_blocks(count, kCopiedRows, [&](std::int64_t begin, std::int64_t end) {
    CopiedList list(distinct, k);
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t row = among_themselves ? distinct.group_of[i] : i;
      const std::int64_t own_group = among_themselves ? row : -1;
      const std::int32_t own = among_themselves ? static_cast<std::int32_t>(i) : -1;
      const auto groups = found.indices.row(row);
      const auto distances = found.distances.row(row);
      if (rule == CopyRule::spread && among_themselves) {
        list.take_spread(groups, distances, own_group, own);
      } else {
        list.take_nearest(groups, distances, own_group, own);
      }
      for (std::int64_t r = 0; r < k; ++r) {
        out.indices(i, r) = list[r].point;
        out.distances(i, r) = list[r].distance;
      }
    }
  });
  return out;
}

}  // namespace parsimony::graph
