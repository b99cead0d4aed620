// Tests of make_graph() and check_graph(), parsimony/graph/graph.hpp.
#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "expect_error.hpp"
#include "graph/graph_checks.hpp"
#include "parsimony/core/random.hpp"
#include "parsimony/graph/graph.hpp"
#include "parsimony/graph/laplacian.hpp"
#include "parsimony/graph/scores.hpp"

namespace parsimony::graph::check_graph_test {
namespace {

// 0 – 1 – 2 with weights 2 and 3.
Csr weighted_path() {
  return {{0, 1, 3, 4}, {1, 0, 2, 1}, {2, 2, 3, 3}};
}

void expect_refused(const Csr& csr, const std::string& piece) {
  expect_error(ErrorCode::invalid_argument, piece, [&] { check_graph(csr); });
}

TEST(CheckGraph, AcceptsEveryGraphAndMarksTheView) {
  for (const Weights weights : {Weights::none, Weights::whole, Weights::real}) {
    for (std::uint64_t seed = 0; seed < 5; ++seed) {
      const Graph graph = random_graph(5000, 20000, weights, seed);
      EXPECT_FALSE(CsrView(graph).checked);
      const CsrView checked = check_graph(graph, Context(2));
      EXPECT_TRUE(checked.checked);
      EXPECT_EQ(checked.columns.data(), graph.adjacency.columns.data());
    }
  }
  EXPECT_TRUE(check_graph(Csr{}).checked) << "no nodes";
  EXPECT_TRUE(check_graph(Csr{{0, 0, 0}, {}, {}}).checked) << "no edges";
}

// Any one entry that is changed, moved or removed leaves a matrix that is not symmetric: it must be found,
// and the entry or its mirror named.
TEST(CheckGraph, FindsEveryEntryWithoutItsMirror) {
  const Graph graph = random_graph(60, 300, Weights::real, 3);
  const std::int64_t nodes = graph.nodes();
  for (std::int64_t row = 0; row < nodes; ++row) {
    for (std::int64_t e = graph.adjacency.offsets[row]; e < graph.adjacency.offsets[row + 1]; ++e) {
      const std::string named =
          "(" + std::to_string(row) + ", " + std::to_string(graph.adjacency.columns[e]) + ")";
      Csr other = graph.adjacency;
      other.values[e] = std::nextafter(other.values[e], 100.0f);
      expect_refused(other, "not symmetric: entry");
      expect_refused(other, named);
      other = graph.adjacency;
      other.columns.erase(other.columns.begin() + e);
      other.values.erase(other.values.begin() + e);
      for (std::int64_t r = row + 1; r <= nodes; ++r) --other.offsets[r];
      expect_refused(other, named + " is missing");
    }
  }
}

TEST(CheckGraph, NamesTheFault) {
  const auto with = [](auto change) {
    Csr csr = weighted_path();
    change(csr);
    return csr;
  };
  expect_refused(with([](Csr& c) { c.columns[2] = 3; }), "row 1 has column 3; must be 0 to 2");
  expect_refused(with([](Csr& c) { c.columns[2] = -1; }), "row 1 has column -1; must be 0 to 2");
  expect_refused(with([](Csr& c) { std::swap(c.columns[1], c.columns[2]); }), "row 1 has column 0 after 2");
  expect_refused(with([](Csr& c) { c.columns[2] = 0; }), "row 1 has column 0 after 0");
  expect_refused(with([](Csr& c) { c.columns[0] = 0; }), "row 0 has a self loop");
  for (const float weight :
       {0.0f, -1.0f, std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()}) {
    expect_refused(with([&](Csr& c) { c.values[3] = weight; }), "entry (2, 1) is ");
  }
  expect_refused(with([](Csr& c) { c.values.pop_back(); }), "3 values for 4 columns");
  expect_refused(with([](Csr& c) { c.offsets[1] = 4; }),
                 "row 1 goes from offset 4 to 3; offsets must ascend from 0 to 4");
  expect_refused(with([](Csr& c) { c.offsets.back() = 5; }), "offsets go from 0 to 5");
  expect_refused(with([](Csr& c) { c.offsets.front() = 1; }), "offsets go from 1 to 4");
  expect_refused(with([](Csr& c) { c.offsets.clear(); }), "no offsets");
}

// The first bad row is named, whichever thread comes first.
TEST(CheckGraph, NamesTheSameRowForAnyNumberOfThreads) {
  Graph graph = random_graph(40000, 80000, Weights::none, 1);
  for (const std::int64_t row : {39000, 21000, 9000}) {
    graph.adjacency.columns[graph.adjacency.offsets[row]] = static_cast<std::int32_t>(row);
    for (const int threads : {1, 2, 3, 8}) {
      expect_error(ErrorCode::invalid_argument, "row " + std::to_string(row) + " has",
                   [&] { check_graph(graph, Context(threads)); });
    }
  }
}

TEST(CheckGraph, GuardsWhatReadsAGraph) {
  Csr asymmetric = weighted_path();
  asymmetric.values[0] = 5;
  Csr outside = weighted_path();
  outside.columns[2] = 7;
  for (const Csr& csr : {asymmetric, outside}) {
    expect_error(ErrorCode::invalid_argument, "graph: ", [&] { make_laplacian(csr); });
    expect_error(ErrorCode::invalid_argument, "graph: ", [&] {
      score_partition(csr, std::vector<std::int32_t>{0, 0, 1});
    });
  }
}

TEST(MakeGraph, IsTheGraphOfItsEdges) {
  const std::vector<Edge> edges{{2, 0, 3}, {1, 2, 0.5f}, {2, 1, 0.5f}, {0, 0, 9},
                                {0, 2, 0}, {3, 1, 1},    {3, 1, 2}};
  const EdgeMap expected{{{0, 2}, 3}, {{1, 2}, 0.5f}, {{1, 3}, 3}};
  const Graph graph = make_graph(5, edges);
  EXPECT_EQ(graph.nodes(), 5);
  EXPECT_EQ(edges_of(graph), expected);
  check_graph(graph);
  const Graph unit = make_graph(3, std::vector<Edge>{{0, 1}, {2, 1}});
  EXPECT_FALSE(unit.weighted());
  EXPECT_EQ(make_graph(0, {}).nodes(), 0);
}

// Rows of a graph in any order, with entries cut in two, are the same graph.
TEST(MakeGraph, SortsAndMergesTheRowsOfAMatrix) {
  const Graph graph = random_graph(300, 900, Weights::whole, 2);
  Csr mixed;
  for (std::int64_t row = 0; row < graph.nodes(); ++row) {
    for (std::int64_t e = graph.adjacency.offsets[row + 1]; e-- > graph.adjacency.offsets[row];) {
      for (int part = 0; part < 2; ++part) {
        mixed.columns.push_back(graph.adjacency.columns[e]);
        mixed.values.push_back(graph.adjacency.values[e] / 2);
      }
    }
    mixed.offsets.push_back(mixed.entries());
  }
  EXPECT_TRUE(same(make_graph(mixed), graph));
}

TEST(MakeGraph, SymmetrizesWhenAsked) {
  const Csr directed{{0, 1, 2, 2}, {1, 2}, {4, 2}};
  expect_error(ErrorCode::invalid_argument, "not symmetric", [&] { make_graph(directed); });
  EXPECT_EQ(edges_of(make_graph(directed, {.symmetrize = true})), (EdgeMap{{{0, 1}, 2}, {{1, 2}, 1}}));
  const std::vector<Edge> both{{0, 1, 1}, {1, 0, 2}};
  expect_error(ErrorCode::invalid_argument, "not symmetric: the entry from 0 to 1 is 1",
               [&] { make_graph(2, both); });
  EXPECT_EQ(edges_of(make_graph(2, both, {.symmetrize = true})), (EdgeMap{{{0, 1}, 1.5f}}));
}

TEST(MakeGraph, RefusesWhatIsNoEdge) {
  const auto refused = [](const Edge& edge, const std::string& piece) {
    expect_error(ErrorCode::invalid_argument, piece, [&] { make_graph(3, std::vector<Edge>{{0, 1}, edge}); });
  };
  refused({0, 3}, "edge 1 is (0, 3); nodes must be 0 to 2");
  refused({-1, 0}, "edge 1 is (-1, 0)");
  refused({1, 2, -1}, "edge 1, (1, 2), has weight -1");
  refused({1, 2, std::numeric_limits<float>::quiet_NaN()}, "has weight nan");
  expect_error(ErrorCode::invalid_argument, "-1 nodes", [] { make_graph(-1, {}); });
  expect_error(ErrorCode::invalid_argument, "entry 0 is (0, 9)", [] { make_graph(Csr{{0, 1}, {9}, {}}); });
  expect_error(ErrorCode::invalid_argument, "offsets go from 0 to 5; must go from 0 to the 1 column", [] {
    make_graph(Csr{{0, 5}, {0}, {}});
  });
}

}  // namespace
}  // namespace parsimony::graph::check_graph_test
