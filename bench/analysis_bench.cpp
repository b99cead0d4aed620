// Learning an analysis operator: objective and gradient over samples, one core, beside what a core multiplies
// and adds at best and beside a BLAS on the same products.
#include <benchmark/benchmark.h>

#include <vector>

#include "bench/peak.hpp"
#include "kernels/log_penalty.hpp"
#include "operators/learning/penalty_objective.hpp"
#include "parsimony/core/random.hpp"

#ifdef PARSIMONY_BENCH_OPENBLAS
extern "C" {
void openblas_set_num_threads(int threads);
void cblas_sgemm(int order, int trans_a, int trans_b, int m, int n, int k, float alpha, const float* a,
                 int lda, const float* b, int ldb, float beta, float* c, int ldc);
}
#endif

namespace parsimony::operators {
namespace {

constexpr std::int64_t kAtoms = 128, kDimension = 64;
constexpr double kNu = 5000;

void report(benchmark::State& state, double flops) {
  state.counters["flops"] = benchmark::Counter(flops, benchmark::Counter::kIsIterationInvariantRate);
}

template <class T>
Matrix<T> normals(std::int64_t rows, std::int64_t cols) {
  Matrix<T> out(rows, cols);
  Matrix<float> row(1, cols);
  for (std::int64_t i = 0; i < rows; ++i) {
    RandomStream(1, "bench", i).fill_normal(row.values());
    for (std::int64_t j = 0; j < cols; ++j) out(i, j) = row(0, j) / 8;
  }
  return out;
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

// 4 a n flops per sample; the penalties come on top.
template <class T>
void objective_and_gradient(benchmark::State& state) {
  const std::int64_t count = state.range(0);
  const Matrix<T> samples = normals<T>(count, kDimension);
  const Matrix<double> analysis = normals<double>(kAtoms, kDimension);
  Matrix<double> gradient(kAtoms, kDimension);
  const Context context(1);
  for (auto _ : state) {
    benchmark::DoNotOptimize(penalty_objective<T>(samples, analysis, kNu, gradient, context));
  }
  report(state, 4.0 * kAtoms * kDimension * static_cast<double>(count));
}
BENCHMARK(objective_and_gradient<float>)->Arg(10000)->Arg(1000000)->Unit(benchmark::kMillisecond);
BENCHMARK(objective_and_gradient<double>)->Arg(10000)->Unit(benchmark::kMillisecond);

void penalty_and_derivative(benchmark::State& state) {
  const Matrix<float> r = normals<float>(128, 128);
  Matrix<float> out(128, 128);
  for (auto _ : state) {
    benchmark::DoNotOptimize(kernels::log_penalty<float>(r.data(), r.size(), kNu, out.data()));
  }
  state.SetItemsProcessed(state.iterations() * r.size());
}
BENCHMARK(penalty_and_derivative);

#ifdef PARSIMONY_BENCH_OPENBLAS
// R = X Ωᵀ and G = Rᵀ X on the same shapes, and no penalty: the coefficients are stored, in blocks of samples
// that a cache holds or all at once.
void blas_products(benchmark::State& state) {
  constexpr int kRowMajor = 101, kPlain = 111, kTransposed = 112;
  const std::int64_t count = state.range(0), block = state.range(1);
  const int a = kAtoms, n = kDimension;
  const Matrix<float> samples = normals<float>(count, n), analysis = normals<float>(a, n);
  Matrix<float> coefficients(block, a), gradient(a, n);
  openblas_set_num_threads(1);
  for (auto _ : state) {
    for (std::int64_t s = 0; s < count; s += block) {
      const auto some = static_cast<int>(std::min(block, count - s));
      cblas_sgemm(kRowMajor, kPlain, kTransposed, some, a, n, 1, samples.row(s).data(), n, analysis.data(), n,
                  0, coefficients.data(), a);
      cblas_sgemm(kRowMajor, kTransposed, kPlain, a, n, some, 1, coefficients.data(), a,
                  samples.row(s).data(), n, s > 0, gradient.data(), n);
    }
    benchmark::DoNotOptimize(gradient.data());
    benchmark::ClobberMemory();
  }
  report(state, 4.0 * kAtoms * kDimension * static_cast<double>(count));
}
BENCHMARK(blas_products)->Args({1000000, 1000000})->Args({1000000, 1024})->Unit(benchmark::kMillisecond);

// The peak of a BLAS: a large square product.
void blas_square(benchmark::State& state) {
  const int n = 2048;
  const Matrix<float> a = normals<float>(n, n), b = normals<float>(n, n);
  Matrix<float> c(n, n);
  openblas_set_num_threads(1);
  for (auto _ : state) {
    cblas_sgemm(101, 111, 111, n, n, n, 1, a.data(), n, b.data(), n, 0, c.data(), n);
    benchmark::DoNotOptimize(c.data());
    benchmark::ClobberMemory();
  }
  report(state, 2.0 * n * n * n);
}
BENCHMARK(blas_square)->Unit(benchmark::kMillisecond);
#endif

}  // namespace
}  // namespace parsimony::operators

BENCHMARK_MAIN();
