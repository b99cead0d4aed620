// A BERT or RoBERTa from its compact file, one text, one thread: the file that PARSIMONY_BENCH_MODEL names,
// with config.json beside it. Argument: tokens of the text. The counter "bytes" is the memory of the weights,
// "peak" the most memory of the process so far, in MiB.
// PARSIMONY_BENCH_THREADS: threads, 1 by default.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <fstream>
#include <string>

#include "bench/target.hpp"
#include "parsimony/run/session.hpp"

namespace parsimony::run {
namespace {

const char* model() {
  return std::getenv("PARSIMONY_BENCH_MODEL");
}

// From the kernel: rusage would count the memory of the process that started this one, too.
double peak_memory() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) return std::atof(line.c_str() + 6) / 1024;
  }
  return 0;
}

int threads() {
  const char* given = std::getenv("PARSIMONY_BENCH_THREADS");
  return given == nullptr ? 1 : std::atoi(given);
}

void encode(benchmark::State& state, Precision precision) {
  if (model() == nullptr) {
    state.SkipWithError("set PARSIMONY_BENCH_MODEL to a safetensors file of a BERT or RoBERTa");
    return;
  }
  const Context context(threads());
  Session session(load(model(), {.precision = precision}, context));
  data::EncodedText text;
  for (std::int64_t t = 0; t < state.range(0); ++t) {
    text.tokens.push_back(static_cast<std::int32_t>(1000 + 37 * t % 2000));
  }
  for (auto _ : state) benchmark::DoNotOptimize(session.embed(std::span(&text, 1), context));
  state.counters["bytes"] = static_cast<double>(session.network().bytes());
  state.counters["peak"] = peak_memory();
}

void load_alone(benchmark::State& state) {
  if (model() == nullptr) {
    state.SkipWithError("set PARSIMONY_BENCH_MODEL to a safetensors file of a BERT or RoBERTa");
    return;
  }
  const Context context(threads());
  for (auto _ : state) benchmark::DoNotOptimize(load(model(), {}, context));
}
BENCHMARK(load_alone)->Unit(benchmark::kMillisecond);

const int registered = [] {
  bench::choose_target_by_environment();
  for (const Precision precision :
       {Precision::automatic, Precision::integers7, Precision::integers6, Precision::exact}) {
    const std::string name = "encode_" + std::string(enum_name(precision));
    benchmark::RegisterBenchmark(name.c_str(), [=](benchmark::State& state) { encode(state, precision); })
        ->Arg(16)
        ->Arg(64)
        ->Arg(128)
        ->Unit(benchmark::kMillisecond);
  }
  return 0;
}();

}  // namespace
}  // namespace parsimony::run

BENCHMARK_MAIN();
