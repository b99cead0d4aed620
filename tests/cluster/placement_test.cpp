// Tests of the guarantees that every method shares: exactly k clusters, none empty.
#include "cluster/methods/placement.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <set>
#include <vector>

#include "dense.hpp"
#include "parsimony/core/random.hpp"

namespace parsimony::cluster::placement_test {
namespace {

using Labels = std::vector<std::int32_t>;
using Marks = std::vector<float>;

Labels placed(Labels labels, std::int64_t clusters, const Marks& connected) {
  place_unknown(labels, clusters, connected);
  return labels;
}

TEST(Placement, UnknownNodesJoinTheSmallestClusterThatIsNotEmpty) {
  const Marks all(6, 1);
  EXPECT_EQ(placed({0, 0, 0, 1, 1, -1}, 2, all), (Labels{0, 0, 0, 1, 1, 1}));
  // An empty cluster would become one of unknown nodes alone.
  EXPECT_EQ(placed({0, 0, 0, 1, 1, -1}, 3, all), (Labels{0, 0, 0, 1, 1, 1}));
  EXPECT_EQ(placed({2, 2, 2, 1, 1, -1}, 3, all), (Labels{2, 2, 2, 1, 1, 1}));
  EXPECT_EQ(placed({1, 1, 0, 0, -1, -1}, 2, all), (Labels{1, 1, 0, 0, 0, 0})) << "the first of equal ones";
}

TEST(Placement, NodesWithoutEdgesAreUnknownWhateverTheirLabel) {
  // Nodes 0 and 3 have no edges: cluster 0 has one node left, cluster 1 two.
  EXPECT_EQ(placed({0, 0, 1, 1, 1}, 2, {0, 1, 1, 0, 1}), (Labels{0, 0, 1, 0, 1}));
  EXPECT_EQ(placed({0, 1, 1, 0, 0}, 2, {1, 1, 1, 0, 0}), (Labels{0, 1, 1, 0, 0}));
}

TEST(Placement, EmptyClustersTakeBackTheirNodesOfTheSample) {
  // Cluster 2 is empty; k-means had put node 4 into it, and cluster 3 had node 1.
  Labels labels{0, 0, 0, 1, 1, 1};
  fill_empty_clusters(labels, 4, Labels{4, 1}, Labels{2, 3});
  EXPECT_EQ(labels, (Labels{0, 3, 0, 1, 2, 1}));
  // The last node of a cluster stays: node 0 may not leave, so cluster 2 takes the first node that may.
  labels = {0, 1, 1, 1};
  fill_empty_clusters(labels, 3, Labels{0}, Labels{2});
  EXPECT_EQ(labels, (Labels{0, 2, 1, 1}));
}

TEST(Placement, EveryClusterHasANodeAfterFilling) {
  for (std::uint64_t trial = 0; trial < 300; ++trial) {
    const RandomStream random(trial, "test");
    const auto nodes = static_cast<std::int64_t>(1 + random.below(30, 0));
    const auto clusters = static_cast<std::int64_t>(1 + random.below(nodes, 1));
    Labels labels(nodes), sample, sample_labels;
    for (std::int64_t i = 0; i < nodes; ++i) {
      labels[i] = static_cast<std::int32_t>(random.below(1 + trial % clusters, 10 + i));
      if (random.uniform(100 + i) < 0.5) {
        sample.push_back(static_cast<std::int32_t>(i));
        sample_labels.push_back(static_cast<std::int32_t>(random.below(clusters, 200 + i)));
      }
    }
    fill_empty_clusters(labels, clusters, sample, sample_labels);
    const std::set<std::int32_t> used(labels.begin(), labels.end());
    EXPECT_EQ(std::ssize(used), clusters);
    EXPECT_GE(*used.begin(), 0);
    EXPECT_LT(*used.rbegin(), clusters);
  }
}

TEST(Placement, SingleNodesAreClustersConnectedOnesFirst) {
  EXPECT_EQ(single_nodes(Marks{0, 1, 0, 1, 0}, 4), (Labels{2, 0, 3, 1, 3}));
  EXPECT_EQ(single_nodes(Marks{0, 1, 0, 1, 0}, 2), (Labels{1, 0, 1, 1, 1}));
}

TEST(Placement, TheConnectedPartIsTheGraphWithoutNodesWithoutEdges) {
  // Edges 1 – 3 and 3 – 4; nodes 0 and 2 have none.
  testing::Dense w = testing::zeros(5);
  w[1][3] = w[3][1] = 2;
  w[3][4] = w[4][3] = 3;
  const Csr csr = testing::to_csr(w, true);
  const ConnectedNodes connected = connected_nodes(csr);
  EXPECT_EQ(connected.marks, (Marks{0, 1, 0, 1, 1}));
  EXPECT_EQ(connected.count, 3);
  const Csr part = marked_part(csr, connected.marks);
  EXPECT_EQ(part.offsets, (std::vector<std::int64_t>{0, 1, 3, 4}));
  EXPECT_EQ(part.columns, (Labels{1, 0, 2, 1}));
  EXPECT_EQ(part.values, (std::vector<float>{2, 2, 3, 3}));
  const graph::Components components = graph::connected_components(csr);
  EXPECT_EQ(components_as_clusters(components, 1, connected.marks), (Labels{0, 0, 0, 0, 0}));
  EXPECT_TRUE(components_as_clusters(components, 2, connected.marks).empty());
}

}  // namespace
}  // namespace parsimony::cluster::placement_test
