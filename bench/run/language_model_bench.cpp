// A language model from its file, one thread: the time of a token with 64 tokens before it.
// PARSIMONY_BENCH_MODEL names the file, and PARSIMONY_BENCH_HEADS its heads. bench/run/language.py runs it
// beside PyTorch.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <string>

#include "bench/target.hpp"
#include "parsimony/run/language_model.hpp"

namespace parsimony::run {
namespace {

void generate(benchmark::State& state, Precision precision) {
  const char *model = std::getenv("PARSIMONY_BENCH_MODEL"), *heads = std::getenv("PARSIMONY_BENCH_HEADS");
  if (model == nullptr || heads == nullptr) {
    state.SkipWithError("set PARSIMONY_BENCH_MODEL to a safetensors file, and PARSIMONY_BENCH_HEADS");
    return;
  }
  const Context context(1);
  constexpr std::int64_t kBefore = 64, kTokens = 32;
  const LanguageModel network = load_language_model(
      model, {.heads = std::atoll(heads), .context = kBefore + kTokens}, {.precision = precision}, context);
  LanguageSession session(network, context);
  for (auto _ : state) {
    state.PauseTiming();
    session.clear();
    for (std::int64_t t = 0; t < kBefore; ++t) session.step(static_cast<std::int32_t>(t % 97), context);
    state.ResumeTiming();
    for (std::int64_t t = 0; t < kTokens; ++t) {
      benchmark::DoNotOptimize(session.step(static_cast<std::int32_t>(t % 89), context));
    }
  }
  state.counters["tokens"] = static_cast<double>(kTokens);
  state.counters["bytes"] = static_cast<double>(network.bytes());
}

const int registered = [] {
  bench::choose_target_by_environment();
  for (const Precision precision : {Precision::automatic, Precision::exact}) {
    const std::string name = "generate_" + std::string(enum_name(precision));
    benchmark::RegisterBenchmark(name.c_str(), [=](benchmark::State& state) {
      generate(state, precision);
    })->Unit(benchmark::kMillisecond);
  }
  return 0;
}();

}  // namespace
}  // namespace parsimony::run

BENCHMARK_MAIN();
