#include "parsimony/partition/objectives.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "expect_error.hpp"
#include "parsimony/graph/generators.hpp"
#include "parsimony/graph/scores.hpp"
#include "partition/small_networks.hpp"

namespace parsimony::partition::objectives_test {
namespace {

Partition random_partition(const NetworkView& network, std::uint64_t trial) {
  const auto k = 1 + static_cast<std::int64_t>(RandomStream(trial, "k").below(network.nodes(), 0));
  return make_partition(network, testing::random_surjection(network.nodes(), k, trial));
}

// The sums and the two scores that the graph room computes from the edges.
TEST(Objectives, AgreeWithTheScoresOfTheGraph) {
  for (std::uint64_t trial = 0; trial < 200; trial += 2) {  // the even ones have no loops
    const testing::SmallNetwork small(trial);
    const NetworkView network = small;
    const Partition partition = random_partition(network, trial);
    const auto scores = graph::score_partition(network.adjacency, partition.labels);
    EXPECT_NEAR(modularity(partition, network.total), scores.modularity, 1e-12);
    EXPECT_NEAR(normalized_cut(partition), scores.normalized_cut, 1e-9);
    EXPECT_EQ(partition.sizes, scores.sizes);
  }
}

// Both likelihoods are maxima over their rates: no other rate does better, and the best is reached.
TEST(Objectives, LikelihoodsAreThoseOfTheBestRates) {
  const auto terms = [](double weight, double share, double rate) {
    return (weight > 0 ? weight * std::log(rate) : 0) - share * rate + share;
  };
  for (std::uint64_t trial = 0; trial < 100; ++trial) {
    const testing::SmallNetwork small(trial);
    const NetworkView network = small;
    if (!(network.total > 0)) continue;
    const Partition partition = random_partition(network, trial);
    // Per edge and beside the graph without clusters: Σ over groups of pairs of weight ln(rate) − share (rate
    // − 1).
    double q = 0, v = 0;
    for (std::int64_t r = 0; r < partition.clusters(); ++r) {
      q += partition.internal[r] / network.total;
      v += std::pow(partition.volume[r] / network.total, 2);
    }
    const double planted = planted_likelihood(partition, network.total);
    const double density = density_likelihood(partition, network.total);
    EXPECT_GE(planted, -1e-12);
    EXPECT_GE(density, planted - 1e-12);  // the model with a rate per cluster holds the other
    for (const double factor : {0.5, 0.9, 1.0, 1.1, 2.0}) {
      const double inside = std::max(q / v * factor, 1e-12);
      const double outside = v < 1 - 1e-12 ? std::max((1 - q) / (1 - v) * factor, 1e-12) : 1;
      const double at = terms(q, v, inside) + terms(std::max(0.0, 1 - q), std::max(0.0, 1 - v), outside);
      EXPECT_LE(at, planted + 1e-9);
      double own = terms(std::max(0.0, 1 - q), std::max(0.0, 1 - v), outside);
      for (std::int64_t r = 0; r < partition.clusters(); ++r) {
        const double share = std::pow(partition.volume[r] / network.total, 2);
        const double weight = partition.internal[r] / network.total;
        own += share > 0 ? terms(weight, share, std::max(weight / share * factor, 1e-12)) : 0;
      }
      EXPECT_LE(own, density + 1e-9);
      if (factor == 1.0) {
        EXPECT_NEAR(at, planted, 1e-9);
        EXPECT_NEAR(own, density, 1e-9);
      }
    }
  }
}

// At resolution γ̂ modularity times β̂ is the likelihood up to a constant: partitions are ranked alike where
// the rates are held [newman2016equivalence].
TEST(Objectives, ModularityAtTheResolutionOfTheRatesIsTheirLikelihood) {
  const testing::SmallNetwork small(3);
  const NetworkView network = small;
  const PlantedRates rates{
      .inside = 3.5, .outside = 0.4, .beta = std::log(3.5 / 0.4), .gamma = (3.5 - 0.4) / std::log(3.5 / 0.4)};
  const auto likelihood = [&](const Partition& partition) {
    double q = 0, v = 0;
    for (std::int64_t r = 0; r < partition.clusters(); ++r) {
      q += partition.internal[r] / network.total;
      v += std::pow(partition.volume[r] / network.total, 2);
    }
    return q * std::log(rates.inside) + (1 - q) * std::log(rates.outside) - rates.inside * v -
           rates.outside * (1 - v);
  };
  const Partition one = random_partition(network, 1);
  for (std::uint64_t trial = 2; trial < 20; ++trial) {
    const Partition other = random_partition(network, trial);
    EXPECT_NEAR(likelihood(other) - likelihood(one),
                rates.beta * (modularity(other, network.total, rates.gamma) -
                              modularity(one, network.total, rates.gamma)),
                1e-12);
  }
}

TEST(Objectives, RatesOfAPlantedPartitionAreThoseItWasMadeWith) {
  const graph::BlockModelOptions options{
      .nodes = 20000, .clusters = 10, .degree = 20, .epsilon_ratio = 0.3, .seed = 2};
  const auto planted = graph::stochastic_block_model(options);
  const auto probability = graph::block_probabilities(options);
  const GraphNetwork network = make_network(planted.graph);
  const PlantedRates rates = planted_rates(make_partition(network, planted.labels), network.total);
  const double mean = 20.0 / 20000;
  // 2e5 edges: standard errors of .3 %
  EXPECT_NEAR(rates.inside / (probability.inside / mean), 1, 0.02);
  EXPECT_NEAR(rates.outside / (probability.outside / mean), 1, 0.02);
  EXPECT_NEAR(rates.gamma, (rates.inside - rates.outside) / std::log(rates.inside / rates.outside), 1e-12);
}

TEST(Objectives, AreFiniteWhereThereIsNothingToMeasure) {
  for (std::uint64_t trial = 0; trial < 60; ++trial) {
    const testing::SmallNetwork small(trial);
    const NetworkView network = small;
    for (const Partition& partition :
         {make_partition(network, std::vector<std::int32_t>(network.nodes(), 0)), singletons(network)}) {
      const PlantedRates rates = planted_rates(partition, network.total);
      for (const double value :
           {rates.inside, rates.outside, rates.beta, rates.gamma, modularity(partition, network.total),
            planted_likelihood(partition, network.total), density_likelihood(partition, network.total)}) {
        EXPECT_TRUE(std::isfinite(value)) << value;
      }
      EXPECT_GT(rates.gamma, 0);
    }
  }
}

TEST(Partition, EmptyClustersAreDroppedInOrder) {
  const testing::SmallNetwork small(4);
  const NetworkView network = small;
  std::vector<std::int32_t> labels(network.nodes());
  for (std::size_t i = 0; i < labels.size(); ++i) labels[i] = i % 2 == 0 ? 1 : 4;
  Partition partition = make_partition(network, labels, 6);
  EXPECT_EQ(count_filled(partition), 2);
  EXPECT_EQ(drop_empty(partition), 2);
  for (std::size_t i = 0; i < labels.size(); ++i) EXPECT_EQ(partition.labels[i], i % 2 == 0 ? 0 : 1);
  const Partition anew = make_partition(network, partition.labels);
  EXPECT_EQ(partition.volume, anew.volume);
  EXPECT_EQ(partition.internal, anew.internal);
  EXPECT_EQ(partition.sizes, anew.sizes);
}

TEST(Partition, RefusesLabelsThatDoNotFit) {
  const testing::SmallNetwork small(4);
  const NetworkView network = small;
  expect_error(ErrorCode::invalid_argument, "one per node", [&] { make_partition(network, {0}, 1); });
  std::vector<std::int32_t> labels(network.nodes());
  labels[1] = 3;
  expect_error(ErrorCode::invalid_argument, "3 of node 1", [&] { make_partition(network, labels, 3); });
  labels[1] = -1;
  expect_error(ErrorCode::invalid_argument, "-1 of node 1", [&] { make_partition(network, labels); });
}

}  // namespace
}  // namespace parsimony::partition::objectives_test
