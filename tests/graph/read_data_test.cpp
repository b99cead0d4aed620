// Real files of other people's tools; the numbers are those their publishers state.
#include <gtest/gtest.h>

#include <filesystem>

#include "graph/graph_checks.hpp"
#include "parsimony/graph/labels.hpp"
#include "places.hpp"

namespace parsimony::graph::read_data_test {
namespace {

const std::filesystem::path kGraphs = places::data_folder() / "graphs";

struct Known {
  const char* name;
  std::int64_t nodes, edges;
};

// In the name of the test.
void PrintTo(const Known& known, std::ostream* out) {
  *out << known.name;
}

class RealGraph : public ::testing::TestWithParam<Known> {};

TEST_P(RealGraph, HasTheStatedSize) {
  const Known& known = GetParam();
  if (!std::filesystem::exists(kGraphs / known.name)) GTEST_SKIP() << (kGraphs / known.name) << " is missing";
  const GraphFile file = read_graph(kGraphs / known.name);
  EXPECT_EQ(file.graph.nodes(), known.nodes);
  EXPECT_EQ(file.graph.edges(), known.edges);
  EXPECT_FALSE(file.graph.weighted());
  EXPECT_EQ(static_cast<std::int64_t>(edges_of(file.graph).size()), known.edges);
}

constexpr Known kKnown[] = {{"email-Eu-core.txt", 1005, 16064},
                            {"wing.graph", 62032, 121544},
                            {"4elt.graph", 15606, 45878},
                            {"polblogs.graph", 1490, 16715},
                            {"pubmed.edges", 19717, 44324},
                            {"lfr/lfr-mu0.1.edges.gz", 100000, 211185},
                            {"lfr/lfr-mu0.3.edges.gz", 100000, 213774},
                            {"com-dblp.ungraph.txt.gz", 317080, 1049866}};
#ifdef PARSIMONY_SANITIZED  // slow, and a million edges take the ways of a hundred thousand
constexpr std::ptrdiff_t kLeftOut = 1;
#else
constexpr std::ptrdiff_t kLeftOut = 0;
#endif

INSTANTIATE_TEST_SUITE_P(Files, RealGraph,
                         ::testing::ValuesIn(std::begin(kKnown), std::end(kKnown) - kLeftOut));

class RealLabels : public ::testing::TestWithParam<std::array<const char*, 2>> {};

TEST_P(RealLabels, CoverTheGraph) {
  const auto [labels_name, graph_name] = GetParam();
  for (const char* name : {labels_name, graph_name}) {
    if (!std::filesystem::exists(kGraphs / name)) GTEST_SKIP() << (kGraphs / name) << " is missing";
  }
  const Labels labels = read_labels(kGraphs / labels_name);
  const GraphFile file = read_graph(kGraphs / graph_name);
  ASSERT_EQ(labels.ids.size(), file.graph.nodes());
  for (std::int64_t node = 0; node < file.graph.nodes(); ++node) {
    ASSERT_GE(labels.ids.find(file.ids.name(node)), 0) << file.ids.name(node);
  }
}

INSTANTIATE_TEST_SUITE_P(Files, RealLabels,
                         ::testing::Values(std::array{"pubmed.labels", "pubmed.edges"},
                                           std::array{"email-Eu-core-department-labels.txt",
                                                      "email-Eu-core.txt"},
                                           std::array{"lfr/lfr-mu0.1.labels.gz", "lfr/lfr-mu0.1.edges.gz"},
                                           std::array{"lfr/lfr-mu0.3.labels.gz", "lfr/lfr-mu0.3.edges.gz"}));

}  // namespace
}  // namespace parsimony::graph::read_data_test
