#include "parsimony/cluster/refine.hpp"

#include <gtest/gtest.h>

#include <set>

#include "dense.hpp"
#include "expect_error.hpp"
#include "parsimony/cluster/compressive.hpp"
#include "parsimony/cluster/exact.hpp"
#include "parsimony/cluster/filtered.hpp"
#include "parsimony/core/random.hpp"
#include "parsimony/graph/generators.hpp"
#include "parsimony/graph/scores.hpp"
#include "partition/small_networks.hpp"
#include "thread_counts.hpp"

namespace parsimony::cluster::refine_test {
namespace {

graph::PlantedGraph hard_blocks(std::uint64_t seed) {
  return graph::stochastic_block_model({.nodes = 4000, .clusters = 10, .epsilon_ratio = 0.5, .seed = seed});
}

double score(const ClusterResult& result, const graph::PlantedGraph& planted) {
  return graph::agreement(result.labels, planted.labels).adjusted_rand;
}

// The likelihood knows more than the spectrum: at half the threshold moves find the clusters better than any
// spectral method alone, whichever it is, and Lloyd on all rows lies between.
TEST(Refinement, MovesRaiseTheAgreementOfEveryMethod) {
  double plain[3] = {}, moved[3] = {}, lloyd = 0;
  for (std::uint64_t seed = 0; seed < 3; ++seed) {
    const auto planted = hard_blocks(seed);
    for (const auto refine : {Refinement::none, Refinement::moves}) {
      double* sums = refine == Refinement::none ? plain : moved;
      sums[0] += score(
          compressive_spectral_clustering(planted.graph, {.clusters = 10, .refine = refine, .seed = seed}),
          planted);
      sums[1] +=
          score(filtered_spectral_clustering(planted.graph, {.clusters = 10, .refine = refine, .seed = seed}),
                planted);
      sums[2] +=
          score(exact_spectral_clustering(planted.graph, {.clusters = 10, .refine = refine, .seed = seed}),
                planted);
    }
    lloyd += score(compressive_spectral_clustering(
                       planted.graph, {.clusters = 10, .refine = Refinement::lloyd, .seed = seed}),
                   planted);
  }
  for (int method = 0; method < 3; ++method) EXPECT_GT(moved[method], plain[method] + 0.06) << method;
  EXPECT_GT(lloyd, plain[0]);
  EXPECT_GT(moved[0], lloyd);
}

TEST(Refinement, LeavesExactlyKAndMovesNodesWithoutEdgesTogether) {
  for (std::uint64_t trial = 0; trial < 300; ++trial) {
    const partition::testing::SmallNetwork small(2 * trial);  // even: without loops
    const partition::NetworkView network = small;
    const auto k = static_cast<std::int64_t>(1 + RandomStream(trial, "test.k").below(network.nodes(), 0));
    ClusterResult result{.labels = partition::testing::random_surjection(network.nodes(), k, trial),
                         .clusters = k};
    refine_by_moves(network.adjacency, result, trial, Context(1));
    EXPECT_EQ(std::ssize(std::set(result.labels.begin(), result.labels.end())), k) << "trial " << trial;
    std::set<std::int32_t> of_isolated;
    std::int64_t connected = 0;
    for (std::int64_t i = 0; i < network.nodes(); ++i) {
      connected += network.degree[i] > 0;
      if (!(network.degree[i] > 0)) of_isolated.insert(result.labels[i]);
    }
    if (k <= connected) {
      EXPECT_LE(of_isolated.size(), 1u) << "trial " << trial;
    }
  }
}

TEST(Refinement, IsTheSameForAnyNumberOfThreads) {
  const auto planted = hard_blocks(7);
  for (const auto refine : {Refinement::lloyd, Refinement::moves}) {
    const CompressiveOptions options{.clusters = 10, .refine = refine};
    const auto one = compressive_spectral_clustering(planted.graph, options, Context(1));
    for (const int threads : parsimony::testing::kThreadCounts) {
      EXPECT_EQ(compressive_spectral_clustering(planted.graph, options, Context(threads)).labels, one.labels);
    }
  }
}

TEST(Refinement, TheReportSaysWhatItDid) {
  const auto planted = hard_blocks(1);
  const auto lloyd =
      compressive_spectral_clustering(planted.graph, {.clusters = 10, .refine = Refinement::lloyd});
  EXPECT_NE(lloyd.report.to_json().find("lloyd_iterations"), std::string::npos);
  const auto moves =
      compressive_spectral_clustering(planted.graph, {.clusters = 10, .refine = Refinement::moves});
  EXPECT_NE(moves.report.to_json().find("refining_moves"), std::string::npos);
  EXPECT_EQ(moves.report.stages.back().name, "refine");
}

TEST(Refinement, RefusesLloydWhereKMeansSeesAllRows) {
  const Csr csr = testing::to_csr(testing::random_adjacency(30, 0.3, false, 1), false);
  expect_error(ErrorCode::invalid_argument, "refine: lloyd is for the compressive",
               [&] { filtered_spectral_clustering(csr, {.clusters = 3, .refine = Refinement::lloyd}); });
  expect_error(ErrorCode::invalid_argument, "refine: lloyd is for the compressive",
               [&] { exact_spectral_clustering(csr, {.clusters = 3, .refine = Refinement::lloyd}); });
  expect_error(ErrorCode::invalid_argument, "refine: lloyd goes by the nearest", [&] {
    compressive_spectral_clustering(
        csr, {.clusters = 3, .assign = Assignment::filter, .refine = Refinement::lloyd});
  });
}

}  // namespace
}  // namespace parsimony::cluster::refine_test
