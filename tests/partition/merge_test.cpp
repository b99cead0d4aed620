#include "parsimony/partition/merge.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "expect_error.hpp"
#include "parsimony/partition/objectives.hpp"
#include "parsimony/partition/partition.hpp"
#include "parsimony/partition/split.hpp"
#include "partition/known_networks.hpp"
#include "partition/small_networks.hpp"

namespace parsimony::partition::merge_test {
namespace {

using testing::SmallNetwork;

std::vector<std::int32_t> numbered(std::vector<std::int32_t> labels) {
  std::vector<std::int32_t> number(labels.size(), -1);
  std::int32_t next = 0;
  for (std::int32_t& label : labels) {
    if (number[label] < 0) number[label] = next++;
    label = number[label];
  }
  return labels;
}

double value(const Partition& p, double total, MergeGain gain, double resolution) {
  // Gains count the edge once, q twice; the normalised cut falls by one more with every merge.
  return gain == MergeGain::modularity ? modularity(p, total, resolution) : -normalized_cut(p);
}

// The rules, word for word, with every objective computed anew.
std::vector<std::int32_t> naive_merges(const NetworkView& network, const MergeOptions& options) {
  const std::int64_t n = network.nodes();
  std::vector<std::int32_t> labels(n);
  std::iota(labels.begin(), labels.end(), 0);
  std::int64_t left = n;
  const auto largest = static_cast<std::int32_t>(
      std::max_element(network.degree.begin(), network.degree.end()) - network.degree.begin());
  for (std::int32_t i = 0; i < n && left > options.clusters; ++i) {
    if (network.degree[i] > 0 || i == largest) continue;
    labels[i] = largest;
    --left;
  }
  for (; left > options.clusters; --left) {
    const Partition now = make_partition(network, labels, n);
    std::vector<std::int32_t> by_volume;
    for (std::int32_t r = 0; r < n; ++r) {
      if (now.sizes[r] > 0) by_volume.push_back(r);
    }
    std::sort(by_volume.begin(), by_volume.end(), [&](std::int32_t a, std::int32_t b) {
      return std::pair(now.volume[a], a) < std::pair(now.volume[b], b);
    });
    std::vector<std::vector<bool>> joined(n, std::vector<bool>(n));
    joined[by_volume[0]][by_volume[1]] = joined[by_volume[1]][by_volume[0]] = true;
    for (std::int64_t i = 0; i < n; ++i) {
      for (std::int64_t e = network.adjacency.offsets[i]; e < network.adjacency.offsets[i + 1]; ++e) {
        joined[labels[i]][labels[network.adjacency.columns[e]]] = true;
      }
    }
    double best = -std::numeric_limits<double>::infinity();
    std::vector<std::int32_t> best_labels;
    for (std::int32_t a = 0; a < n; ++a) {
      for (std::int32_t b = a + 1; b < n; ++b) {
        if (!joined[a][b]) continue;
        std::vector<std::int32_t> tried = labels;
        std::replace(tried.begin(), tried.end(), b, a);
        const double gained =
            value(make_partition(network, tried, n), network.total, options.gain, options.resolution);
        if (gained <= best) continue;
        best = gained;
        best_labels = std::move(tried);
      }
    }
    labels = std::move(best_labels);
  }
  return numbered(labels);
}

TEST(MergeClusters, TakesTheMergeThatIsBestByTheObjectiveItself) {
  for (std::uint64_t trial = 0; trial < 60; ++trial) {
    if (trial % 3 == 0) continue;  // equal weights, equal gains
    const SmallNetwork small(trial, 100);
    const NetworkView network = small;
    if (network.nodes() > 20) continue;
    for (const auto gain : {MergeGain::modularity, MergeGain::normalized_cut}) {
      const MergeOptions options{.clusters = 1 + network.nodes() / 4, .gain = gain, .resolution = 1.7};
      EXPECT_EQ(merge_clusters(network, options), naive_merges(network, options)) << "trial " << trial;
    }
  }
}

TEST(MergeClusters, LeavesExactlyKForEveryK) {
  for (std::uint64_t trial = 0; trial < 1000; ++trial) {
    const SmallNetwork small(trial);
    const NetworkView network = small;
    for (const std::int64_t k : {std::int64_t{1}, (network.nodes() + 1) / 2, network.nodes()}) {
      for (const auto gain : {MergeGain::modularity, MergeGain::normalized_cut}) {
        const auto labels = merge_clusters(network, {.clusters = k, .gain = gain});
        const Partition merged = make_partition(network, labels);
        ASSERT_EQ(merged.clusters(), k) << "trial " << trial;
        ASSERT_EQ(count_filled(merged), k) << "trial " << trial;
        // Nodes without edges stand alone only when there are too few others.
        const auto with_edges =
            std::count_if(network.degree.begin(), network.degree.end(), [](double d) { return d > 0; });
        const auto empty =
            std::count_if(merged.volume.begin(), merged.volume.end(), [](double v) { return !(v > 0); });
        EXPECT_EQ(empty, std::max<std::int64_t>(0, k - with_edges)) << "trial " << trial;
      }
    }
  }
}

TEST(MergeClusters, FindsTheCliquesOfARing) {
  const Csr csr = testing::ring_of_cliques(12, 5);
  for (const auto gain : {MergeGain::modularity, MergeGain::normalized_cut}) {
    const auto labels = merge_clusters(make_network(csr), {.clusters = 12, .gain = gain});
    for (std::int64_t i = 0; i < 60; ++i) EXPECT_EQ(labels[i], i / 5);
  }
}

// Four triangles and a clique of 20 without any tie between them, into two clusters: the small components
// fall together, and the clique stays whole.
TEST(MergeClusters, SmallComponentsFallTogether) {
  parsimony::testing::Dense w = parsimony::testing::zeros(32);
  for (int i = 0; i < 20; ++i) {
    for (int j = 0; j < 20; ++j) w[i][j] = i != j;
  }
  for (int i = 20; i < 32; ++i) {
    for (int j = 20; j < 32; ++j) w[i][j] = i != j && (i - 20) / 3 == (j - 20) / 3;
  }
  const Csr csr = parsimony::testing::to_csr(w, false);
  const auto labels = merge_clusters(make_network(csr), {.clusters = 2});
  for (int i = 0; i < 32; ++i) EXPECT_EQ(labels[i], i < 20 ? 0 : 1);
}

// A hub is a neighbour of every other cluster. If each merge looked at all of them, 4·10⁸ looks at 20,000
// leaves would take half a minute and gigabytes.
TEST(MergeClusters, HubsAreNotQuadratic) {
  constexpr std::int32_t kLeaves = 10000;
  Csr stars;  // node 0 with leaves 2, 4, … and node 1 with leaves 3, 5, …, joined by one edge
  for (std::int32_t hub = 0; hub < 2; ++hub) {
    stars.columns.push_back(1 - hub);
    for (std::int32_t leaf = 1; leaf <= kLeaves; ++leaf) stars.columns.push_back(2 * leaf + hub);
    stars.offsets.push_back(stars.entries());
  }
  for (std::int32_t leaf = 0; leaf < 2 * kLeaves; ++leaf) {
    stars.columns.push_back(leaf % 2);
    stars.offsets.push_back(stars.entries());
  }
  for (const auto gain : {MergeGain::modularity, MergeGain::normalized_cut}) {
    const auto labels = merge_clusters(make_network(stars), {.clusters = 2, .gain = gain});
    std::int64_t elsewhere = 0;
    for (std::size_t i = 0; i < labels.size(); ++i) elsewhere += labels[i] != static_cast<int>(i % 2);
    EXPECT_EQ(elsewhere, 0) << enum_name(gain);
  }
}

TEST(MergeClusters, RefusesMoreClustersThanNodes) {
  const Csr csr = testing::karate_club();
  expect_error(ErrorCode::invalid_argument, "35 is more than the 34",
               [&] { merge_clusters(make_network(csr), {.clusters = 35}); });
  expect_error(ErrorCode::invalid_argument, "clusters",
               [&] { merge_clusters(make_network(csr), {.clusters = 0}); });
}

TEST(SplitOffNodes, GivesExactlyKAndTheCheapestNodesFirst) {
  int compared = 0;
  for (std::uint64_t trial = 0; trial < 300; ++trial) {
    const SmallNetwork small(trial);
    const NetworkView network = small;
    const std::int64_t start = std::min<std::int64_t>(2, network.nodes());
    const Partition before =
        make_partition(network, testing::random_surjection(network.nodes(), start, trial));
    for (std::int64_t k = start; k <= network.nodes(); ++k) {
      Partition after = before;
      split_off_nodes(network, after, k);
      ASSERT_EQ(count_filled(after), k) << "trial " << trial;
      ASSERT_EQ(after.clusters(), k);
      std::vector<std::int64_t> connected(start);  // nodes with edges
      for (std::int64_t i = 0; i < network.nodes(); ++i) connected[before.labels[i]] += network.degree[i] > 0;
      const std::int64_t with_edges = std::accumulate(connected.begin(), connected.end(), std::int64_t{0});
      if (k != start + 1 || k > with_edges || std::count(connected.begin(), connected.end(), 0) > 0) continue;
      ++compared;
      const double value = modularity(after, network.total);
      for (std::int64_t i = 0; i < network.nodes(); ++i) {
        if (connected[before.labels[i]] < 2 || !(network.degree[i] > 0)) continue;
        auto labels = before.labels;
        labels[i] = static_cast<std::int32_t>(start);
        EXPECT_LE(modularity(make_partition(network, labels), network.total), value + 1e-9)
            << "trial " << trial << " node " << i;
      }
    }
  }
  EXPECT_GT(compared, 100);
}

}  // namespace
}  // namespace parsimony::partition::merge_test
