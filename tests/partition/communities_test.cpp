// Exactly k clusters: the resolution search, communities_to_k, modularity_partition.
#include "parsimony/partition/communities.hpp"

#include <gtest/gtest.h>

#include "expect_error.hpp"
#include "parsimony/graph/generators.hpp"
#include "parsimony/graph/scores.hpp"
#include "parsimony/partition/leiden.hpp"
#include "parsimony/partition/modularity_partition.hpp"
#include "parsimony/partition/objectives.hpp"
#include "parsimony/partition/resolution_search.hpp"
#include "partition/known_networks.hpp"
#include "partition/small_networks.hpp"
#include "thread_counts.hpp"

namespace parsimony::partition::communities_test {
namespace {

using testing::SmallNetwork;

std::vector<std::vector<std::int32_t>> all_partitions(const NetworkView& network, std::int64_t k,
                                                      std::uint64_t seed, const Context& context) {
  std::vector<std::vector<std::int32_t>> out;
  for (auto& candidate : communities_to_k(network, {.clusters = k, .seed = seed}, context)) {
    out.push_back(std::move(candidate.partition.labels));
  }
  for (const auto gain : {MergeGain::modularity, MergeGain::normalized_cut}) {
    out.push_back(
        modularity_partition(network, {.clusters = k, .gain = gain, .iterations = 2, .seed = seed}, context)
            .labels);
  }
  return out;
}

// Components, isolated nodes, loops, weights over ten orders of magnitude, k from 1 to N.
TEST(ExactlyK, ForEveryNetworkAndEveryK) {
  const Context context(1);
  for (std::uint64_t trial = 0; trial < 1000; ++trial) {
    const SmallNetwork small(trial);
    const NetworkView network = small;
    const std::int64_t n = network.nodes();
    const auto k = trial % 5 == 0 ? 1
                   : trial % 5 == 1
                       ? n
                       : static_cast<std::int64_t>(1 + RandomStream(trial, "test.k").below(n, 0));
    const auto with_edges =
        std::count_if(network.degree.begin(), network.degree.end(), [](double d) { return d > 0; });
    for (const auto& labels : all_partitions(network, k, trial, context)) {
      const Partition found = make_partition(network, labels);
      ASSERT_EQ(found.clusters(), k) << "trial " << trial;
      ASSERT_EQ(count_filled(found), k) << "trial " << trial;
      const auto empty =
          std::count_if(found.volume.begin(), found.volume.end(), [](double v) { return !(v > 0); });
      EXPECT_EQ(empty, std::max<std::int64_t>(0, k - with_edges)) << "trial " << trial;
    }
  }
}

TEST(ExactlyK, IsTheSameForAnyNumberOfThreads) {
  const auto planted =
      graph::stochastic_block_model({.nodes = 1500, .clusters = 15, .epsilon_ratio = 0.5, .seed = 3});
  const GraphNetwork network = make_network(planted.graph);
  for (const std::int64_t k : {15, 25}) {
    const auto one = all_partitions(network, k, 1, Context(1));
    for (const int threads : parsimony::testing::kThreadCounts) {
      EXPECT_EQ(all_partitions(network, k, 1, Context(threads)), one);
    }
  }
}

TEST(ResolutionSearch, FindsAsManyCommunitiesAsAskedFor) {
  const auto planted =
      graph::stochastic_block_model({.nodes = 3000, .clusters = 30, .epsilon_ratio = 0.3, .seed = 1});
  const GraphNetwork network = make_network(planted.graph);
  for (const std::int64_t k : {20, 30, 100, 500}) {
    const auto found = resolution_search(network, {.clusters = k});
    EXPECT_TRUE(found.enough);
    EXPECT_GE(found.resolution, 1);
    EXPECT_GE(found.communities, k);
    EXPECT_EQ(found.partition.clusters(), found.communities);
    for (const auto& [resolution, communities] : found.probes) {  // the nearest of those with enough
      EXPECT_TRUE(communities < k || communities >= found.communities);
    }
    if (found.communities > 1.15 * static_cast<double>(k)) {
      EXPECT_TRUE(found.resolution == 1 || found.probes.size() > 4);
    }
  }
}

TEST(ResolutionSearch, NeverGoesBelowOne) {
  // Sixty triangles, and two clusters asked for.
  const Csr csr = parsimony::testing::to_csr(parsimony::testing::block_adjacency(60, 3, 1, 0, 1), false);
  const GraphNetwork network = make_network(csr);
  const auto found = resolution_search(network, {.clusters = 2});
  EXPECT_EQ(found.resolution, 1);
  EXPECT_EQ(found.communities, 60);
  const auto beyond = resolution_search(network, {.clusters = 181});
  EXPECT_FALSE(beyond.enough);
  EXPECT_EQ(beyond.probes.size(), 1u);
}

TEST(CommunitiesToK, FindPlantedBlocks) {
  double mean = 0;
  for (std::uint64_t seed = 0; seed < 4; ++seed) {
    const auto planted =
        graph::stochastic_block_model({.nodes = 4000, .clusters = 20, .epsilon_ratio = 0.3, .seed = seed});
    const GraphNetwork network = make_network(planted.graph);
    const auto candidates = communities_to_k(network, {.clusters = 20, .seed = seed});
    ASSERT_FALSE(candidates.empty());
    for (const auto& candidate : candidates) {
      EXPECT_GE(candidate.communities, 20);
      EXPECT_GE(candidate.resolution, 1);
    }
    mean += graph::agreement(candidates.front().partition.labels, planted.labels).adjusted_rand / 4;
  }
  EXPECT_GT(mean, 0.98);  // .99 from the planted partition
}

TEST(CommunitiesToK, FindTheCliquesOfARing) {
  const Csr csr = testing::ring_of_cliques(12, 5);
  const GraphNetwork network = make_network(csr);
  for (const auto& labels : all_partitions(network, 12, 1, Context(2))) {
    EXPECT_EQ(graph::agreement(labels,
                               [] {
                                 std::vector<std::int32_t> truth(60);
                                 for (int i = 0; i < 60; ++i) truth[i] = i / 5;
                                 return truth;
                               }())
                  .adjusted_rand,
              1);
  }
}

// Local moves at the end: no single move of a node to a neighbour's cluster gains.
TEST(ModularityPartition, IsAsGoodAsTheCommunitiesWhereTheyAreK) {
  const auto planted =
      graph::stochastic_block_model({.nodes = 2000, .clusters = 10, .epsilon_ratio = 0.3, .seed = 5});
  const GraphNetwork network = make_network(planted.graph);
  const auto communities = leiden(network, {.iterations = 6}).partition;
  const auto same = modularity_partition(network, {.clusters = communities.clusters()});
  EXPECT_GE(modularity(same, network.total), modularity(communities, network.total) - 1e-9);
  double last = modularity(same, network.total);  // and less and less the farther k is from them
  for (const std::int64_t more : {10, 40, 160}) {
    const auto cut = modularity_partition(network, {.clusters = communities.clusters() + more});
    EXPECT_LT(modularity(cut, network.total), last + 1e-9);
    last = modularity(cut, network.total);
  }
}

TEST(ModularityPartition, TheCutOfTheNormalizedCutIsLower) {
  const auto planted = graph::stochastic_block_model(
      {.nodes = 3000, .clusters = 30, .degree = 8, .epsilon_ratio = 0.3, .degree_exponent = 2.5, .seed = 5});
  const GraphNetwork network = make_network(planted.graph);
  double by_cut = 0, by_modularity = 0;
  for (std::uint64_t seed = 0; seed < 3; ++seed) {
    const auto run = [&](MergeGain gain) {
      return normalized_cut(
          modularity_partition(network, {.clusters = 300, .gain = gain, .iterations = 2, .seed = seed}));
    };
    by_cut += run(MergeGain::normalized_cut);
    by_modularity += run(MergeGain::modularity);
  }
  EXPECT_LT(by_cut, by_modularity);
}

TEST(ExactlyK, RefusesWhatCannotBeAndIsCancelledAtEveryProgressCall) {
  const Csr csr = testing::karate_club();
  const GraphNetwork network = make_network(csr);
  expect_error(ErrorCode::invalid_argument, "35 is more than the 34",
               [&] { communities_to_k(network, {.clusters = 35}); });
  expect_error(ErrorCode::invalid_argument, "35 is more than the 34",
               [&] { modularity_partition(network, {.clusters = 35}); });
  expect_error(ErrorCode::invalid_argument, "candidates",
               [&] { communities_to_k(network, {.clusters = 3, .candidates = 0}); });
  int calls = 0;
  Context counting(1);
  counting.on_progress = [&](std::string_view, std::int64_t, std::int64_t) { ++calls; };
  all_partitions(network, 6, 1, counting);
  ASSERT_GT(calls, 5);
  for (int at = 1; at < calls; ++at) {
    std::stop_source source;
    Context context(1);
    context.stop = source.get_token();
    context.on_progress = [&, seen = 0](std::string_view, std::int64_t, std::int64_t) mutable {
      if (++seen == at) source.request_stop();
    };
    expect_error(ErrorCode::cancelled, "cancelled", [&] { all_partitions(network, 6, 1, context); });
  }
}

}  // namespace
}  // namespace parsimony::partition::communities_test
