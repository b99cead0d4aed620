// A bank of filters on strips of an image, one core, beside what a core multiplies and adds at best.
#include <benchmark/benchmark.h>

#include "bench/peak.hpp"
#include "kernels/filter_bank.hpp"
#include "parsimony/core/matrix.hpp"
#include "parsimony/core/random.hpp"

namespace parsimony::kernels {
namespace {

constexpr std::int64_t kSide = 8;
constexpr std::int64_t kRows = 64;  // image rows: a band that stays in the cache

struct Problem {
  explicit Problem(benchmark::State& state)
      : filters(state.range(0)),
        columns(state.range(1)),
        image(kRows + kSide - 1, columns + kSide - 1),
        r(filters + 1, columns + kFilterMargin),
        gradient(filters, kSide * kSide) {
    RandomStream(1, "bench").fill_normal(image.values());
    RandomStream(2, "bench").fill_normal(gradient.values());
    bank = FilterBank(gradient.data(), filters, kSide);
  }

  float* coefficients() { return r.data() + kFilterMargin; }

  std::int64_t filters, columns;
  Matrix<float> image, r, gradient;
  FilterBank bank;
};

void report(benchmark::State& state, const Problem& problem, double passes) {
  const double flops = 2.0 * kSide * kSide * static_cast<double>(problem.filters * problem.columns * kRows);
  state.counters["flops"] = benchmark::Counter(passes * flops, benchmark::Counter::kIsIterationInvariantRate);
}

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

void correlate(benchmark::State& state) {
  Problem p(state);
  for (auto _ : state) {
    for (std::int64_t y = 0; y < kRows; ++y) {
      p.bank.correlate(p.image.row(y).data(), p.image.cols(), p.columns, p.coefficients(), p.r.cols());
    }
    benchmark::ClobberMemory();
  }
  report(state, p, 1);
}

void adjoint(benchmark::State& state) {
  Problem p(state);
  for (auto _ : state) {
    for (std::int64_t y = 0; y < kRows; ++y) {
      p.bank.adjoint(p.coefficients(), p.r.cols(), p.columns, p.image.row(y).data(), p.image.cols());
    }
    benchmark::ClobberMemory();
  }
  report(state, p, 1);
}

void gradient(benchmark::State& state) {
  Problem p(state);
  for (auto _ : state) {
    for (std::int64_t y = 0; y < kRows; ++y) {
      filter_gradient(p.coefficients(), p.r.cols(), p.filters, p.image.row(y).data(), p.image.cols(), kSide,
                      p.columns, p.gradient.data());
    }
    benchmark::ClobberMemory();
  }
  report(state, p, 1);
}

BENCHMARK(correlate)->Args({63, 80})->Args({63, 521})->Args({128, 521})->Unit(benchmark::kMillisecond);
BENCHMARK(adjoint)->Args({63, 80})->Args({63, 521})->Args({128, 521})->Unit(benchmark::kMillisecond);
BENCHMARK(gradient)->Args({63, 80})->Args({63, 521})->Args({63, 704})->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace parsimony::kernels

BENCHMARK_MAIN();
