#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "expect_error.hpp"
#include "graph/graph_checks.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/graph/generators.hpp"

namespace parsimony::graph::lfr_test {
namespace {

// Degree inside and weight inside of every node.
struct Inside {
  std::vector<double> edges, weight;
};

Inside inside(const PlantedGraph& planted) {
  const Csr& a = planted.graph.adjacency;
  Inside out{std::vector<double>(a.rows()), std::vector<double>(a.rows())};
  for (std::int64_t i = 0; i < a.rows(); ++i) {
    for (auto e = a.offsets[i]; e < a.offsets[i + 1]; ++e) {
      if (planted.labels[i] != planted.labels[a.columns[e]]) continue;
      out.edges[i] += 1;
      out.weight[i] += a.values.empty() ? 1 : a.values[e];
    }
  }
  return out;
}

std::vector<std::int64_t> sizes_of(const PlantedGraph& planted) {
  std::vector<std::int64_t> sizes(*std::ranges::max_element(planted.labels) + 1);
  for (const auto label : planted.labels) ++sizes.at(label);
  return sizes;
}

// Mean of a density in proportion to x^−exponent on [low, high], by the trapezoidal rule on a logarithmic
// grid.
double power_law_mean(double exponent, double low, double high) {
  double mass = 0, moment = 0;
  constexpr int kSteps = 100000;
  for (int s = 0; s <= kSteps; ++s) {
    const double x = low * std::pow(high / low, static_cast<double>(s) / kSteps);
    const double weight = std::pow(x, 1 - exponent) * (s == 0 || s == kSteps ? 0.5 : 1);
    mass += weight;
    moment += weight * x;
  }
  return moment / mass;
}

const std::vector<LfrOptions> kCases{
    {},
    {.mixing = 0},
    {.nodes = 3000, .mixing = 1},
    {.nodes = 1000, .max_community = 50, .mixing = 0.1},  // the paper's small communities
    {.nodes = 20000,
     .mean_degree = 6,
     .max_degree = 200,
     .degree_exponent = 2,
     .min_community = 50,
     .max_community = 500,
     .mixing = 0.5,
     .seed = 3},
    {.nodes = 5000,
     .mean_degree = 10,
     .max_degree = 10,
     .community_exponent = 1,
     .min_community = 50,
     .max_community = 50,
     .mixing = 0.25},  // every node alike
    {.nodes = 64,
     .mean_degree = 6,
     .max_degree = 12,
     .degree_exponent = 1,
     .min_community = 13,
     .max_community = 40,
     .mixing = 0.2,
     .seed = 9}};

TEST(Lfr, IsASimpleGraphOfCommunitiesOfTheSizesAskedFor) {
  for (const LfrOptions& options : kCases) {
    const PlantedGraph planted = lfr_benchmark(options);
    ASSERT_EQ(planted.graph.nodes(), options.nodes);
    ASSERT_EQ(std::ssize(planted.labels), options.nodes);
    EXPECT_EQ(std::ssize(edges_of(planted.graph)), planted.graph.edges());
    EXPECT_FALSE(planted.graph.weighted());
    const auto sizes = sizes_of(planted);
    EXPECT_TRUE(std::ranges::is_sorted(sizes, std::greater<>()));
    EXPECT_LE(sizes.front(), options.max_community);
    EXPECT_GE(sizes.back(), options.min_community);
  }
}

// The mean over N draws is met within five standard errors, and the few edges that could not be mended.
TEST(Lfr, DegreesAndMixingAreThoseAskedFor) {
  for (const LfrOptions& options : kCases) {
    const PlantedGraph planted = lfr_benchmark(options);
    const auto degree = degrees(planted.graph);
    const double n = static_cast<double>(options.nodes);
    const double mean = std::accumulate(degree.begin(), degree.end(), 0.0) / n;
    double variance = 0;
    for (const double d : degree) variance += (d - mean) * (d - mean) / n;
    EXPECT_NEAR(mean, options.mean_degree, 5 * std::sqrt(variance / n) + 0.003 * mean + 2 / n);
    EXPECT_LE(*std::ranges::max_element(degree), options.max_degree);

    // Node by node: (1 − μ) d is rounded, and one edge may be moved by parity or be missing.
    const auto own = inside(planted).edges;
    double edges_inside = 0;
    std::int64_t off = 0;
    for (std::int64_t i = 0; i < options.nodes; ++i) {
      off += std::abs(own[i] - (1 - options.mixing) * degree[i]) > 2;
      edges_inside += own[i];
    }
    EXPECT_LE(static_cast<double>(off), 0.002 * n + 1);
    EXPECT_NEAR(edges_inside / (mean * n), 1 - options.mixing, options.nodes < 100 ? 0.03 : 0.004);
  }
}

TEST(Lfr, DegreesFollowThePowerLaw) {
  // P(d ≥ x) of the law with its lower end where the mean is 12: solved here anew.
  const LfrOptions options{.nodes = 50000,
                           .mean_degree = 12,
                           .max_degree = 300,
                           .min_community = 100,
                           .max_community = 600,
                           .mixing = 0.4};
  double low = 1, high = 12;
  for (int step = 0; step < 30; ++step) {
    const double middle = (low + high) / 2;
    (power_law_mean(2.5, middle, 300) < 12 ? low : high) = middle;
  }
  const auto tail = [&](double x) {
    return (std::pow(x, -1.5) - std::pow(300, -1.5)) / (std::pow(low, -1.5) - std::pow(300, -1.5));
  };
  const auto degree = degrees(lfr_benchmark(options).graph);
  for (const double x : {8.0, 15.0, 30.0, 60.0, 120.0}) {
    const auto above = std::ranges::count_if(degree, [&](double d) { return d >= x; });
    // d = ⌊X + U⌋ is at least x where X is at least x − U: the tail's mean over a step, by Simpson's rule.
    const double expected = 50000 * (tail(x - 1) + 4 * tail(x - 0.5) + tail(x)) / 6;
    EXPECT_NEAR(static_cast<double>(above), expected, 5 * std::sqrt(expected) + 0.01 * expected) << x;
  }
}

TEST(Lfr, CommunitySizesFollowThePowerLaw) {
  const LfrOptions options{.nodes = 100000, .mean_degree = 5, .max_degree = 20, .mixing = 0.2};
  const auto sizes = sizes_of(lfr_benchmark(options));
  const double mean = 100000 / static_cast<double>(sizes.size());
  EXPECT_NEAR(mean, power_law_mean(1.5, 20, 100), 5 * 25 / std::sqrt(static_cast<double>(sizes.size())));
}

// Communities and ids are independent: the mean id of a community's members is that of all.
TEST(Lfr, IdsSayNothingAboutCommunities) {
  const PlantedGraph planted = lfr_benchmark({});
  const auto sizes = sizes_of(planted);
  std::vector<double> mean(sizes.size());
  for (std::size_t i = 0; i < planted.labels.size(); ++i) {
    mean[planted.labels[i]] += static_cast<double>(i) / static_cast<double>(sizes[planted.labels[i]]);
  }
  for (std::size_t c = 0; c < sizes.size(); ++c) {
    EXPECT_NEAR(mean[c], 5000, 5 * 10000 / std::sqrt(12.0 * static_cast<double>(sizes[c])));
  }
}

TEST(Lfr, WeightMixingIsTheShareOfTheWeight) {
  for (const auto weights : {WeightDistribution::unit, WeightDistribution::lognormal}) {
    const PlantedGraph planted = lfr_benchmark({.mixing = 0.5, .weight_mixing = 0.2, .weights = weights});
    edges_of(planted.graph);  // symmetric, positive
    const auto own = inside(planted);
    const auto strength = degrees(planted.graph);
    const double all = std::accumulate(strength.begin(), strength.end(), 0.0);
    EXPECT_NEAR(std::accumulate(own.weight.begin(), own.weight.end(), 0.0) / all, 0.8, 0.01);
    EXPECT_NEAR(all / static_cast<double>(planted.graph.adjacency.entries()), 1, 0.03);
    EXPECT_NEAR(std::accumulate(own.edges.begin(), own.edges.end(), 0.0), all / 2, 0.03 * all);
  }
}

TEST(Lfr, LognormalWeightsHaveTheirMomentsOnEitherModel) {
  for (const auto& planted : {lfr_benchmark({.weights = WeightDistribution::lognormal}),
                              stochastic_block_model({.weights = WeightDistribution::lognormal})}) {
    ASSERT_TRUE(planted.graph.weighted());
    const auto& values = planted.graph.adjacency.values;
    double mean = 0, variance = 0;
    for (const float w : values) mean += std::log(w) / static_cast<double>(values.size());
    for (const float w : values)
      variance += std::pow(std::log(w) - mean, 2) / static_cast<double>(values.size());
    const double edges = static_cast<double>(planted.graph.edges());
    EXPECT_NEAR(mean, -0.5, 5 / std::sqrt(edges));
    EXPECT_NEAR(variance, 1, 5 * std::sqrt(2 / edges));
    edges_of(planted.graph);  // the same from both ends
  }
}

TEST(Lfr, WeightsLeaveTheEdgesOfABlockModelAsTheyAre) {
  const auto plain = stochastic_block_model({.seed = 2});
  const auto weighted = stochastic_block_model({.weights = WeightDistribution::lognormal, .seed = 2});
  EXPECT_EQ(plain.graph.adjacency.columns, weighted.graph.adjacency.columns);
  EXPECT_EQ(plain.labels, weighted.labels);
}

TEST(Lfr, TheSameForAnyThreadsAndAnotherForAnotherSeed) {
  const LfrOptions options{.nodes = 5000, .weights = WeightDistribution::lognormal, .seed = 6};
  const PlantedGraph one = lfr_benchmark(options, Context(1));
  for (const int threads : {2, 3, 8}) {
    const PlantedGraph many = lfr_benchmark(options, Context(threads));
    EXPECT_TRUE(same(one.graph, many.graph));
    EXPECT_EQ(one.labels, many.labels);
  }
  LfrOptions other = options;
  other.seed = 7;
  EXPECT_FALSE(same(one.graph, lfr_benchmark(other).graph));
}

TEST(Lfr, RefusesWhatCannotBe) {
  const auto refused = [](const LfrOptions& options, const std::string& message) {
    expect_error(ErrorCode::invalid_argument, message, [&] { lfr_benchmark(options); });
  };
  refused({.nodes = 1}, "nodes: 1");
  refused({.nodes = 40}, "max_degree: 50 is more than a node among 40 can have; must be at most 39");
  refused({.nodes = 60}, "max_community: 100 is more than the 60 nodes");
  refused({.mean_degree = 60}, "mean_degree: 60");
  refused({.mean_degree = 2}, "option degree_exponent 2.5; must be from 2.");
  refused({.min_community = 101}, "min_community: 101 is above option max_community 100");
  refused({.max_degree = 200}, "must be at least 141");
  refused({.mixing = 1.5}, "mixing: 1.5");
  refused({.weight_mixing = 0}, "weight_mixing: 0");
  refused({.mixing = 0, .weight_mixing = 0.5}, "weight_mixing: needs edges on both sides");
  refused({.nodes = 101, .mean_degree = 5, .max_degree = 8, .min_community = 50, .max_community = 50},
          "max_community: communities of 50 to 50");
}

TEST(Lfr, StopsWhenAsked) {
  std::stop_source source;
  source.request_stop();
  Context context(1);
  context.stop = source.get_token();
  expect_error(ErrorCode::cancelled, "", [&] { lfr_benchmark({}, context); });
}

}  // namespace
}  // namespace parsimony::graph::lfr_test
