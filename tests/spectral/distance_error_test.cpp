#include "parsimony/spectral/distance_error.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "dense.hpp"
#include "expect_error.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/core/random.hpp"
#include "parsimony/spectral/chebyshev.hpp"
#include "parsimony/spectral/features.hpp"

namespace parsimony::spectral::distance_error_test {
namespace {

// d = 2: χ²_2/2 is exponential; d = 1: the square of a normal; d = 4: Erlang.
TEST(ProbabilityOutside, IsTheClosedFormOfFewDegrees) {
  for (const double low : {0.0, 0.1, 0.5, 0.9, 1.0}) {
    for (const double high : {1.0, 1.1, 1.7, 3.0}) {
      const double a = low * low, b = high * high;
      EXPECT_NEAR(probability_outside(2, low, high), 1 - std::exp(-a) + std::exp(-b), 1e-12);
      EXPECT_NEAR(probability_outside(1, low, high),
                  std::erf(low / std::sqrt(2)) + std::erfc(high / std::sqrt(2)), 1e-12);
      EXPECT_NEAR(probability_outside(4, low, high),
                  1 - std::exp(-2 * a) * (1 + 2 * a) + std::exp(-2 * b) * (1 + 2 * b), 1e-12);
    }
  }
}

// Small tails keep their relative precision: those of d = 2 are known.
TEST(ProbabilityOutside, HasNoCancellationInTheTails) {
  EXPECT_NEAR(probability_outside(2, 0, 20) / std::exp(-400.0), 1, 1e-10);
  EXPECT_NEAR(probability_outside(2, 1e-5, 30) / 1e-10, 1, 1e-9);
}

TEST(ProbabilityOutside, IsTheFrequencyOfGaussianVectors) {
  constexpr int kDraws = 20000, kSignals = 37;
  std::vector<float> x(kSignals);
  int outside = 0;
  for (int draw = 0; draw < kDraws; ++draw) {
    RandomStream(3, "test", draw).fill_normal(x);
    double squares = 0;
    for (const float v : x) squares += static_cast<double>(v) * v;
    const double ratio = std::sqrt(squares / kSignals);
    outside += ratio < 0.8 || ratio > 1.2;
  }
  const double p = probability_outside(kSignals, 0.8, 1.2);
  EXPECT_NEAR(static_cast<double>(outside) / kDraws, p, 4 * std::sqrt(p * (1 - p) / kDraws));
}

TEST(SignalsWithin, IsTheSmallestNumber) {
  for (const double error : {0.05, 0.2, 0.5}) {
    for (const double failure : {0.5, 0.05, 1e-6, 1e-12}) {
      const std::int64_t d = signals_within(1 - error, 1 + error, failure);
      EXPECT_LE(probability_outside(d, 1 - error, 1 + error), failure);
      EXPECT_TRUE(d == 1 || probability_outside(d - 1, 1 - error, 1 + error) > failure);
    }
  }
}

// The theorem unites a bound over all pairs; the exact tail over the same pairs, of squared distances, needs
// less and not much less.
TEST(TheoremSignals, AreMoreThanTheExactTailNeeds) {
  for (const double error : {0.1, 0.3, 0.6}) {
    for (const std::int64_t nodes : {100, 100000}) {
      const auto n = static_cast<double>(nodes);
      const std::int64_t theorem = theorem_signals(error, 1, nodes);
      const std::int64_t exact =
          signals_within(std::sqrt(1 - error), std::sqrt(1 + error), 1 / n / (n * (n - 1) / 2));
      EXPECT_LT(exact, theorem);
      EXPECT_GT(2 * exact, theorem);
      // 16 (2 + β)/(ε² − ε³/3) ln N is the same bound at ε/2.
      EXPECT_NEAR(static_cast<double>(theorem_signals(error / 2, 1, nodes)),
                  16 * 3 / (error * error - error * error * error / 3) * std::log(n), 1.01);
    }
  }
}

TEST(TheoremSamples, IsTheFormula) {
  EXPECT_EQ(theorem_samples(100, 100, 0.5, 0.1), std::ceil(3 / 0.25 * 100 * std::log(2000.0)));
}

TEST(TheErrorOfAFilter, IsThatOnEveryPointOfTheBands) {
  const double pass = 0.3, stop = 0.5;
  for (const int order : {5, 20, 80}) {
    const std::vector<double> h = low_pass(0.4, 2, order);
    const FilterError error = filter_error(h, 2, pass, stop);
    double most_pass = 0, most_stop = 0;
    for (int i = 0; i <= 20000; ++i) {
      const double lambda = 2.0 * i / 20000, value = evaluate(h, 2, lambda);
      if (lambda <= pass) most_pass = std::max(most_pass, 1 - value);
      if (lambda >= stop) most_stop = std::max(most_stop, value);
    }
    EXPECT_NEAR(error.pass, most_pass, 0.01 * most_pass);
    EXPECT_NEAR(error.stop, most_stop, 0.01 * most_stop);
  }
  const FilterError coarse = filter_error(low_pass(0.4, 2, 20), 2, pass, stop);
  const FilterError fine = filter_error(low_pass(0.4, 2, 80), 2, pass, stop);
  EXPECT_LT(fine.pass, coarse.pass);
  EXPECT_LT(fine.stop, coarse.stop);
}

class Distances : public ::testing::Test {
 protected:
  static constexpr std::int64_t kNodes = 200, kClusters = 5;
  Distances()
      : weights_(testing::block_adjacency(kClusters, kNodes / kClusters, 0.5, 0.03, 1)),
        csr_(testing::to_csr(weights_, false)),
        laplacian_(graph::make_laplacian(csr_)),
        eigen_(testing::eigen_decomposition(
            testing::dense_laplacian(weights_, graph::LaplacianKind::normalized))) {}

