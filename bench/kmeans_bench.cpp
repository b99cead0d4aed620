// The nearest-centroid kernel beside the multiply-add peak of a core, and k-means from end to end.
#include <benchmark/benchmark.h>

#include <algorithm>

#include "bench/peak.hpp"
#include "kernels/nearest_centroid.hpp"
#include "parsimony/core/kmeans.hpp"
#include "parsimony/core/random.hpp"

namespace parsimony {
namespace {

Matrix<float> normals(std::int64_t rows, std::int64_t cols, std::uint64_t seed) {
  Matrix<float> out(rows, cols);
  RandomStream(seed, "bench").fill_normal(out.values());
  return out;
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

void nearest_centroid(benchmark::State& state) {
  const std::int64_t d = state.range(0), k = state.range(1), tiles = 16, n = tiles * kernels::kTile;
  const Matrix<float> packed = normals(n, d, 1), centroids = normals(k, d, 2), half = normals(1, k, 3);
  std::vector<std::int32_t> label(n);
  std::vector<float> best(n), second(n);
  for (auto _ : state) {
    kernels::nearest_centroid(packed.data(), tiles, d, centroids.data(), half.data(), k, label.data(),
                              best.data(), second.data());
    benchmark::DoNotOptimize(label.data());
    benchmark::ClobberMemory();
  }
  state.counters["flops"] =
      benchmark::Counter(2.0 * n * d * k, benchmark::Counter::kIsIterationInvariantRate);
}
BENCHMARK(nearest_centroid)->Args({8, 256})->Args({27, 20})->Args({27, 100})->Args({64, 1000});

// n points of d values around k centres, k clusters, one restart, 20 iterations at most.
void kmeans_end_to_end(benchmark::State& state) {
  const std::int64_t n = state.range(0), d = state.range(1), k = state.range(2);
  Matrix<float> points = normals(n, d, 1);
  const Matrix<float> centers = normals(k, d, 2);
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t j = 0; j < d; ++j) points(i, j) += 2 * centers(i % k, j);
  }
  KMeansResult result;
  for (auto _ : state) {
    result =
        kmeans(points, {}, {.clusters = k, .max_iterations = 20, .tolerance = 0}, Context(state.range(3)));
  }
  state.counters["iterations"] = static_cast<double>(result.report.iterations);
  state.counters["compared"] = std::get<double>(result.report.figures.back().second);
}
BENCHMARK(kmeans_end_to_end)
    ->Args({921, 27, 100, 1})
    ->Args({13800, 38, 1000, 1})
    ->Args({1000000, 8, 256, 1})
    ->Args({1000000, 8, 256, 2})
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace parsimony

BENCHMARK_MAIN();
