// Guarantees of every method, by the one call: exactly k clusters, the same bytes for any number of
// threads, cancellation, and refusals. Tests of single methods are in the files of their names.
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "cluster/method_table.hpp"
#include "dense.hpp"
#include "expect_cancels.hpp"
#include "expect_error.hpp"
#include "limited_memory.hpp"
#include "parsimony/cluster/cluster.hpp"
#include "parsimony/core/random.hpp"
#include "parsimony/graph/generators.hpp"
#include "thread_counts.hpp"

namespace parsimony::cluster::every_method_test {
namespace {

class EveryMethod : public ::testing::TestWithParam<Method> {};

// Components of every kind, isolated nodes, and every number of clusters: always exactly k, never a crash.
TEST_P(EveryMethod, GivesExactlyKClustersOnAnyGraph) {
  const RandomStream random(2, "test");
  for (std::uint64_t trial = 0; trial < 40; ++trial) {
    const auto nodes = static_cast<std::int64_t>(1 + random.below(60, 3 * trial));
    const double probability = 0.2 * random.uniform(3 * trial + 1) * (trial % 4);  // every fourth has no edge
    const bool weighted = trial % 2;
    const Csr csr = testing::to_csr(testing::random_adjacency(nodes, probability, weighted, trial), weighted);
    for (const std::int64_t clusters : {std::int64_t{1}, std::int64_t{2}, nodes / 3, nodes - 1, nodes}) {
      if (clusters < 1 || clusters > nodes) continue;
      SCOPED_TRACE(::testing::Message()
                   << "trial " << trial << ", " << nodes << " nodes, " << clusters << " clusters");
      ClusterOptions options{.method = GetParam(), .clusters = clusters, .seed = trial};
      if (has_option(GetParam(), "restarts")) options.restarts = 2;
      const Clustering result = cluster(csr, options, Context(1));
      ASSERT_EQ(std::ssize(result.labels), nodes);
      const std::set<std::int32_t> used(result.labels.begin(), result.labels.end());
      EXPECT_EQ(std::ssize(used), clusters);
      EXPECT_EQ(*used.begin(), 0);
      EXPECT_EQ(*used.rbegin(), clusters - 1);
      EXPECT_EQ(std::ssize(result.scores.sizes), clusters);
      EXPECT_EQ(result.report.status, Status::converged);
    }
  }
}

TEST_P(EveryMethod, SameBytesForAnyNumberOfThreads) {
  // Every loop over nodes has two blocks, of which the largest are of 16384.
  const auto planted = graph::stochastic_block_model(
      {.nodes = 17000, .clusters = 12, .degree = 10, .epsilon_ratio = 0.05, .seed = 3});
  ClusterOptions options{.method = GetParam(), .clusters = 12, .seed = 5};
  if (has_option(GetParam(), "eigen_tolerance")) options.eigen_tolerance = 1e-2;
#if defined(PARSIMONY_SANITIZED)  // AutomaticClustering has a test of more effort, on a smaller graph
  if (has_option(GetParam(), "effort")) options.effort = Effort::fast;
#endif
  const Clustering one = cluster(planted.graph, options, Context(1));
  for (const int threads : parsimony::testing::kThreadCounts) {
    const Clustering other = cluster(planted.graph, options, Context(threads));
    EXPECT_EQ(one.labels, other.labels) << threads << " threads";
    EXPECT_EQ(one.lambda_k, other.lambda_k);
    EXPECT_EQ(one.scores.modularity, other.scores.modularity);
  }
}

TEST_P(EveryMethod, CancelsAtAnyProgressCall) {
  const auto planted = graph::stochastic_block_model({.nodes = 500, .clusters = 5, .seed = 1});
  const ClusterOptions options{.method = GetParam(), .clusters = 5};
  expect_cancels(7, [&](const Context& context) { cluster(planted.graph, options, context); });
}

TEST_P(EveryMethod, RefusesWhatCannotBe) {
  const Csr csr = testing::to_csr(testing::random_adjacency(20, 0.3, true, 1), true);
  const auto refuses = [&](ErrorCode code, const char* part, ClusterOptions options, const Csr& graph) {
    options.method = GetParam();
    expect_error(code, part, [&] { cluster(graph, options); });
  };
  refuses(ErrorCode::invalid_argument, "clusters: 21 is more than the 20 nodes", {.clusters = 21}, csr);
  refuses(ErrorCode::invalid_argument, "clusters", {.clusters = -1}, csr);
  expect_error(ErrorCode::memory_limit, "max_memory: clustering needs about",
               [&] { cluster(csr, {.method = GetParam(), .clusters = 2}, testing::limited_memory(100)); });
  Csr broken = csr;
  broken.columns[3] = 99;
  refuses(ErrorCode::invalid_argument, "has column 99; must be 0 to 19", {.clusters = 2}, broken);
  broken = csr;
  broken.values[3] += 1;
  refuses(ErrorCode::invalid_argument, "not symmetric", {.clusters = 2}, broken);
}

// The options of the method itself are those of ClusterOptions, by name and type, and reach the run.
TEST_P(EveryMethod, TakesItsOptionsFromTheCall) {
  const auto planted =
      graph::stochastic_block_model({.nodes = 300, .clusters = 3, .epsilon_ratio = 0.1, .seed = 1});
  const MethodRow& row = row_of(GetParam());
  std::set<std::string> fields;
  const ClusterOptions defaults;
  describe(defaults, [&](const Field& field, const auto&) { fields.insert(std::string(field.name)); });
  for (const std::string_view option : row.options)
    EXPECT_TRUE(fields.contains(std::string(option))) << option;

  ClusterOptions options{.method = GetParam(), .clusters = 3, .seed = 11};
  if (has_option(GetParam(), "effort")) options.effort = Effort::fast;
  if (has_option(GetParam(), "order")) options.order = 31;
  if (has_option(GetParam(), "restarts")) options.restarts = 3;
  if (has_option(GetParam(), "regularization")) options.regularization = 0.25;
  if (has_option(GetParam(), "refine")) options.refine = Refinement::moves;
  const std::string json = cluster(planted.graph, options).report.to_json();
  std::vector<std::string> expected{"\"clusters\": 3", "\"seed\": 11"};
  if (has_option(GetParam(), "effort")) expected.emplace_back("\"effort\": \"fast\"");
  if (has_option(GetParam(), "order")) expected.emplace_back("\"order\": 31");
  if (has_option(GetParam(), "restarts")) expected.emplace_back("\"restarts\": 3");
  if (has_option(GetParam(), "regularization")) expected.emplace_back("\"regularization\": 0.25");
  if (has_option(GetParam(), "refine")) expected.emplace_back("\"refine\": \"moves\"");
  for (const std::string& text : expected)
    EXPECT_NE(json.find(text), std::string::npos) << text << " in " << json;
}

INSTANTIATE_TEST_SUITE_P(Cluster, EveryMethod,
                         ::testing::Values(Method::automatic, Method::compressive, Method::filtered,
                                           Method::exact),
                         [](const auto& method) { return std::string(enum_name(method.param)); });

TEST(MethodTable, HasARowForEveryMethod) {
  std::set<Method> rows;
  for (const MethodRow& row : method_table()) rows.insert(row.method);
  for (const auto& [method, name] : names_of(Method{})) EXPECT_TRUE(rows.contains(method)) << name;
  EXPECT_EQ(rows.size(), method_table().size());
}

}  // namespace
}  // namespace parsimony::cluster::every_method_test
