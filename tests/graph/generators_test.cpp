#include "parsimony/graph/generators.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "parsimony/core/error.hpp"

namespace parsimony::graph::generators_test {
namespace {

void expect_simple_graph(const PlantedGraph& planted, const BlockModelOptions& options) {
  const Csr& a = planted.graph.adjacency;
  ASSERT_EQ(a.rows(), options.nodes);
  ASSERT_EQ(std::ssize(planted.labels), options.nodes);
  ASSERT_EQ(a.offsets.back(), a.entries());
  EXPECT_TRUE(a.values.empty());
  for (std::int64_t i = 0; i < a.rows(); ++i) {
    for (auto e = a.offsets[i]; e < a.offsets[i + 1]; ++e) {
      const std::int32_t j = a.columns[e];
      ASSERT_TRUE(j >= 0 && j < a.rows() && j != i);
      if (e > a.offsets[i]) {
        ASSERT_LT(a.columns[e - 1], j) << "row " << i;  // ascending, so no duplicates
      }
      ASSERT_TRUE(
          std::binary_search(a.columns.begin() + a.offsets[j], a.columns.begin() + a.offsets[j + 1], i));
    }
  }
}

struct Pairs {
  double inside = 0, outside = 0;
};

Pairs edges_of(const PlantedGraph& planted) {
  Pairs out;
  const Csr& a = planted.graph.adjacency;
  for (std::int64_t i = 0; i < a.rows(); ++i) {
    for (auto e = a.offsets[i]; e < a.offsets[i + 1]; ++e) {
      (planted.labels[i] == planted.labels[a.columns[e]] ? out.inside : out.outside) += 0.5;
    }
  }
  return out;
}

Pairs possible_pairs(const BlockModelOptions& options) {
  const double n = static_cast<double>(options.nodes), k = static_cast<double>(options.clusters);
  const double small = std::floor(n / k), large = n - small * k;
  const double inside = (k - large) * small * (small - 1) / 2 + large * (small + 1) * small / 2;
  return {inside, n * (n - 1) / 2 - inside};
}

const std::vector<BlockModelOptions> kCases{
    {.nodes = 20000, .clusters = 20},
    {.nodes = 20001, .clusters = 19, .epsilon_ratio = 0.7, .shuffle = false, .seed = 4},
    {.nodes = 3000, .clusters = 1, .degree = 20},
    {.nodes = 1000, .clusters = 1000, .degree = 12, .epsilon_ratio = 0.3},
    {.nodes = 5000, .clusters = 50, .epsilon_ratio = 0},
    {.nodes = 5000, .clusters = 500, .degree = 8, .epsilon_ratio = 1},
    {.nodes = 4000, .clusters = 4, .epsilon_ratio = 1 / 0.48},  // above ε_c: ε near 1
    {.nodes = 7, .clusters = 3, .degree = 2, .epsilon_ratio = 5},
    {.nodes = 64, .clusters = 2, .degree = 31, .epsilon_ratio = 0},  // p_in = 1: two cliques
};

TEST(BlockModel, IsASimpleGraphWithEvenClusters) {
  for (auto options : kCases) {
    for (const double exponent : {0.0, 2.5}) {
      options.degree_exponent = exponent;
      const PlantedGraph planted = stochastic_block_model(options);
      expect_simple_graph(planted, options);
      std::vector<std::int64_t> sizes(options.clusters);
      for (const auto label : planted.labels) ++sizes.at(label);
      const auto [least, most] = std::ranges::minmax(sizes);
      EXPECT_LE(most - least, 1);
      EXPECT_GE(least, 1);
    }
  }
}

// Numbers of edges are binomial: five standard deviations either way are missed in less than one of 10^6
// draws.
TEST(BlockModel, EdgesInsideAndOutsideHaveTheirProbabilities) {
  for (const auto& options : kCases) {
    const BlockProbabilities p = block_probabilities(options);
    const Pairs pairs = possible_pairs(options), edges = edges_of(stochastic_block_model(options));
    const auto expect = [](double count, double trials, double probability) {
      if (trials == 0) {
        EXPECT_EQ(count, 0);
        return;
      }
      EXPECT_NEAR(count, trials * probability,
                  5 * std::sqrt(trials * probability * (1 - probability)) + 1e-9);
    };
    expect(edges.inside, pairs.inside, p.inside);
    expect(edges.outside, pairs.outside, p.outside);
    // The papers' p_in and p_out give the mean degree asked for (exactly so for clusters of one size).
    const double n = static_cast<double>(options.nodes);
    const double mean = 2 * (pairs.inside * p.inside + pairs.outside * p.outside) / n;
    EXPECT_NEAR(mean, options.degree, 0.01 * options.degree + (options.nodes < 10 ? 0.2 : 0.0));
    if (options.clusters > 1 && options.clusters < options.nodes) {
      EXPECT_NEAR(p.outside / p.inside, options.epsilon_ratio * p.epsilon_c, 1e-12);
    }
  }
}

// Degrees of the plain model are Poisson in the limit: variance equal to the mean.
TEST(BlockModel, DegreesOfThePlainModelAreEven) {
  const auto degree = degrees(stochastic_block_model({.nodes = 50000, .clusters = 10}).graph);
  double mean = 0, variance = 0;
  for (const double d : degree) mean += d / 50000;
  for (const double d : degree) variance += (d - mean) * (d - mean) / 50000;
  EXPECT_NEAR(mean, 16, 5 * std::sqrt(2 * 16 / 50000.0));
  EXPECT_NEAR(variance, 16, 16 * 5 * std::sqrt(2 / 50000.0) + 0.05);
}

TEST(BlockModel, CorrectedDegreesKeepTheMeanAndHaveATail) {
  const BlockModelOptions options{
      .nodes = 100000, .clusters = 10, .degree = 20, .degree_exponent = 2.5, .seed = 3};
  const PlantedGraph planted = stochastic_block_model(options);
  const auto degree = degrees(planted.graph);
  const double mean = std::accumulate(degree.begin(), degree.end(), 0.0) / 100000;
  EXPECT_NEAR(mean, 20, 0.02 * 20);
  // P(degree > x) ~ x^-(exponent - 1): from x = 60 to 240 it falls by 4^1.5 = 8; Poisson degrees never get
  // there.
  const auto above = [&](double x) {
    return double(std::ranges::count_if(degree, [&](double d) { return d > x; }));
  };
  EXPECT_GT(above(240), 300);
  EXPECT_NEAR(std::log(above(60) / above(240)), std::log(8.0), 0.25);
  const Pairs edges = edges_of(planted);
  const double epsilon = 0.25 * block_probabilities(options).epsilon_c;
  EXPECT_NEAR(edges.outside / edges.inside, 9 * epsilon, 0.03 * 9 * epsilon);
}

TEST(BlockModel, SameGraphForAnyNumberOfThreads) {
  for (const double exponent : {0.0, 3.0}) {
    const BlockModelOptions options{.nodes = 30000, .clusters = 30, .degree_exponent = exponent, .seed = 9};
    const auto one = stochastic_block_model(options, Context(1));
    for (const int threads : {2, 3, 8}) {
      const auto many = stochastic_block_model(options, Context(threads));
      EXPECT_EQ(one.graph.adjacency.offsets, many.graph.adjacency.offsets);
      EXPECT_EQ(one.graph.adjacency.columns, many.graph.adjacency.columns);
      EXPECT_EQ(one.labels, many.labels);
    }
    auto other = options;
    other.seed = 10;
    EXPECT_NE(one.graph.adjacency.columns, stochastic_block_model(other).graph.adjacency.columns);
  }
}

TEST(BlockModel, ShuffleOnlyRenames) {
  BlockModelOptions options{.nodes = 2000, .clusters = 7, .seed = 2};
  const auto shuffled = stochastic_block_model(options);
  options.shuffle = false;
  const auto plain = stochastic_block_model(options);
  EXPECT_TRUE(std::ranges::is_sorted(plain.labels));
  EXPECT_FALSE(std::ranges::is_sorted(shuffled.labels));
  std::map<std::pair<std::int32_t, double>, int> a, b;  // (cluster, degree) of the nodes, as multisets
  const auto da = degrees(plain.graph), db = degrees(shuffled.graph);
  for (std::int64_t i = 0; i < 2000; ++i) {
    ++a[{plain.labels[i], da[i]}];
    ++b[{shuffled.labels[i], db[i]}];
  }
  EXPECT_EQ(a, b);
}

// The probability of each single pair, over many graphs: the skipping has no favourites.
TEST(BlockModel, EveryPairIsAsLikelyAsItsNeighbour) {
  BlockModelOptions options{.nodes = 9, .clusters = 3, .degree = 3, .epsilon_ratio = 0.9, .shuffle = false};
  const BlockProbabilities p = block_probabilities(options);
  const int draws = 20000;
  double count[9][9] = {};
  for (int s = 0; s < draws; ++s) {
    options.seed = s;
    const auto planted = stochastic_block_model(options, Context(1));
    const Csr& a = planted.graph.adjacency;
    for (int i = 0; i < 9; ++i) {
      for (auto e = a.offsets[i]; e < a.offsets[i + 1]; ++e) count[i][a.columns[e]] += 1;
    }
  }
  for (int i = 0; i < 9; ++i) {
    for (int j = 0; j < i; ++j) {
      const double q = i / 3 == j / 3 ? p.inside : p.outside;
      EXPECT_NEAR(count[i][j] / draws, q, 5 * std::sqrt(q * (1 - q) / draws)) << i << " " << j;
    }
  }
}

TEST(BlockModel, RefusesWhatCannotBe) {
  const std::vector<BlockModelOptions> bad{
      {.nodes = 10, .clusters = 11},
      {.nodes = 0, .clusters = 1},
      {.nodes = 100, .clusters = 0},
      {.nodes = 1000, .clusters = 100, .degree = 16, .epsilon_ratio = 0},  // a cluster has 9 partners
      {.nodes = 100, .clusters = 100, .degree = 4, .epsilon_ratio = 0},    // no pair is allowed
      {.nodes = 10, .clusters = 1, .degree = 10},
      {.nodes = 100, .clusters = 2, .degree = -1},
      {.nodes = 100, .clusters = 2, .degree = std::nan("")},
      {.nodes = 100, .clusters = 2, .degree = 1, .epsilon_ratio = 0.5},
      {.nodes = 100, .clusters = 2, .epsilon_ratio = -0.1},
      {.nodes = 100, .clusters = 2, .degree_exponent = 1.5},
  };
  for (const auto& options : bad) {
    try {
      stochastic_block_model(options);
      ADD_FAILURE() << options.nodes << " nodes, " << options.clusters << " clusters, degree "
                    << options.degree;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
    }
  }
}

}  // namespace
}  // namespace parsimony::graph::generators_test
