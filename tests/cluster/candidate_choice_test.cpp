// Tests of the choice among the candidates of the automatic method.
#include "cluster/methods/candidate_choice.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "dense.hpp"
#include "parsimony/core/random.hpp"
#include "parsimony/partition/network.hpp"
#include "parsimony/partition/objectives.hpp"
#include "parsimony/partition/partition.hpp"

namespace parsimony::cluster::candidate_choice_test {
namespace {

std::size_t taken(const std::vector<CandidateScore>& scores, std::size_t planted) {
  return choose_among_votes(scores, planted).taken;
}

// {likelihood, largest volume}; candidate 1 is the vote with one density.
TEST(CandidateChoice, ALooseVoteIsNotTakenHoweverLikely) {
  EXPECT_EQ(taken({{1.0, 100}, {1.2, 100}, {1.5, 125}}, 1), 2u) << "1.25 times the volume is allowed";
  EXPECT_EQ(taken({{1.0, 100}, {1.2, 100}, {1.5, 126}}, 1), 1u) << "more is not";
  // Nor does its likelihood count as the highest that others are compared with.
  EXPECT_EQ(taken({{1.0, 100}, {1.2, 100}, {9.0, 200}, {1.2, 100}}, 1), 3u);
  // Volumes are compared with the vote at `planted`, not with earlier candidates.
  EXPECT_EQ(taken({{1.0, 10}, {1.2, 100}, {1.5, 110}}, 1), 2u);
  EXPECT_EQ(taken({{1.0, 900}, {1.2, 100}, {1.5, 126}}, 1), 1u);
}

TEST(CandidateChoice, OfEquallyLikelyCandidatesTheLastVoteIsTaken) {
  EXPECT_EQ(taken({{1.0, 100}, {1.0, 100}, {0.9981, 100}}, 1), 2u) << "within 0.2 %";
  EXPECT_EQ(taken({{1.0, 100}, {1.0, 100}, {0.9979, 100}}, 1), 1u) << "not within 0.2 %";
  EXPECT_EQ(taken({{-1.0, 100}, {-1.0, 100}, {-1.0019, 100}}, 1), 2u) << "likelihoods may be negative";
}

TEST(CandidateChoice, ACandidateThatNoVoteComesNearToIsTaken) {
  const std::vector<CandidateScore> scores{{1.2, 100}, {1.5, 300}, {1.3, 100}, {1.4, 100}};
  const CandidateChoice choice = choose_among_votes(scores, 2);
  EXPECT_EQ(choice.taken, 1u);
  EXPECT_EQ(choice.reason, "the highest likelihood");
}

// A block of ten dense cliques of 8 nodes and a sparse rest: with a density per cluster the likelihood
// rewards one cluster for the rest and half of the cliques' borders, which is what the rule is for.
TEST(CandidateChoice, TheLikelihoodAloneWouldTakeALooseCluster) {
  constexpr std::int64_t kCliques = 10, kSize = 8, kRest = 120;
  const std::int64_t nodes = kCliques * kSize + kRest;
  testing::Dense w = testing::zeros(nodes);
  const RandomStream random(4, "test");
  const auto join = [&](std::int64_t i, std::int64_t j) { w[i][j] = w[j][i] = 1; };
  for (std::int64_t i = 0; i < nodes; ++i) {
    for (std::int64_t j = 0; j < i; ++j) {
      const bool clique = i < kCliques * kSize && i / kSize == j / kSize;
      if (clique || random.uniform(i * nodes + j) < 0.02) join(i, j);
    }
  }
  const Csr csr = testing::to_csr(w, false);
  const partition::GraphNetwork network = partition::make_network(csr);
  // Even: the rest in ten parts, one with each clique. Loose: the cliques alone, but one, which has the whole
  // rest.
  std::vector<std::int32_t> even(nodes), loose(nodes);
  for (std::int64_t i = 0; i < nodes; ++i) {
    const bool clique = i < kCliques * kSize;
    even[i] = static_cast<std::int32_t>(clique ? i / kSize : i % kCliques);
    loose[i] = static_cast<std::int32_t>(clique ? i / kSize : kCliques - 1);
  }
  const auto score = [&](const std::vector<std::int32_t>& labels) {
    const auto partition = partition::make_partition(network, labels, kCliques);
    return CandidateScore{partition::density_likelihood(partition, network.total),
                          *std::max_element(partition.volume.begin(), partition.volume.end())};
  };
  const CandidateScore planted = score(even), swept = score(loose);
  ASSERT_GT(swept.likelihood, 1.1 * planted.likelihood);
  EXPECT_EQ(taken({planted, swept}, 0), 0u);
}

}  // namespace
}  // namespace parsimony::cluster::candidate_choice_test
