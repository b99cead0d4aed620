#include "parsimony/partition/gibbs.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <stop_token>

#include "expect_error.hpp"
#include "parsimony/graph/generators.hpp"
#include "parsimony/graph/scores.hpp"
#include "partition/gibbs_sampler.hpp"
#include "partition/small_networks.hpp"
#include "thread_counts.hpp"

namespace parsimony::partition::gibbs_test {
namespace {

// A complete graph, so that every cluster is a neighbour's and the sampler is Gibbs' over all labelings with
// no empty cluster.
Network complete_network(std::int64_t nodes) {
  const RandomStream random(5, "test.weight");
  Network out;
  std::vector<std::vector<float>> w(nodes, std::vector<float>(nodes));
  for (std::int64_t i = 0; i < nodes; ++i) {
    for (std::int64_t j = 0; j < i; ++j)
      w[i][j] = w[j][i] = static_cast<float>(0.2 + 2 * random.uniform(i * nodes + j));
  }
  for (std::int64_t i = 0; i < nodes; ++i) {
    double degree = 0;
    for (std::int64_t j = 0; j < nodes; ++j) {
      if (j == i) continue;
      out.adjacency.columns.push_back(static_cast<std::int32_t>(j));
      out.adjacency.values.push_back(w[i][j]);
      degree += w[i][j];
    }
    out.adjacency.offsets.push_back(out.adjacency.entries());
    out.degree.push_back(degree);
    out.total += degree;
  }
  out.loop.assign(nodes, 0);
  return out;
}

// How often a chain is in every state beside exp(log_posterior), within five standard errors, where a sample
// counts as a tenth of an independent one: one failure in 10⁵ for a state.
template <class Odds, class LogPosterior>
void expect_stationary(const NetworkView& network, Partition& partition, Odds odds,
                       LogPosterior log_posterior) {
  constexpr int kSweeps = 60000, kClusters = 2;
  const auto nodes = static_cast<int>(network.nodes());
  std::map<std::vector<std::int32_t>, double> exact, met;
  double sum = 0;
  for (int state = 0; state < 1 << nodes; ++state) {
    std::vector<std::int32_t> labels(nodes);
    for (int i = 0; i < nodes; ++i) labels[i] = (state >> i) & 1;
    const Partition candidate = make_partition(network, labels, kClusters);
    if (count_filled(candidate) < kClusters) continue;
    sum += exact[labels] = std::exp(log_posterior(candidate));
  }
  const Context context(1);
  GibbsSampler sampler(network, partition, std::move(odds), 3, context);
  std::map<std::pair<int, int>, double> marginal, seen;  // (node, cluster)
  for (const auto& [labels, mass] : exact) {
    for (int i = 0; i < nodes; ++i) marginal[{i, labels[i]}] += mass / sum;
  }
  for (int sweep = 0; sweep < kSweeps; ++sweep) {
    sampler.sweep(sweep, [&](std::int32_t node, std::int32_t cluster, double probability) {
      seen[{node, cluster}] += probability / kSweeps;
    });
    met[partition.labels] += 1.0 / kSweeps;
  }
  // The probabilities have the same mean as the draws; hardly probable clusters are not reported.
  for (const auto& [place, p] : marginal) {
    EXPECT_NEAR(seen[place], p, 1e-3 + 5 * std::sqrt(p * (1 - p) * 10 / kSweeps));
  }
  double largest = 0, smallest = 1;
  for (const auto& [labels, mass] : exact) {
    const double p = mass / sum;
    largest = std::max(largest, p);
    smallest = std::min(smallest, p);
    EXPECT_NEAR(met[labels], p, 5 * std::sqrt(p * (1 - p) * 10 / kSweeps));
  }
  EXPECT_GT(largest, 3 * smallest);  // there is something to get wrong
}

TEST(GibbsSampler, SamplesThePlantedPosterior) {
  const Network owned = complete_network(5);
  const NetworkView network = owned;
  Partition partition = make_partition(network, {0, 1, 0, 1, 0});
  const PlantedRates rates{.beta = 1.3, .gamma = 0.9};
  PlantedOdds odds(network, partition, 1);
  odds.hold(rates);
  expect_stationary(network, partition, odds, [&](const Partition& p) {
    return network.total / 2 * rates.beta * modularity(p, network.total, rates.gamma);
  });
}

// The likelihood with ω_out held at that of the first partition.
TEST(GibbsSampler, SamplesThePosteriorOfOwnDensities) {
  const Network owned = complete_network(5);
  const NetworkView network = owned;
  Partition partition = make_partition(network, {0, 1, 0, 1, 0});
  const double outside = planted_rates(partition, network.total).outside;
  expect_stationary(network, partition, DensityOdds(network, partition, 1), [&](const Partition& p) {
    double sum = 0;
    for (std::int64_t r = 0; r < p.clusters(); ++r) {
      const double in = p.internal[r], share = p.volume[r] * p.volume[r] / network.total;
      if (in > 0) sum += in * std::log(in / share);
      sum -= in + in * std::log(outside) - outside * share;
    }
    return sum / 2;
  });
}

TEST(GibbsVotes, GiveExactlyTheClustersOfTheStart) {
  for (std::uint64_t trial = 0; trial < 1000; ++trial) {
    SCOPED_TRACE(trial);
    const testing::SmallNetwork small(trial);
    const NetworkView network = small;
    const auto k = 1 + static_cast<std::int64_t>(RandomStream(trial, "k").below(network.nodes(), 0));
    const Objective objective = trial % 2 == 0 ? Objective::modularity : Objective::density;
    const Partition start = make_partition(network, testing::random_surjection(network.nodes(), k, trial));
    const Partition voted = gibbs_votes(network, start, {.objective = objective, .sweeps = 8, .seed = trial});
    EXPECT_EQ(count_filled(voted), k);
    const Partition anew = make_partition(network, voted.labels, k);
    EXPECT_EQ(voted.volume, anew.volume);
    EXPECT_EQ(voted.internal, anew.internal);
  }
}

// From a start that local moves cannot mend the vote comes nearer to the planted partition.
TEST(GibbsVotes, ComeNearerToThePlantedPartitionThanLocalMoves) {
  double by_moves = 0, by_votes = 0;
  for (std::uint64_t seed = 0; seed < 4; ++seed) {
    const auto planted = graph::stochastic_block_model(
        {.nodes = 3000, .clusters = 5, .degree = 16, .epsilon_ratio = 0.6, .seed = seed});
    const GraphNetwork network = make_network(planted.graph);
    std::vector<std::int32_t> blurred = planted.labels;
    const RandomStream random(seed, "blur");
    for (std::size_t i = 0; i < blurred.size(); ++i) {
      if (random.uniform(2 * i) < 0.9) blurred[i] = static_cast<std::int32_t>(random.below(5, 2 * i + 1));
    }
    Partition moved = make_partition(network, blurred);
    for (int pass = 0; pass < 5; ++pass) {
      local_moves(network, moved, {.resolution = planted_rates(moved, network.total).gamma});
    }
    const Partition voted = gibbs_votes(network, moved, {.sweeps = 60, .seed = seed});
    by_moves += graph::agreement(moved.labels, planted.labels).adjusted_rand / 4;
    by_votes += graph::agreement(voted.labels, planted.labels).adjusted_rand / 4;
  }
  EXPECT_GT(by_votes, by_moves + 0.02);
}

TEST(GibbsVotes, SameBytesForAnyNumberOfThreads) {
  const auto planted = graph::stochastic_block_model(
      {.nodes = 30000, .clusters = 20, .degree = 8, .epsilon_ratio = 0.3, .degree_exponent = 2.5, .seed = 1});
  const GraphNetwork network = make_network(planted.graph);
  const Partition start = make_partition(network, planted.labels);
  for (const Objective objective : {Objective::modularity, Objective::density}) {
    const GibbsOptions options{.objective = objective, .sweeps = 5, .seed = 4};
    const Partition one = gibbs_votes(network, start, options, Context(1));
    EXPECT_NE(one.labels, start.labels);
    for (const int threads : parsimony::testing::kThreadCounts) {
      EXPECT_EQ(one.labels, gibbs_votes(network, start, options, Context(threads)).labels)
          << threads << " threads";
    }
  }
}

// A sample counts weights in units of their mean: a power of two changes no bit.
TEST(GibbsVotes, DoNotDependOnTheUnitOfWeights) {
  auto planted =
      graph::stochastic_block_model({.nodes = 1000, .clusters = 5, .epsilon_ratio = 0.5, .seed = 1});
  Csr& csr = planted.graph.adjacency;
  for (const Objective objective : {Objective::modularity, Objective::density}) {
    std::vector<std::int32_t> first;
    for (const float unit : {1.0f, 0x1p-30f, 0x1p30f}) {
      csr.values.assign(csr.columns.size(), unit);
      const GraphNetwork network = make_network(csr);
      const Partition voted = gibbs_votes(network, make_partition(network, planted.labels),
                                          {.objective = objective, .sweeps = 10});
      if (first.empty()) first = voted.labels;
      // In logarithms of odds the unit is a rounded term of the model of own densities: ties of chance aside,
      // alike.
      EXPECT_GT(graph::agreement(voted.labels, first).adjusted_rand,
                objective == Objective::modularity ? 0.9999 : 0.99);
    }
  }
}

TEST(GibbsVotes, RefuseWhatDoesNotFitAndStopWhenAsked) {
  const testing::SmallNetwork small(3), other(5);
  expect_error(ErrorCode::invalid_argument, "start", [&] { gibbs_votes(small, singletons(other)); });
  expect_error(ErrorCode::invalid_argument, "sweeps",
               [&] { gibbs_votes(small, singletons(small), {.sweeps = 0}); });
  expect_error(ErrorCode::invalid_argument, "burn_in",
               [&] { gibbs_votes(small, singletons(small), {.burn_in = 1}); });
  std::stop_source source;
  source.request_stop();
  Context context(1);
  context.stop = source.get_token();
  expect_error(ErrorCode::cancelled, "cancelled",
               [&] { gibbs_votes(small, singletons(small), {}, context); });
}

}  // namespace
}  // namespace parsimony::partition::gibbs_test
