#include "distributed/operator.hpp"

#include <gtest/gtest.h>

#include "distributed/column_groups.hpp"
#include "distributed/components.hpp"
#include "distributed/world.hpp"
#include "parsimony/spectral/chebyshev.hpp"
#include "parsimony/spectral/density.hpp"
#include "parsimony/spectral/features.hpp"

namespace parsimony::distributed::operator_test {
namespace {

using testing::random_graph;
using testing::rows_of;
using testing::world;

class EachHalo : public ::testing::TestWithParam<HaloKind> {};

TEST_P(EachHalo, BringsTheRowsOfOthers) {
  const GraphRows rows = rows_of(random_graph(5000, 20000, false, 1), GetParam());
  for (const std::int64_t width : {16, 32, 16}) {
    Matrix<float> panel(rows.local(), width);
    for (std::int64_t i = 0; i < rows.own(); ++i) {
      for (std::int64_t c = 0; c < width; ++c)
        panel(i, c) = static_cast<float>((rows.partition.begin() + i) * 7 + c);
    }
    rows.halo->begin(panel.data(), width);
    rows.halo->finish(panel.data(), width);
    for (std::int64_t g = rows.own(); g < rows.local(); ++g) {
      for (std::int64_t c = 0; c < width; ++c) {
        ASSERT_EQ(panel(g, c), static_cast<float>(std::int64_t{rows.ghosts[g - rows.own()]} * 7 + c));
      }
    }
  }
  std::vector<std::int32_t> numbers(rows.local(), -1);
  for (std::int64_t i = 0; i < rows.local(); ++i) {
    if (i < rows.own()) numbers[i] = rows.global(static_cast<std::int32_t>(i));
  }
  rows.halo->copy(numbers.data());
  for (std::int64_t i = 0; i < rows.local(); ++i)
    EXPECT_EQ(numbers[i], rows.global(static_cast<std::int32_t>(i)));
}

// The moments, λ_k and features of one process, to the last bit. 5000 nodes leave the fourth of four
// processes with fewer rows than the others, and 300 leave all but one without any.
TEST_P(EachHalo, GivesTheBytesOfOneProcess) {
  const Context context(2);
  for (const std::int64_t nodes : {5000, 300}) {
    for (const bool weighted : {false, true}) {
      for (const double tau : {0.0, 1.5}) {
        const graph::Graph graph = random_graph(nodes, 2 * nodes, weighted, 3);
        const GraphRows rows = rows_of(graph, GetParam());
        const auto laplacian = graph::make_laplacian(graph, graph::LaplacianKind::normalized, tau);
        const LaplacianRows own(rows, graph::LaplacianKind::normalized, tau);
        const DistributedOperator op(own, context);
        const auto one = spectral::spectral_density(laplacian, {.order = 15, .seed = 5}, context);
        const auto many = spectral::spectral_density(op, {.order = 15, .seed = 5}, {}, context);
        EXPECT_TRUE(std::ranges::equal(one.moments().values(), many.moments().values()));
        EXPECT_EQ(one.eigenvalue(20), many.eigenvalue(20));
        const auto h = spectral::low_pass(0.4, 2, 20);
        const Matrix<float> whole = spectral::random_features(laplacian, h, 40, 9, context);
        const Matrix<float> part = spectral::random_features(op, h, 40, 9, context);
        for (std::int64_t i = 0; i < rows.own(); ++i) {
          ASSERT_TRUE(std::ranges::equal(part.row(i), whole.row(rows.partition.begin() + i)));
        }
      }
    }
  }
}

// Each number of groups that fits: 40 features are 3 lines of 16, which 2 groups share as 1 and 2.
TEST_P(EachHalo, ColumnGroupsGiveTheSameBytes) {
  const Context context(2);
  for (const std::int64_t nodes : {5000, 300}) {
    for (const bool weighted : {false, true}) {
      const graph::Graph graph = random_graph(nodes, 2 * nodes, weighted, 3);
      const GraphRows rows = rows_of(graph, GetParam());
      const auto laplacian = graph::make_laplacian(graph, graph::LaplacianKind::normalized, 1.5);
      const LaplacianRows own(rows, graph::LaplacianKind::normalized, 1.5);
      const auto h = spectral::low_pass(0.4, 2, 20);
      const Matrix<float> whole = spectral::random_features(laplacian, h, 40, 9, context);
      const auto one = spectral::spectral_density(laplacian, {.order = 15, .seed = 5}, context);
      int tried = 0;
      for (const GroupedCost& cost : costs_of_groups(rows, {.filter_order = 20, .features = 40})) {
        if (cost.groups == 1) continue;
        ++tried;
        const ColumnGroups groups(rows, cost.groups, graph::LaplacianKind::normalized, 1.5, context);
        const DistributedOperator op(own, context, 0, &groups);
        const auto many = spectral::spectral_density(op, {.order = 15, .seed = 5}, {}, context);
        EXPECT_TRUE(std::ranges::equal(one.moments().values(), many.moments().values()));
        const Matrix<float> part = spectral::random_features(op, h, 40, 9, context);
        ASSERT_EQ(part.rows(), rows.own());
        for (std::int64_t i = 0; i < rows.own(); ++i) {
          ASSERT_TRUE(std::ranges::equal(part.row(i), whole.row(rows.partition.begin() + i)));
        }
        EXPECT_EQ(op.bytes_received(), 0);
        const auto range = spectral::signals_of_group(groups.own(), cost.groups, 40);
        const std::int64_t lines = (range.count + 15) / 16;
        EXPECT_EQ(groups.bytes_received(), groups.ghosts() * 4 * (15 * 16 + 20 * 16 * lines));
      }
      EXPECT_EQ(tried, std::vector<int>({0, 1, 1, 1}).at(world().count() - 1));
    }
  }
}

// A process that needs 7 rows of 8 of another one gets them all; from others it gets the rows that it reads.
TEST_P(EachHalo, GhostsAreTheRowsThatAreReadOrAllOfAProcess) {
  if (world().count() == 1) return;
  constexpr std::int32_t kNodes = 12 * 1024;
  const Partition partition = Partition::even(kNodes, world().rank(), world().count());
  const auto rank = world().rank();
  // Each row has an edge to a row of every other process: nearly all of those that follow each other.
  std::vector<std::int64_t> offsets{0};
  std::vector<std::int32_t> columns;
  for (std::int64_t i = 0; i < partition.own(); ++i) {
    for (int p = 0; p < world().count(); ++p) {
      const std::int64_t size = partition.begins[p + 1] - partition.begins[p];
      const bool most = (p + rank) % 2 == 1;
      const std::int64_t at = most ? (i < size / 9 ? 0 : i % size) : i % (size / 2);
      if (p != rank) columns.push_back(static_cast<std::int32_t>(partition.begins[p] + at));
    }
    offsets.push_back(std::ssize(columns));
  }
  const std::vector<std::int32_t> global = columns;
  const GraphRows rows = make_rows(world(), partition, offsets, columns, {}, GetParam());
  std::vector<std::int32_t> expected;
  for (int p = 0; p < world().count(); ++p) {
    const std::int64_t begin = partition.begins[p], size = partition.begins[p + 1] - begin;
    if (p == rank) continue;
    const std::int64_t ghosts = (p + rank) % 2 == 1 ? size : size / 2;
    for (std::int64_t i = 0; i < ghosts; ++i) expected.push_back(static_cast<std::int32_t>(begin + i));
  }
  EXPECT_EQ(rows.ghosts, expected);
  for (std::size_t e = 0; e < global.size(); ++e) ASSERT_EQ(rows.global(rows.columns[e]), global[e]);
}

TEST_P(EachHalo, BytesOfAStepAreGhostsTimesWidthTimesFour) {
  const GraphRows rows = rows_of(random_graph(5000, 20000, false, 1), GetParam());
  const Context context(1);
  const LaplacianRows own(rows, graph::LaplacianKind::normalized, 0);
  const DistributedOperator op(own, context);
  Matrix<float> signals(rows.own(), 32);
  spectral::filter(op, spectral::low_pass(0.4, 2, 10), signals, context);
  EXPECT_EQ(op.bytes_received(), 10 * std::ssize(rows.ghosts) * 32 * 4);
}

INSTANTIATE_TEST_SUITE_P(Halos, EachHalo, ::testing::ValuesIn(halo_kinds().begin(), halo_kinds().end()));

TEST(ComponentSizes, AreThoseOfOneProcess) {
  // Paths that cross the processes many times, and nodes without edges.
  for (const std::int64_t stride : {1, 997, 2500}) {
    constexpr std::int64_t kNodes = 5000;
    std::vector<graph::Edge> edges;
    for (std::int64_t i = 0; i + stride < kNodes; ++i) {
      if (i % 13 != 0) edges.push_back({static_cast<std::int32_t>(i), static_cast<std::int32_t>(i + stride)});
    }
    const graph::Graph graph = graph::make_graph(kNodes + 40, edges);
    const cluster::ComponentSizes one = cluster::component_sizes(graph);
    const GraphRows rows = rows_of(graph, halo_kinds().front());
    const cluster::ComponentSizes many = component_sizes(rows);
    EXPECT_EQ(many.components.count, one.components.count);
    EXPECT_EQ(many.components.isolated, one.components.isolated);
    EXPECT_EQ(many.nodes, one.nodes);
    EXPECT_EQ(many.volume, one.volume);
    for (std::int64_t i = 0; i < rows.own(); ++i) {
      ASSERT_EQ(many.components.label[i], one.components.label[rows.partition.begin() + i]);
    }
  }
}

// The marked nodes alone are the graph that one process makes of them.
TEST(MarkedRows, AreAGraphOfTheirOwn) {
  const graph::Graph graph = random_graph(4000, 9000, true, 7);
  const cluster::ComponentSizes sizes = cluster::component_sizes(graph);
  const GraphRows rows = rows_of(graph, halo_kinds().front());
  std::vector<float> marks(rows.own());
  const auto largest = std::ranges::max_element(sizes.nodes) - sizes.nodes.begin();
  std::vector<graph::Edge> edges;
  std::vector<std::int32_t> number(graph.nodes(), -1);
  std::int32_t next = 0;
  for (std::int64_t i = 0; i < graph.nodes(); ++i) {
    if (sizes.components.label[i] != largest) continue;
    number[i] = next++;
    if (rows.partition.holds(i)) marks[i - rows.partition.begin()] = 1;
  }
  const CsrView a = graph;
  for (std::int64_t i = 0; i < a.rows(); ++i) {
    for (std::int64_t e = a.offsets[i]; e < a.offsets[i + 1]; ++e) {
      if (number[i] >= 0 && a.columns[e] < i) edges.push_back({number[i], number[a.columns[e]], a.values[e]});
    }
  }
  const graph::Graph expected = graph::make_graph(next, edges);
  const CsrView w = expected;
  const GraphRows part = marked_rows(rows, marks);
  ASSERT_EQ(part.all(), next);
  for (std::int64_t i = 0; i < part.own(); ++i) {
    const std::int64_t global = part.partition.begin() + i;
    ASSERT_EQ(part.offsets[i + 1] - part.offsets[i], w.offsets[global + 1] - w.offsets[global]);
    for (std::int64_t e = part.offsets[i], at = w.offsets[global]; e < part.offsets[i + 1]; ++e, ++at) {
      EXPECT_EQ(part.global(part.columns[e]), w.columns[at]);
      EXPECT_EQ(part.values[e], w.values[at]);
    }
  }
}

}  // namespace
}  // namespace parsimony::distributed::operator_test
