// The triad a = b + s·c of STREAM [mccalpin1995memory] through Context: the bandwidth that memory-bound
// kernels are held against. Bytes are counted as STREAM does: two arrays read, one written.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <memory>

#include "parsimony/core/context.hpp"

namespace {

constexpr std::int64_t kCount = std::int64_t{1} << 26;  // 256 MiB an array, far beyond any cache
constexpr std::int64_t kBlock = std::int64_t{1} << 16;

void triad(benchmark::State& state) {
  const parsimony::Context context(static_cast<int>(state.range(0)));
  // Uninitialised: the first touch is by the threads that work on the pages.
  const std::unique_ptr<float[]> a(new float[kCount]), b(new float[kCount]), c(new float[kCount]);
  context.for_blocks(kCount, kBlock, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) a[i] = 0, b[i] = 1, c[i] = 2;
  });
  for (auto _ : state) {
    context.for_blocks(kCount, kBlock, [&](std::int64_t begin, std::int64_t end) {
      float* const out = a.get();
      const float* const x = b.get();
      const float* const y = c.get();
      for (std::int64_t i = begin; i < end; ++i) out[i] = x[i] + 3.0f * y[i];
    });
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * kCount * 3 * static_cast<std::int64_t>(sizeof(float)));
}

void thread_counts(benchmark::internal::Benchmark* bench) {
  const int most = parsimony::default_thread_count();
  for (int threads = 1; threads < most; threads *= 2) bench->Arg(threads);
  bench->Arg(most);
}

}  // namespace

BENCHMARK(triad)->Apply(thread_counts)->ArgName("threads")->UseRealTime()->Unit(benchmark::kMillisecond);

BENCHMARK_MAIN();
