#include "kernels/nearest_points.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "kernels/every_target.hpp"
#include "parsimony/core/matrix.hpp"
#include "parsimony/core/random.hpp"

namespace parsimony::kernels::nearest_points_test {
namespace {

struct Lists {
  std::int64_t capacity;
  std::vector<float> distances;
  std::vector<std::int32_t> ids;

  Lists(std::int64_t count, std::int64_t capacity_)
      : capacity(capacity_),
        distances(count * capacity, std::numeric_limits<float>::infinity()),
        ids(count * capacity, std::numeric_limits<std::int32_t>::max()) {}
  NearestLists view() { return {capacity, distances.data(), ids.data()}; }
  bool operator==(const Lists&) const = default;
};

// Small whole coordinates, whose distances float32 holds exactly, with many ties and copies.
struct Problem {
  std::int64_t queries, d, points;
  std::vector<float> rows, half_norms, query_rows, zero;
  std::vector<std::int32_t> slots, own;
  Matrix<float> tiles;

  Problem(std::int64_t queries_, std::int64_t d_, std::int64_t points_)
      : queries(queries_),
        d(d_),
        points(points_),
        rows(points * d),
        half_norms(points),
        query_rows(queries * d),
        zero(d),
        slots(queries),
        own(queries),
        tiles((queries + kTile - 1) / kTile * kTile, d) {
    const RandomStream random(queries + 100 * d + 10000 * points, "test");
    for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<float>(random.below(4, i));
    for (std::size_t i = 0; i < query_rows.size(); ++i) {
      query_rows[i] = static_cast<float>(random.below(4, 1000000 + i));
    }
    for (std::int64_t c = 0; c < points; ++c) {
      for (std::int64_t j = 0; j < d; ++j) half_norms[c] += rows[c * d + j] * rows[c * d + j] / 2;
    }
    for (std::int64_t q = 0; q < queries; ++q) {  // in another order than the tiles
      slots[q] = static_cast<std::int32_t>(queries - 1 - q);
      own[q] = static_cast<std::int32_t>(q);
    }
    pack_tiles({query_rows.data(), d, d, zero.data(), nullptr}, queries, tiles.data());
  }
  PointBlock block() const { return {rows.data(), half_norms.data(), nullptr, points}; }
  // By definition: all points in the order of (distance, id).
  Lists expected(std::int64_t capacity, bool leave_out_own, float power = 2) const {
    Lists out(queries, capacity);
    for (std::int64_t q = 0; q < queries; ++q) {
      std::vector<std::pair<float, std::int32_t>> all;
      for (std::int64_t c = 0; c < points; ++c) {
        if (leave_out_own && own[slots[q]] == c) continue;
        float sum = 0;
        for (std::int64_t j = 0; j < d; ++j)
          sum += std::pow(std::abs(query_rows[q * d + j] - rows[c * d + j]), power);
        all.emplace_back(sum, static_cast<std::int32_t>(c));
      }
      std::sort(all.begin(), all.end());
      for (std::int64_t r = 0; r < std::min<std::int64_t>(capacity, all.size()); ++r) {
        out.distances[slots[q] * capacity + r] = all[r].first;
        out.ids[slots[q] * capacity + r] = all[r].second;
      }
    }
    return out;
  }
};

TEST(NearestPoints, IsTheSortedListOnEveryTarget) {
  for_targets([] {
    for (const std::int64_t queries : {1, 15, 16, 17, 33, 64, 65, 130}) {
      for (const std::int64_t d : {1, 2, 5, 16, 31}) {
        for (const std::int64_t points : {0, 1, 3, 4, 7, 8, 13, 67}) {
          const Problem problem(queries, d, points);
          for (const std::int64_t capacity : {1, 6}) {
            for (const bool leave_out_own : {false, true}) {
              SCOPED_TRACE(::testing::Message() << queries << " queries, " << d << " columns, " << points);
              const Lists expected = problem.expected(capacity, leave_out_own);
              Lists got(queries, capacity), plain(queries, capacity);
              const std::int32_t* own = leave_out_own ? problem.own.data() : nullptr;
              nearest_points(problem.tiles.data(), queries, d, problem.block(), problem.slots.data(), own,
                             got.view());
              scalar::nearest_points(problem.tiles.data(), queries, d, problem.block(), problem.slots.data(),
                                     own, plain.view());
              ASSERT_EQ(got, expected);
              ASSERT_EQ(plain, expected);
              if (capacity == 1 || !leave_out_own) continue;
              const Lists expected_sums = problem.expected(capacity, leave_out_own, 1);
              Lists sums(queries, capacity), plain_sums(queries, capacity);
              nearest_points_manhattan(problem.tiles.data(), queries, d, problem.block(),
                                       problem.slots.data(), own, sums.view());
              scalar::nearest_points_manhattan(problem.tiles.data(), queries, d, problem.block(),
                                               problem.slots.data(), own, plain_sums.view());
              ASSERT_EQ(sums, expected_sums);
              ASSERT_EQ(plain_sums, expected_sums);
            }
          }
        }
      }
    }
  });
}

TEST(NearestPoints, ManhattanDistancesAreThoseOfPlainCode) {
  for_targets([] {
    for (const std::int64_t queries : {1, 64, 130}) {
      for (const std::int64_t d : {1, 5, 31}) {
        for (const std::int64_t points : {1, 4, 7, 67}) {
          const Problem problem(queries, d, points);
          const std::int64_t padded = problem.tiles.rows();
          std::vector<float> got(points * padded), plain(points * padded);
          manhattan_distances(problem.tiles.data(), padded / kTile, d, problem.rows.data(), points,
                              got.data(), padded);
          scalar::manhattan_distances(problem.tiles.data(), padded / kTile, d, problem.rows.data(), points,
                                      plain.data(), padded);
          ASSERT_EQ(got, plain) << "sums of small whole numbers are exact";
        }
      }
    }
  });
}

// The search does not depend on its blocks: points offered in two parts, in either order, and queries in
// other tiles give the same bytes for any coordinates.
TEST(NearestPoints, DependsOnNoOrder) {
  constexpr std::int64_t kQueries = 70, kD = 7, kPoints = 90, kCapacity = 9;
  Problem problem(kQueries, kD, kPoints);
  RandomStream(1, "points").fill_normal(problem.rows);
  RandomStream(1, "queries").fill_normal(problem.query_rows);
  std::vector<std::int32_t> ids(kPoints);
  std::iota(ids.begin(), ids.end(), 0);
  const auto part = [&](std::int64_t first, std::int64_t count) {
    return PointBlock{problem.rows.data() + first * kD, problem.half_norms.data() + first, ids.data() + first,
                      count};
  };
  for_targets([&] {
    pack_tiles({problem.query_rows.data(), kD, kD, problem.zero.data(), nullptr}, kQueries,
               problem.tiles.data());
    Lists whole(kQueries, kCapacity), parts(kQueries, kCapacity), single(kQueries, kCapacity);
    const auto offer = [&](const PointBlock& block, Lists& lists) {
      nearest_points(problem.tiles.data(), kQueries, kD, block, problem.slots.data(), nullptr, lists.view());
    };
    offer(part(0, kPoints), whole);
    offer(part(53, kPoints - 53), parts);
    offer(part(0, 53), parts);
    EXPECT_EQ(whole, parts);
    for (std::int64_t q = 0; q < kQueries; ++q) {
      pack_tiles({problem.query_rows.data() + q * kD, kD, kD, problem.zero.data(), nullptr}, 1,
                 problem.tiles.data());
      nearest_points(problem.tiles.data(), 1, kD, part(0, kPoints), problem.slots.data() + q, nullptr,
                     single.view());
    }
    EXPECT_EQ(whole, single);
  });
}

}  // namespace
}  // namespace parsimony::kernels::nearest_points_test
