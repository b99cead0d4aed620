// Memory, progress and cancelling of compressive spectral clustering.
#include <gtest/gtest.h>
#include <malloc.h>

#include <map>
#include <string>

#include "expect_cancels.hpp"
#include "parsimony/cluster/compressive.hpp"
#include "parsimony/graph/generators.hpp"
#include "resident_memory.hpp"

namespace parsimony::cluster::compressive_run_test {
namespace {

TEST(EstimateMemory, IsThePeak) {
  if (!testing::restart_peak()) GTEST_SKIP() << "resident memory is not ours";
  // Freed memory goes back at once, whichever thread comes first.
  mallopt(M_ARENA_MAX, 1);
  mallopt(M_MMAP_THRESHOLD, 1 << 20);
  // Order 1 takes the memory of any other. The ways come by rising memory, because freed memory stays with a
  // process.
  const auto planted = graph::stochastic_block_model({.nodes = 100000, .clusters = 20, .seed = 1});
  const CompressiveOptions ways[] = {
      {.clusters = 20, .features = 16, .order = 1, .lambda_method = LambdaMethod::bisection, .restarts = 1},
      {.clusters = 20, .order = 1, .assign = Assignment::filter, .restarts = 1},
      {.clusters = 20, .order = 1, .assign = Assignment::interpolate, .restarts = 1}};
  malloc_trim(0);  // earlier tests have freed memory
  const std::int64_t before = testing::resident("VmRSS");
  int way = 0;
  for (const CompressiveOptions& options : ways) {
    malloc_trim(0);
    testing::restart_peak();
    compressive_spectral_clustering(planted.graph, options, Context(2));
    const auto peak = static_cast<double>(testing::resident("VmHWM") - before);
    const auto estimate = static_cast<double>(estimate_memory(planted.graph, options, Context(2)));
    EXPECT_LT(peak, 1.25 * estimate) << "way " << way;
    EXPECT_GT(peak, 0.7 * estimate) << "way " << way;
    ++way;
  }
}

// The progress of a stage rises and ends at its total.
TEST(CompressiveSpectralClustering, ProgressRisesToTheTotalOfEveryStage) {
  const auto planted = graph::stochastic_block_model({.nodes = 2000, .clusters = 70, .seed = 1});
  for (const auto assign : {Assignment::interpolate, Assignment::filter, Assignment::nearest}) {
    for (const auto method : {LambdaMethod::moments, LambdaMethod::bisection}) {
      std::map<std::string, std::pair<std::int64_t, std::int64_t>> stages;
      Context context(2);
      context.on_progress = [&](std::string_view stage, std::int64_t done, std::int64_t total) {
        const auto [at, fresh] = stages.try_emplace(std::string(stage), done, total);
        EXPECT_GE(done, at->second.first) << stage;
        EXPECT_EQ(total, at->second.second) << stage;
        EXPECT_LE(done, total) << stage;
        at->second.first = done;
      };
      compressive_spectral_clustering(planted.graph,
                                      {.clusters = 70,
                                       .features = 70,
                                       .order = 10,
                                       .assign = assign,
                                       .lambda_method = method,
                                       .restarts = 3},
                                      context);
      EXPECT_EQ(stages.size(), assign == Assignment::nearest ? 3u : 4u);
      for (const auto& [stage, seen] : stages) EXPECT_EQ(seen.first, seen.second) << stage;
    }
  }
}

TEST(CompressiveSpectralClustering, CancelsAtEveryProgressCall) {
  const auto planted = graph::stochastic_block_model({.nodes = 500, .clusters = 5, .seed = 1});
  const CompressiveOptions options{.clusters = 5, .order = 10, .assign = Assignment::filter};
  const int calls = expect_cancels(
      7, [&](const Context& context) { compressive_spectral_clustering(planted.graph, options, context); });
  EXPECT_GT(calls, 20);
}

}  // namespace
}  // namespace parsimony::cluster::compressive_run_test
