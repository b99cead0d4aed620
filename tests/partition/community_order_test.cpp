#include "parsimony/partition/community_order.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <set>

#include "parsimony/core/error.hpp"
#include "parsimony/graph/generators.hpp"

namespace parsimony::partition::community_order_test {
namespace {

graph::Graph blocks(std::int64_t nodes) {
  return graph::stochastic_block_model({.nodes = nodes, .clusters = 8, .degree = 20, .epsilon_ratio = 0.02})
      .graph;
}

// The sets of other parts' neighbours, by hand.
TEST(GhostShare, CountsTheNeighboursOfOtherParts) {
  const graph::Graph graph = blocks(5000);
  const CsrView a = graph;
  for (const std::int64_t parts : {1, 2, 3, 7}) {
    std::int64_t ghosts = 0;
    for (std::int64_t part = 0; part < parts; ++part) {
      const std::int64_t begin = 5 * part / parts * 1024,
                         end = std::min<std::int64_t>(5000, 5 * (part + 1) / parts * 1024);
      std::set<std::int32_t> others;
      for (std::int64_t e = a.offsets[begin]; e < a.offsets[end]; ++e) {
        if (a.columns[e] < begin || a.columns[e] >= end) others.insert(a.columns[e]);
      }
      ghosts += std::ssize(others);
    }
    EXPECT_DOUBLE_EQ(ghost_share(graph, parts), static_cast<double>(ghosts) / 5000);
  }
  EXPECT_EQ(ghost_share(graph, 1), 0);
  EXPECT_THROW(ghost_share(graph, 0), Error);
}

TEST(OrderByCommunities, IsTheSameGraphWithFewerGhosts) {
  const graph::Graph graph = blocks(8192);
  const CommunityOrder ordered = order_by_communities(graph);
  std::vector<std::int32_t> sorted = ordered.order;
  std::sort(sorted.begin(), sorted.end());
  for (std::int64_t i = 0; i < graph.nodes(); ++i) ASSERT_EQ(sorted[i], i);
  const CsrView before = graph, after = ordered.graph;
  for (std::int64_t i = 0; i < graph.nodes(); ++i) {
    std::set<std::int32_t> expected, found;
    const std::int64_t node = ordered.order[i];
    expected.insert(before.columns.begin() + before.offsets[node],
                    before.columns.begin() + before.offsets[node + 1]);
    for (std::int64_t e = after.offsets[i]; e < after.offsets[i + 1]; ++e)
      found.insert(ordered.order[after.columns[e]]);
    ASSERT_EQ(found, expected);
  }
  // In a random order seven eighths of the neighbours of a node are in other parts; here hardly any
  // is.
  const auto& random = ordered.report.figure<std::vector<double>>("ghosts_before");
  const auto& few = ordered.report.figure<std::vector<double>>("ghosts_after");
  EXPECT_GT(random[1], 2.5);
  EXPECT_LT(few[1], random[1] / 2);
}

}  // namespace
}  // namespace parsimony::partition::community_order_test
