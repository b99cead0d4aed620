#include "parsimony/core/kmeans.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>

#include "core/kmeans/lloyd.hpp"
#include "core/kmeans_points.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/core/random.hpp"
#include "thread_counts.hpp"

namespace parsimony::kmeans_test {
namespace {

using namespace testing;  // the points of kmeans_points.hpp

ErrorCode code_of(const auto& call, std::string* message = nullptr) {
  try {
    call();
  } catch (const Error& error) {
    if (message) *message = error.what();
    return error.code();
  }
  ADD_FAILURE() << "nothing was thrown";
  return ErrorCode::internal;
}

TEST(KMeans, ObjectiveFallsAndIsThatOfTheLabels) {
  for (const std::int64_t d : {1, 2, 7, 8, 19, 33}) {
    const Matrix<float> points = blobs(3000, d, 11, 2);
    for (const auto& weights : {std::vector<float>{}, random_weights(3000)}) {
      const auto result = kmeans(points, weights, {.clusters = 23, .tolerance = 0, .seed = 3});
      expect_partition(result, 3000, 23);
      EXPECT_EQ(result.report.status, Status::converged);
      const auto& history = result.report.objective_history;
      ASSERT_GT(history.size(), 1u);
      for (std::size_t i = 1; i < history.size(); ++i) EXPECT_LE(history[i], history[i - 1] * (1 + 1e-12));
      EXPECT_EQ(history.back(), result.objective);
      EXPECT_NEAR(objective_of(points, weights, result), result.objective, 1e-5 * result.objective);
    }
  }
}

// At a fixed point of Lloyd's iteration every centroid is the weighted mean of its cluster and every point is
// with the nearest centroid.
TEST(KMeans, EndsAtAFixedPoint) {
  const std::int64_t n = 2000, d = 5, k = 12;
  const Matrix<float> points = blobs(n, d, 6, 3);
  const auto weights = random_weights(n);
  const auto result = kmeans(points, weights, {.clusters = k, .max_iterations = 1000, .tolerance = 0});
  ASSERT_EQ(result.report.status, Status::converged);
  Matrix<double> sums(k, d);
  std::vector<double> total(k);
  for (std::int64_t i = 0; i < n; ++i) {
    const auto own = result.labels[i];
    total[own] += weights[i];
    for (std::int64_t j = 0; j < d; ++j) sums(own, j) += weights[i] * double(points(i, j));
    const double distance = squared_distance(points.row(i), result.centroids.row(own));
    for (std::int64_t c = 0; c < k; ++c) {
      EXPECT_GE(squared_distance(points.row(i), result.centroids.row(c)), distance * (1 - 1e-5) - 1e-5);
    }
  }
  for (std::int64_t c = 0; c < k; ++c) {
    for (std::int64_t j = 0; j < d; ++j) EXPECT_NEAR(result.centroids(c, j), sums(c, j) / total[c], 1e-5);
  }
}

TEST(KMeans, FindsSeparatedClusters) {
  const std::int64_t n = 5000, k = 20;
  const Matrix<float> points = blobs(n, 10, k, 40);
  const auto result = kmeans(points, {}, {.clusters = k});
  for (std::int64_t i = 0; i < n; ++i) EXPECT_EQ(result.labels[i], result.labels[i % k]);
  expect_partition(result, n, k);
}

TEST(KMeans, BoundsChangeNothingButTheWork) {
  struct Case {
    std::int64_t d, k;  // one group of centroids, two, four
    float apart;
  };
  for (const auto& [d, k, apart] :
       {Case{2, 37, 0}, {3, 150, 1}, {8, 300, 3}, {8, 37, 3}, {27, 140, 0.5}, {40, 37, 30}}) {
    const std::int64_t n = 9000;
    Matrix<float> points = blobs(n, d, 30, apart);
    for (std::int64_t i = 0; i < n; i += 5) {  // ties and duplicates
      for (float& v : points.row(i)) v = std::round(v);
    }
    Matrix<float> seeds(k, d);
    for (std::int64_t c = 0; c < k; ++c) std::copy_n(points.row(5 * (c / 2)).data(), d, seeds.row(c).data());
    const std::vector<float> shift(d, 0.25f), weights = random_weights(n);
    LloydProblem problem{points, weights, shift, 60, 0.0};
    const auto with = lloyd(problem, seeds, Context(2));
    problem.bounds = false;
    const auto without = lloyd(problem, seeds, Context(1));
    EXPECT_EQ(with.labels, without.labels);
    EXPECT_EQ(with.history, without.history);
    EXPECT_TRUE(std::ranges::equal(with.centroids.values(), without.centroids.values()));
    EXPECT_LT(with.evaluated, without.evaluated);
  }
}

TEST(KMeans, SameBytesForAnyNumberOfThreads) {
  for (const std::int64_t n : {3000, 40000}) {  // restarts in parallel, and one after the other
    const Matrix<float> points = blobs(n, 6, 9, 2);
    const KMeansOptions options{.clusters = 15, .restarts = 4, .max_iterations = 8, .seed = 11};
    const auto one = kmeans(points, {}, options, Context(1));
    for (const int threads : parsimony::testing::kThreadCounts) {
      const auto many = kmeans(points, {}, options, Context(threads));
      EXPECT_EQ(one.labels, many.labels);
      EXPECT_EQ(one.report.objective_history, many.report.objective_history);
      EXPECT_TRUE(std::ranges::equal(one.centroids.values(), many.centroids.values()));
    }
  }
}

// The second of two equal centroids loses all points. The point that fills its cluster has weight, although a
// point without weight is much farther from its centroid: filled by that one, the cluster would lower no
// cost.
TEST(KMeans, AnEmptiedClusterTakesAPointWithWeight) {
  Matrix<float> points(5, 1), initial(3, 1);
  const float places[] = {0, 1, 10, 11, 40}, centroids[] = {0.5f, 0.5f, 10.5f};
  std::copy_n(places, 5, points.data());
  std::copy_n(centroids, 3, initial.data());
  const std::vector<float> weights{1, 1, 1, 1, 0};
  const auto result = kmeans(points, weights, {.clusters = 3, .tolerance = 0}, initial);
  expect_partition(result, 5, 3);
  std::vector<float> weight(3);
  for (std::size_t i = 0; i < 5; ++i) weight[result.labels[i]] += weights[i];
  for (std::size_t c = 0; c < 3; ++c) EXPECT_GT(weight[c], 0) << "cluster " << c;
  EXPECT_NEAR(result.objective, 0.5, 1e-4);
  // Without any other choice it is the point without weight.
  const std::vector<float> alone{1, 0, 1, 0, 0};
  expect_partition(kmeans(points, alone, {.clusters = 3, .tolerance = 0}, initial), 5, 3);
}

TEST(KMeans, MoreRestartsAreNeverWorse) {
  const Matrix<float> points = blobs(1500, 3, 25, 4);
  double last = std::numeric_limits<double>::infinity();
  for (const int restarts : {1, 2, 5, 20}) {
    const auto result = kmeans(points, {}, {.clusters = 25, .restarts = restarts});
    EXPECT_LE(result.objective, last);
    last = result.objective;
  }
}

// Moving all points far from the origin must not cost the distances their digits.
TEST(KMeans, IsNotHurtByADistantOrigin) {
  const std::int64_t n = 2000, k = 10;
  Matrix<float> points = blobs(n, 4, k, 20);
  for (float& v : points.values()) v = std::round(v * 16) / 16;  // exact after the shift
  const auto near = kmeans(points, {}, {.clusters = k});
  for (float& v : points.values()) v += 65536;
  const auto far = kmeans(points, {}, {.clusters = k});
  EXPECT_EQ(near.labels, far.labels);
  EXPECT_NEAR(near.objective, far.objective, 1e-3 * near.objective);
}

TEST(KMeans, WeightsCountAsRepetitions) {
  const std::int64_t n = 600, d = 3, k = 7;
  const Matrix<float> points = blobs(n, d, k, 1);
  Matrix<float> repeated(3 * n, d), seeds(k, d);
  std::vector<float> weights(n);
  std::int64_t rows = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    weights[i] = static_cast<float>(1 + i % 3);
    for (int copy = 0; copy < 1 + i % 3; ++copy)
      std::copy_n(points.row(i).data(), d, repeated.row(rows++).data());
  }
  std::copy_n(points.data(), k * d, seeds.data());
  const KMeansOptions options{.clusters = k, .max_iterations = 1000, .tolerance = 0};
  const auto once = kmeans(points, weights, options, seeds);
  const auto often = kmeans({repeated.data(), rows, d}, {}, options, seeds);
  EXPECT_NEAR(once.objective, often.objective, 1e-4 * once.objective);
}

TEST(KMeans, ExactlyKClustersAmongDuplicates) {
  for (const std::int64_t distinct : {1, 2, 5}) {
    const std::int64_t n = 40;
    Matrix<float> points(n, 2);
    for (std::int64_t i = 0; i < n; ++i) points(i, 0) = static_cast<float>(i % distinct);
    for (const std::int64_t k : {1, 2, 5, 39, 40}) {
      const auto result = kmeans(points, {}, {.clusters = k});
      expect_partition(result, n, k);
      EXPECT_EQ(result.objective == 0, k >= distinct);
    }
  }
}

TEST(KMeans, PointsWithoutWeightFollowAndNeverLead) {
  const std::int64_t n = 300;
  Matrix<float> points = blobs(n, 2, 3, 10);
  std::vector<float> weights(n, 1.0f);
  for (std::int64_t i = 0; i < n; i += 2) {
    weights[i] = 0;
    points(i, 0) += 1e4f;  // would draw every seed if it counted
  }
  const auto result = kmeans(points, weights, {.clusters = 6, .restarts = 3});
  expect_partition(result, n, 6);
  for (const float v : result.centroids.values()) EXPECT_LT(std::abs(v), 1e3);
  // Fewer points of positive weight than clusters: the others fill up.
  std::fill(weights.begin(), weights.end(), 0.0f);
  weights[7] = weights[9] = 1;
  expect_partition(kmeans(points, weights, {.clusters = 6}), n, 6);
}

TEST(KMeans, EveryPointItsOwnCluster) {
  const Matrix<float> points = blobs(50, 3, 50, 5);
  const auto result = kmeans(points, {}, {.clusters = 50});
  expect_partition(result, 50, 50);
  EXPECT_EQ(result.objective, 0);
}

TEST(KMeans, OneClusterIsTheMean) {
  const Matrix<float> points = blobs(1000, 4, 3, 2);
  const auto result = kmeans(points, {}, {.clusters = 1});
  for (std::int64_t j = 0; j < 4; ++j) {
    double mean = 0;
    for (std::int64_t i = 0; i < 1000; ++i) mean += points(i, j) / 1000.0;
    EXPECT_NEAR(result.centroids(0, j), mean, 1e-5);
  }
}

TEST(KMeans, WarmStartAtASolutionStays) {
  const Matrix<float> points = blobs(2000, 5, 8, 3);
  const KMeansOptions options{.clusters = 8, .max_iterations = 1000, .tolerance = 0};
  const auto first = kmeans(points, {}, options);
  const auto again = kmeans(points, {}, options, first.centroids);
  EXPECT_LE(again.report.iterations, 2);
  EXPECT_EQ(first.labels, again.labels);
}

TEST(KMeans, ZeroIterationsAssignToTheSeeds) {
  const Matrix<float> points = blobs(500, 3, 4, 1);
  const auto result = kmeans(points, {}, {.clusters = 9, .max_iterations = 0});
  EXPECT_EQ(result.report.status, Status::iteration_limit);
  EXPECT_EQ(result.report.iterations, 0);
  for (std::int64_t c = 0; c < 9; ++c) {  // the seeds are points
    double nearest = 1;
    for (std::int64_t i = 0; i < 500; ++i) {
      nearest = std::min(nearest, squared_distance(points.row(i), result.centroids.row(c)));
    }
    EXPECT_LT(nearest, 1e-10);
  }
}

// k-means++ promises an expected objective below 8 (ln k + 2) times the optimum; on separated clusters greedy
// seeding is near it, uniform seeding is not.
TEST(KMeans, SeedsReachEveryFarCluster) {
  const std::int64_t n = 60000, k = 40;  // above 256 k: by way of a sample
  const Matrix<float> points = blobs(n, 4, k, 200);
  const auto result = kmeans(points, {}, {.clusters = k, .max_iterations = 0});
  EXPECT_LT(result.objective, 4.0 * 4 * n);  // within-cluster variance is 4 per point; a missed one costs 1e5
}

TEST(KMeans, NamesWhatIsWrong) {
  Matrix<float> points = blobs(20, 2, 2, 1);
  std::string message;
  EXPECT_EQ(code_of([&] { kmeans(points, {}, {.clusters = 21}); }, &message), ErrorCode::invalid_argument);
  EXPECT_NE(message.find("20 points"), std::string::npos) << message;
  EXPECT_EQ(code_of([&] { kmeans(points, {}, {.clusters = 0}); }), ErrorCode::invalid_argument);
  std::vector<float> weights(19, 1.0f);
  EXPECT_EQ(code_of([&] { kmeans(points, weights, {.clusters = 2}); }), ErrorCode::invalid_argument);
  weights.assign(20, 1.0f);
  for (const float bad : {-1.0f, std::nanf(""), std::numeric_limits<float>::infinity()}) {
    weights[13] = bad;
    EXPECT_EQ(code_of([&] { kmeans(points, weights, {.clusters = 2}); }, &message),
              ErrorCode::invalid_argument);
    EXPECT_NE(message.find("row 13"), std::string::npos) << message;
  }
  weights.assign(20, 0.0f);
  EXPECT_EQ(code_of([&] { kmeans(points, weights, {.clusters = 2}); }), ErrorCode::invalid_argument);
  const Matrix<float> three(2, 3);
  EXPECT_EQ(code_of([&] { kmeans(points, {}, {.clusters = 2}, three); }), ErrorCode::invalid_argument);
  for (const float bad : {std::nanf(""), std::numeric_limits<float>::infinity(), 1e30f}) {
    points(17, 1) = bad;
    EXPECT_EQ(code_of([&] { kmeans(points, {}, {.clusters = 2}); }, &message), ErrorCode::invalid_argument);
    EXPECT_NE(message.find("row 17"), std::string::npos) << message;
  }
}

TEST(KMeans, StopsWhenCancelled) {
  const Matrix<float> points = blobs(1000, 2, 2, 1);
  std::stop_source source;
  Context context;
  context.stop = source.get_token();
  source.request_stop();
  EXPECT_EQ(code_of([&] { kmeans(points, {}, {.clusters = 2}, context); }), ErrorCode::cancelled);
}

TEST(NearestCentroids, IsTheNearest) {
  for (const std::int64_t d : {1, 3, 8, 21}) {
    const Matrix<float> points = blobs(2500, d, 5, 1), centroids = blobs(77, d, 5, 1, 2);
    std::vector<float> distances(2500);
    const auto labels = nearest_centroids(points, centroids, distances);
    for (std::int64_t i = 0; i < 2500; ++i) {
      double best = std::numeric_limits<double>::infinity();
      for (std::int64_t c = 0; c < 77; ++c) {
        best = std::min(best, squared_distance(points.row(i), centroids.row(c)));
      }
      EXPECT_NEAR(squared_distance(points.row(i), centroids.row(labels[i])), best, 1e-5 * (1 + best));
      EXPECT_NEAR(distances[i], best, 1e-5 * (1 + best));
    }
  }
}

TEST(NearestCentroids, TiesGoToTheSmallerIndex) {
  Matrix<float> points(100, 2), centroids(6, 2);
  for (std::int64_t c = 0; c < 6; ++c) centroids(c, 0) = static_cast<float>(c / 2 * 4);
  for (std::int64_t i = 0; i < 100; ++i) points(i, 0) = static_cast<float>(i % 3 * 4);
  const auto labels = nearest_centroids(points, centroids);
  for (std::int64_t i = 0; i < 100; ++i) EXPECT_EQ(labels[i], 2 * (i % 3));
}

}  // namespace
}  // namespace parsimony::kmeans_test
