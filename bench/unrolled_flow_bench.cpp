// Denoising of 512 x 512 pixels by an unrolled flow, beside what the cores multiply and add at best
// (multiply_add_peak of filter_bank_bench is that of one).
#include <benchmark/benchmark.h>

#include "parsimony/core/random.hpp"
#include "parsimony/images/unrolled_flow.hpp"

namespace parsimony::images {
namespace {

constexpr std::int64_t kSide = 512;

void denoise(benchmark::State& state) {
  const std::int64_t filters = state.range(1), steps = state.range(2);
  Matrix<float> image(kSide, kSide);
  RandomStream(1, "bench").fill_normal(image.values(), 0, 20);
  const UnrolledFlow flow = initial_unrolled_flow(filters, steps);
  const Context context(static_cast<int>(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(denoise_by_flow(image, flow, 20, context));
  const auto positions = static_cast<double>((kSide + 9) * (kSide + 9));  // positions of the mirrored image
  state.counters["flops"] = benchmark::Counter(4.0 * 64 * positions * static_cast<double>(filters * steps),
                                               benchmark::Counter::kIsIterationInvariantRate);
}
BENCHMARK(denoise)
    ->ArgNames({"threads", "filters", "steps"})
    ->Args({1, 63, 10})
    ->Args({2, 63, 10})
    ->Args({2, 64, 10})
    ->Args({2, 96, 10})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

}  // namespace
}  // namespace parsimony::images

BENCHMARK_MAIN();
