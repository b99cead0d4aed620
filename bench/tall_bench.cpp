// Gram matrices and rotations of a tall matrix, one core, beside what a core multiplies and adds at best.
#include <benchmark/benchmark.h>

#include "bench/peak.hpp"
#include "parsimony/core/random.hpp"
#include "spectral/tall.hpp"

namespace parsimony::spectral {
namespace {

constexpr std::int64_t kRows = 100000;

Matrix<float> normals(std::int64_t rows, std::int64_t cols) {
  Matrix<float> out(rows, cols);
  RandomStream(1, "bench").fill_normal(out.values());
  return out;
}

void report(benchmark::State& state, double flops) {
  state.counters["flops"] = benchmark::Counter(flops, benchmark::Counter::kIsIterationInvariantRate);
}

// In float32; a core does half as many in float64.
void multiply_add_peak(benchmark::State& state) {
  double flops = 0;
  float result = 0;
  for (auto _ : state) {
    flops += bench::multiply_adds(10000, result);
    benchmark::DoNotOptimize(result);
  }
  state.counters["flops"] = benchmark::Counter(flops, benchmark::Counter::kIsRate);
}
BENCHMARK(multiply_add_peak);

void gram_float64(benchmark::State& state) {
  const std::int64_t d = state.range(0);
  const Matrix<float> basis = normals(kRows, d);
  const MatrixView<const float> panel{basis.data(), kRows, 64, d};
  const Context context(1);
  for (auto _ : state) benchmark::DoNotOptimize(gram(basis, panel, context));
  report(state, 2.0 * kRows * static_cast<double>(d) * 64);
}
BENCHMARK(gram_float64)->Arg(64)->Arg(128)->Arg(512)->Unit(benchmark::kMillisecond);

void rotation_float32(benchmark::State& state) {
  const std::int64_t d = state.range(0);
  Matrix<float> basis = normals(kRows, d);
  Matrix<double> identity(d, d);
  for (std::int64_t i = 0; i < d; ++i) identity(i, i) = 1;
  const Context context(1);
  for (auto _ : state) multiply_in_place(basis, identity, context);
  report(state, 2.0 * kRows * static_cast<double>(d * d));
}
BENCHMARK(rotation_float32)->Arg(64)->Arg(128)->Arg(512)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace parsimony::spectral

BENCHMARK_MAIN();
