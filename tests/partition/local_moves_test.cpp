#include "parsimony/partition/local_moves.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "expect_error.hpp"
#include "parsimony/graph/generators.hpp"
#include "parsimony/partition/objectives.hpp"
#include "partition/gains.hpp"
#include "partition/shuffle.hpp"
#include "partition/small_networks.hpp"
#include "thread_counts.hpp"

namespace parsimony::partition::local_moves_test {
namespace {

double value_of(const Partition& partition, double total, const LocalMoveOptions& options) {
  return options.objective == Objective::density ? density_likelihood(partition, total)
                                                 : modularity(partition, total, options.resolution);
}

class EveryObjective : public ::testing::TestWithParam<LocalMoveOptions> {};

// Small graphs of every kind: the objective never falls, the sums stay those of the labels, and no cluster is
// emptied.
TEST_P(EveryObjective, NeverFallsAndKeepsTheSums) {
  std::int64_t moves = 0;
  for (std::uint64_t trial = 0; trial < 300; ++trial) {
    SCOPED_TRACE(trial);
    const testing::SmallNetwork small(trial);
    const NetworkView network = small;
    const std::int64_t clusters =
        1 + static_cast<std::int64_t>(RandomStream(trial, "k").below(network.nodes(), 0));
    for (const bool keep : {true, false}) {
      LocalMoveOptions options = GetParam();
      options.keep_clusters = keep;
      options.seed = trial;
      Partition partition =
          make_partition(network, testing::random_surjection(network.nodes(), clusters, trial));
      const double before = value_of(partition, network.total, options);
      moves += local_moves(network, partition, options);
      EXPECT_GE(value_of(partition, network.total, options), before - 1e-9 * std::max(1.0, std::abs(before)));
      const Partition anew = make_partition(network, partition.labels, clusters);
      EXPECT_EQ(partition.sizes, anew.sizes);
      for (std::int64_t r = 0; r < clusters; ++r) {
        EXPECT_NEAR(partition.volume[r], anew.volume[r], 1e-12 * network.total);
        EXPECT_NEAR(partition.internal[r], anew.internal[r], 1e-12 * network.total);
      }
      EXPECT_TRUE(!keep || count_filled(partition) == clusters);
    }
  }
  EXPECT_GT(moves, 300);
}

// Where it stops no single move to a neighbour's cluster raises modularity. (density holds a rate during a
// call; a move of a small graph can gain to second order in its change.)
TEST(LocalMoves, StopWhereNoMoveRaisesModularity) {
  for (std::uint64_t trial = 0; trial < 100; ++trial) {
    SCOPED_TRACE(trial);
    const testing::SmallNetwork small(trial);
    const NetworkView network = small;
    const LocalMoveOptions options{
        .resolution = trial % 2 == 0 ? 1.0 : 3.0, .keep_clusters = false, .max_visits = 10000};
    const std::int64_t clusters = 2 + static_cast<std::int64_t>(trial % 5);
    if (clusters > network.nodes()) continue;
    Partition partition =
        make_partition(network, testing::random_surjection(network.nodes(), clusters, trial));
    // A node is visited again when a neighbour moves, not when a volume changes: a fresh call visits all.
    while (local_moves(network, partition, options) > 0) {
    }
    const double reached = modularity(partition, network.total, options.resolution);
    const CsrView& a = network.adjacency;
    for (std::int64_t i = 0; i < network.nodes(); ++i) {
      for (std::int64_t e = a.offsets[i]; e < a.offsets[i + 1]; ++e) {
        std::vector<std::int32_t> labels = partition.labels;
        labels[i] = labels[a.columns[e]];
        const Partition moved = make_partition(network, labels, clusters);
        EXPECT_LE(modularity(moved, network.total, options.resolution), reached + 1e-8) << "node " << i;
      }
    }
  }
}

// Batches of several hundred nodes, so that proposals go stale: still monotone, still the same bytes.
TEST_P(EveryObjective, SameBytesForAnyNumberOfThreads) {
  const auto planted = graph::stochastic_block_model(
      {.nodes = 40000, .clusters = 20, .degree = 8, .epsilon_ratio = 0.3, .degree_exponent = 2.5, .seed = 1});
  const GraphNetwork network = make_network(planted.graph);
  const auto moved = [&](int threads) {
    Partition partition = make_partition(network, testing::random_surjection(40000, 25, 7));
    const double before = value_of(partition, network.total, GetParam());
    local_moves(network, partition, GetParam(), Context(threads));
    EXPECT_GT(value_of(partition, network.total, GetParam()), before);
    return partition;
  };
  const Partition one = moved(1);
  for (const int threads : parsimony::testing::kThreadCounts) {
    const Partition partition = moved(threads);
    EXPECT_EQ(one.labels, partition.labels) << threads << " threads";
    EXPECT_EQ(one.volume, partition.volume);
  }
}

INSTANTIATE_TEST_SUITE_P(Objectives, EveryObjective,
                         ::testing::Values(LocalMoveOptions{}, LocalMoveOptions{.resolution = 4},
                                           LocalMoveOptions{.objective = Objective::density}),
                         [](const auto& parameter) {
                           return std::string(enum_name(parameter.param.objective)) +
                                  std::to_string(static_cast<int>(parameter.param.resolution));
                         });

// The gains of the two objectives are what moving the node changes.
TEST(Gains, AreDifferencesOfTheObjective) {
  for (std::uint64_t trial = 0; trial < 200; ++trial) {
    const testing::SmallNetwork small(trial, 10);  // weights within a factor of 10: differences keep digits
    const NetworkView network = small;
    if (!(network.total > 0)) continue;
    const std::int64_t clusters = std::min<std::int64_t>(network.nodes(), 2 + trial % 4);
    const Partition start =
        make_partition(network, testing::random_surjection(network.nodes(), clusters, trial));
    const ModularityGain by_modularity(network, start, 1.7);
    const DensityGain by_density(network, start);
    double q = 0, v = 0;
    for (std::int64_t r = 0; r < clusters; ++r) {
      q += start.internal[r] / network.total;
      v += start.volume[r] * start.volume[r] / network.total / network.total;
    }
    if (!(q < 1 - 1e-9 && v < 1 - 1e-9)) continue;
    const double rate = (1 - q) / (1 - v);
    // m times the bound of density_likelihood() that the header of DensityGain names
    const auto bound = [&](const Partition& p) {
      double sum = 0, inside = 0, chance = 0;
      for (std::int64_t r = 0; r < clusters; ++r) {
        const double in = p.internal[r], volume = p.volume[r];
        if (in > 0) sum += 0.5 * in * std::log(in * network.total / volume / volume);
        inside += in;
        chance += volume * volume / network.total / network.total;
      }
      return sum - inside / 2 + 0.5 * (network.total - inside) * std::log(rate) -
             0.5 * network.total * rate * (1 - chance);
    };
    for (std::int64_t i = 0; i < network.nodes(); ++i) {
      Visit visit{i, start.labels[i], network.degree[i], network.loop_of(i), 0};
      std::vector<double> to(clusters);
      const CsrView& a = network.adjacency;
      for (std::int64_t e = a.offsets[i]; e < a.offsets[i + 1]; ++e) {
        to[start.labels[a.columns[e]]] += a.weighted() ? a.values[e] : 1.0;
      }
      visit.weight = to[visit.cluster];
      for (std::int32_t b = 0; b < clusters; ++b) {
        if (b == visit.cluster) continue;
        std::vector<std::int32_t> labels = start.labels;
        labels[i] = b;
        const Partition moved = make_partition(network, labels, clusters);
        Partition by_move = start;
        move_node(by_move, visit, b, to[b]);
        EXPECT_NEAR(by_move.internal[b], moved.internal[b], 1e-12 * network.total);
        EXPECT_NEAR(by_move.internal[visit.cluster], moved.internal[visit.cluster], 1e-12 * network.total);
        const double half = network.total / 2;
        EXPECT_NEAR(by_modularity.leave(visit) + by_modularity.join(visit, b, to[b]),
                    half * (modularity(moved, network.total, 1.7) - modularity(start, network.total, 1.7)),
                    1e-11 * network.total);
        EXPECT_NEAR(by_density.leave(visit) + by_density.join(visit, b, to[b]), bound(moved) - bound(start),
                    1e-10 * network.total);
        // The bound: below everywhere, equal where it was taken.
        EXPECT_LE(bound(moved),
                  half * (density_likelihood(moved, network.total) - 1) + 1e-10 * network.total);
      }
    }
    EXPECT_NEAR(bound(start), network.total / 2 * (density_likelihood(start, network.total) - 1),
                1e-10 * network.total);
  }
}

TEST(LocalMoves, FindTheBlocksFromABlurredStart) {
  const auto planted =
      graph::stochastic_block_model({.nodes = 3000, .clusters = 10, .epsilon_ratio = 0.1, .seed = 1});
  const GraphNetwork network = make_network(planted.graph);
  for (const Objective objective : {Objective::modularity, Objective::density}) {
    std::vector<std::int32_t> labels = planted.labels;
    const RandomStream random(1, "blur");
    for (std::size_t i = 0; i < labels.size(); ++i) {
      if (random.uniform(2 * i) < 0.4) labels[i] = static_cast<std::int32_t>(random.below(10, 2 * i + 1));
    }
    Partition partition = make_partition(network, labels);
    local_moves(network, partition, {.objective = objective});
    EXPECT_EQ(partition.labels, planted.labels);
  }
}

TEST(Shuffle, IsAPermutationThatTheSeedDecides) {
  for (const std::int64_t count : {0, 1, 2, 3, 5, 64, 1000, 4097}) {
    const auto order = shuffled_order(count, 1);
    auto sorted = order;
    std::sort(sorted.begin(), sorted.end());
    std::vector<std::int32_t> all(count);
    std::iota(all.begin(), all.end(), 0);
    EXPECT_EQ(sorted, all);
    EXPECT_EQ(order, shuffled_order(count, 1));
    EXPECT_TRUE(count <= 10 || order != shuffled_order(count, 2));
  }
  // Every node is at every place equally often: the mean place over seeds, of standard error count / √(12 ·
  // 400).
  constexpr std::int64_t kCount = 100;
  std::vector<double> mean(kCount);
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    const auto order = shuffled_order(kCount, seed);
    for (std::int64_t place = 0; place < kCount; ++place)
      mean[order[place]] += static_cast<double>(place) / 400;
  }
  for (const double m : mean) EXPECT_NEAR(m, 49.5, 5 * 100 / std::sqrt(12 * 400.0));
}

TEST(LocalMoves, RefusesWhatDoesNotFit) {
  const testing::SmallNetwork small(3), other(5);
  Partition partition = singletons(other);
  expect_error(ErrorCode::invalid_argument, "partition", [&] { local_moves(small, partition); });
  partition = singletons(small);
  expect_error(ErrorCode::invalid_argument, "max_visits",
               [&] { local_moves(small, partition, {.max_visits = 0}); });
  expect_error(ErrorCode::invalid_argument, "resolution",
               [&] { local_moves(small, partition, {.resolution = std::nan("")}); });
}

}  // namespace
}  // namespace parsimony::partition::local_moves_test