  // Pairs whose distance of spectral clustering is at least `least` root mean squares, with that distance.
  struct Pair {
    std::int64_t i, j;
    double distance;
  };
  std::vector<Pair> pairs(double least) const {
    std::vector<Pair> out;
    for (std::int64_t i = 0; i < kNodes; ++i) {
      for (std::int64_t j = 0; j < i; ++j) {
        double squares = 0;
        for (std::int64_t m = 0; m < kClusters; ++m) {
          const double difference = eigen_.vectors[m][i] - eigen_.vectors[m][j];
          squares += difference * difference;
        }
        const double distance = std::sqrt(squares);
        if (distance >= least * std::sqrt(2.0 * kClusters / kNodes)) out.push_back({i, j, distance});
      }
    }
    return out;
  }

  // Share of the pairs outside of 1 ± error over the seeds, and of seeds with any pair outside.
  std::pair<double, double> outside(const DistancePlan& plan, std::int64_t signals, double error,
                                    double least, int seeds) const {
    const auto among = pairs(least);
    const auto h = low_pass(plan.cutoff, laplacian_.lambda_max, plan.order);
    std::int64_t count = 0, any = 0;
    for (int seed = 0; seed < seeds; ++seed) {
      const Matrix<float> f = random_features(laplacian_, h, signals, seed, Context(1));
      std::int64_t here = 0;
      for (const Pair& pair : among) {
        double squares = 0;
        for (std::int64_t c = 0; c < signals; ++c) {
          squares += (f(pair.i, c) - f(pair.j, c)) * (f(pair.i, c) - f(pair.j, c));
        }
        here += std::abs(std::sqrt(squares) / pair.distance - 1) > error;
      }
      count += here;
      any += here > 0;
    }
    return {static_cast<double>(count) / (static_cast<double>(among.size()) * seeds),
            static_cast<double>(any) / seeds};
  }

  DistancePlan plan(const DistanceOptions& options) const {
    return plan_distances(kNodes, kClusters, eigen_.values[kClusters - 1], eigen_.values[kClusters], 2,
                          options);
  }

  testing::Dense weights_;
  Csr csr_;
  graph::Laplacian laplacian_;
  testing::Eigen eigen_;
};

// The promise and its price: below δ over 200 seeds, and above it with a quarter of the signals.
TEST_F(Distances, AreKeptAsPromisedForEachPair) {
  const DistanceOptions options{.error = 0.3, .failure_probability = 0.05};
  const DistancePlan p = plan(options);
  ASSERT_TRUE(p.kept);
  EXPECT_LE(outside(p, p.signals, options.error, options.least_distance, 200).first, 0.05);
  EXPECT_GT(outside(p, p.signals / 4, options.error, options.least_distance, 200).first, 0.05);
}

// The union over pairs counts failures that come together as many: here it costs about four times the
// signals.
TEST_F(Distances, AreKeptAsPromisedForAllPairsAtOnce) {
  const DistanceOptions options{.error = 0.4, .failure_probability = 0.1, .all_pairs = true};
  const DistancePlan p = plan(options);
  ASSERT_TRUE(p.kept);
  EXPECT_LE(outside(p, p.signals, options.error, options.least_distance, 50).second, 0.1);
  EXPECT_GT(outside(p, p.signals / 8, options.error, options.least_distance, 50).second, 0.1);
}

// Beside no gap no order is enough; it says so instead of promising.
TEST_F(Distances, BesideATinyGapAreNotPromised) {
  const DistancePlan p = plan_distances(kNodes, 5, 0.5, 0.5001, 2, {.max_order = 200});
  EXPECT_FALSE(p.kept);
  EXPECT_EQ(p.order, 200);
  EXPECT_GT(p.filter.pass, 0.3);
}

TEST(DistanceErrors, RefuseWhatCannotBe) {
  const auto refuses = [](const char* part, const auto& call) {
    expect_error(ErrorCode::invalid_argument, part, call);
  };
  refuses("signals: 0", [] { probability_outside(0, 0.5, 2); });
  refuses("low, high", [] { probability_outside(3, 1.1, 2); });
  refuses("failure_probability", [] { signals_within(0.9, 1.1, 0); });
  refuses("low, high", [] { signals_within(1, 1.1, 0.1); });
  refuses("error: 1", [] { theorem_signals(1, 0, 10); });
  refuses("squared_coherence", [] { theorem_samples(10, 5, 0.1, 0.1); });
  refuses("pass, stop", [] { filter_error(low_pass(1, 2, 5), 2, 1, 0.5); });
  refuses("error", [] { plan_distances(100, 5, 0.1, 0.2, 2, {.error = 0}); });
  refuses("k: 100", [] { plan_distances(100, 100, 0.1, 0.2, 2, {}); });
  refuses("lambda_k, lambda_next", [] { plan_distances(100, 5, 0.3, 0.2, 2, {}); });
}

}  // namespace
}  // namespace parsimony::spectral::distance_error_test
