#include "core/kmeans/kmeans_exchange.hpp"

#include <gtest/gtest.h>

#include <set>

#include "core/kmeans_points.hpp"
#include "thread_counts.hpp"

namespace parsimony::kmeans_exchange_test {
namespace {

using namespace testing;  // the points of kmeans_points.hpp

// Two centroids in one of four far blobs and one between two others: Lloyd's iterations stay there, whatever
// they are given to do; one exchange leads to the minimum, which the truth gives.
TEST(KMeansExchanges, LeaveTheMinimumOfTwoBlobsUnderOneCentroid) {
  for (const bool weighted : {false, true}) {
    Matrix<float> points(400, 3), initial(4, 3), best(4, 3);
    RandomStream(7, "test.points").fill_normal(points.values());
    const float corners[4][3] = {{0, 0, 0}, {100, 0, 0}, {0, 90, 0}, {8, 97, 0}};
    for (std::int64_t i = 0; i < 400; ++i) {
      for (std::int64_t j = 0; j < 3; ++j) points(i, j) += corners[i % 4][j];
    }
    for (std::int64_t j = 0; j < 3; ++j) {
      initial(0, j) = corners[0][j] + (j == 2 ? 1.0f : 0.0f);
      initial(1, j) = corners[0][j] - (j == 2 ? 1.0f : 0.0f);
      initial(2, j) = corners[1][j];
      initial(3, j) = (corners[2][j] + corners[3][j]) / 2;
      for (std::int64_t c = 0; c < 4; ++c) best(c, j) = corners[c][j];
    }
    const auto weights = weighted ? random_weights(400) : std::vector<float>{};
    const KMeansOptions plain{.clusters = 4, .tolerance = 0};
    KMeansOptions exchanging = plain;
    exchanging.exchanges = 5;
    const auto truth = kmeans(points, weights, plain, best);
    const auto stuck = kmeans(points, weights, plain, initial);
    const auto freed = kmeans(points, weights, exchanging, initial);
    EXPECT_GT(stuck.objective, 3 * truth.objective);
    EXPECT_NEAR(freed.objective, truth.objective, 1e-6 * truth.objective);
    expect_partition(freed, 400, 4);
  }
}

TEST(KMeansExchanges, NeverRaiseTheObjectiveAndStillEndWithEveryCluster) {
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    const Matrix<float> points = blobs(600, 1 + 3 * static_cast<std::int64_t>(seed), 15, 3, seed);
    for (const auto& weights : {std::vector<float>{}, random_weights(600)}) {
      const KMeansOptions plain{.clusters = 20, .seed = seed};
      KMeansOptions exchanging = plain;
      exchanging.exchanges = 20;
      const auto before = kmeans(points, weights, plain);
      const auto after = kmeans(points, weights, exchanging);
      expect_partition(after, 600, 20);
      EXPECT_LE(after.objective, before.objective);
      EXPECT_NEAR(objective_of(points, weights, after), after.objective, 1e-5 * after.objective);
      const auto& history = after.report.objective_history;
      for (std::size_t i = 1; i < history.size(); ++i) EXPECT_LE(history[i], history[i - 1] * (1 + 1e-8));
    }
  }
}

// The result of one exchange against the definition: with every point at the nearest of its centroids the
// objective is lower, and of equal or fewer distinct points than clusters nothing is left to exchange.
TEST(KMeansExchanges, EndWhereNothingIsGained) {
  const Matrix<float> points = blobs(300, 4, 6, 30, 3);
  const std::vector<float> shift(4);
  std::vector<std::int32_t> truth(300), poor(300);
  for (std::int32_t i = 0; i < 300; ++i) {
    truth[i] = i % 6;
    poor[i] = i % 6 == 1 ? 0 : i % 6 == 2 && i % 4 == 0 ? 1 : i % 6;  // 0 and 1 together, 2 in two
  }
  EXPECT_FALSE(exchange_clusters(points, {}, shift, truth, 6, 0, Context{}).has_value());
  const auto found = exchange_clusters(points, {}, shift, poor, 6, 0, Context{});
  ASSERT_TRUE(found.has_value());
  const auto labels = nearest_centroids(points, *found);
  for (std::int32_t i = 6; i < 300; ++i) EXPECT_EQ(labels[i], labels[i % 6]) << i;
  EXPECT_EQ((std::set<std::int32_t>(labels.begin(), labels.end()).size()), 6u);
  const Matrix<float> same(50, 3);
  const auto single = kmeans(same, {}, {.clusters = 4, .exchanges = 3});
  expect_partition(single, 50, 4);
}

TEST(KMeansExchanges, GiveTheSameBytesForAnyNumberOfThreads) {
  const Matrix<float> points = blobs(5000, 9, 30, 2);
  const KMeansOptions options{.clusters = 40, .restarts = 3, .exchanges = 4, .seed = 2};
  const auto one = kmeans(points, {}, options, Context(1));
  for (const int threads : parsimony::testing::kThreadCounts) {
    const auto other = kmeans(points, {}, options, Context(threads));
    EXPECT_EQ(one.labels, other.labels);
    EXPECT_EQ(one.objective, other.objective);
  }
}

}  // namespace
}  // namespace parsimony::kmeans_exchange_test
