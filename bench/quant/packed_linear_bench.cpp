// Layers that multiply from their codes beside the same layers in float32, one thread: y = x Wᵀ for a few
// shapes and batches, d = 8, 256 centroids. Arguments: outputs, inputs, rows of x.
#include <benchmark/benchmark.h>
#include <hwy/highway.h>

#include <cmath>
#include <string>
#include <vector>

#include "bench/peak.hpp"
#include "bench/quant/limits.hpp"
#include "bench/quant/product_weight.hpp"
#include "parsimony/quant/packed_linear.hpp"

namespace parsimony::quant {
namespace {

void report(benchmark::State& state) {
  const auto products = static_cast<double>(state.range(0) * state.range(1) * state.range(2));
  const auto rate = [&](double count) {
    return benchmark::Counter(count, benchmark::Counter::kIsIterationInvariantRate);
  };
  state.counters["flops"] = rate(2 * products);
  state.counters["lookups"] = rate(products / kD);
}

// The float32 weight. Its values do not affect the time.
struct Dense {
  explicit Dense(const benchmark::State& state)
      : w(normals(state.range(0), state.range(1), 3)),
        x(normals(state.range(2), state.range(1), 4)),
        y(state.range(2), state.range(0)) {}
  Matrix<float> w, x, y;
};

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

void byte_permute_peak(benchmark::State& state) {
  double permutes = 0;
  std::uint8_t result = 1;
  for (auto _ : state) {
    permutes += bench::byte_permutes(10000, result);
    benchmark::DoNotOptimize(result);
  }
  state.counters["permutes"] = benchmark::Counter(permutes, benchmark::Counter::kIsRate);
}
BENCHMARK(byte_permute_peak);

#ifdef PARSIMONY_BENCH_OPENBLAS
void openblas(benchmark::State& state) {
  constexpr int kRowMajor = 101, kPlain = 111, kTransposed = 112;
  Dense dense(state);
  const auto m = static_cast<int>(state.range(0)), n = static_cast<int>(state.range(1)),
             rows = static_cast<int>(state.range(2));
  openblas_set_num_threads(1);
  for (auto _ : state) {
    if (rows == 1) {
      cblas_sgemv(kRowMajor, kPlain, m, n, 1, dense.w.data(), n, dense.x.data(), 1, 0, dense.y.data(), 1);
    } else {
      cblas_sgemm(kRowMajor, kPlain, kTransposed, rows, m, n, 1, dense.x.data(), n, dense.w.data(), n, 0,
                  dense.y.data(), m);
    }
    benchmark::DoNotOptimize(dense.y.data());
    benchmark::ClobberMemory();
  }
  report(state);
}
#endif

void own_float(benchmark::State& state) {
  Dense dense(state);
  for (auto _ : state) {
    bench::dense_product(dense.w.data(), state.range(0), state.range(1), dense.x.data(), dense.y.data());
    benchmark::DoNotOptimize(dense.y.data());
    benchmark::ClobberMemory();
  }
  report(state);
}

void packed(benchmark::State& state, TableAccuracy accuracy, std::int64_t switch_batch) {
  const PackedLinear layer(product_weight(state.range(0), state.range(1)), {},
                           {.accuracy = accuracy, .switch_batch = switch_batch});
  const Matrix<float> x = normals(state.range(2), state.range(1), 4);
  Matrix<float> y(state.range(2), state.range(0));
  const Context context(1);
  for (auto _ : state) {
    layer.multiply(x, y, context);
    benchmark::DoNotOptimize(y.data());
    benchmark::ClobberMemory();
  }
  report(state);
  if (state.range(2) == 1) {
    const PackedLinear exact(product_weight(state.range(0), state.range(1)), {},
                             {.accuracy = TableAccuracy::exact});
    Matrix<float> right(1, state.range(0));
    exact.multiply(x, right, context);
    double error = 0, norm = 0;
    for (std::int64_t o = 0; o < y.cols(); ++o) {
      error += std::pow(static_cast<double>(y(0, o)) - right(0, o), 2);
      norm += std::pow(static_cast<double>(right(0, o)), 2);
    }
    state.counters["error"] = std::sqrt(error / norm);
  }
  if (switch_batch == 0) state.counters["switch"] = static_cast<double>(layer.switch_batch());
}

// The two halves of a product by tables.
void tables_alone(benchmark::State& state, TableAccuracy accuracy) {
  const PackedLinear layer(product_weight(64, state.range(1)), {}, {.accuracy = accuracy});
  const Matrix<float> x = normals(1, state.range(1), 4);
  const Context context(1);
  for (auto _ : state) benchmark::DoNotOptimize(layer.tables(x, context));
  state.counters["flops"] = benchmark::Counter(2.0 * static_cast<double>(state.range(1)) * kCentroids,
                                               benchmark::Counter::kIsIterationInvariantRate);
}

void scan_alone(benchmark::State& state, TableAccuracy accuracy) {
  const PackedLinear layer(product_weight(state.range(0), state.range(1)), {}, {.accuracy = accuracy});
  const Context context(1);
  const TableSet tables = layer.tables(normals(1, state.range(1), 4), context);
  Matrix<float> y(1, state.range(0));
  for (auto _ : state) {
    layer.multiply(tables, y, context);
    benchmark::DoNotOptimize(y.data());
    benchmark::ClobberMemory();
  }
  report(state);
}

// The same without AVX-512, for processors that have no byte permutes.
void scan_avx2(benchmark::State& state, TableAccuracy accuracy) {
  hwy::SetSupportedTargetsForTest(HWY_AVX2);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
  scan_alone(state, accuracy);
  hwy::SetSupportedTargetsForTest(0);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}

const int registered = [] {
  constexpr std::int64_t kNever = 1 << 30;
  const auto add = [](const char* name, auto body, std::vector<std::int64_t> batches) {
    for (const auto& [outputs, inputs] : {std::pair{4096, 4096}, {3072, 768}, {768, 3072}}) {
      for (const std::int64_t rows : batches) {
        benchmark::RegisterBenchmark(name, body)
            ->Args({outputs, inputs, rows})
            ->Unit(benchmark::kMicrosecond);
      }
    }
  };
  const std::vector<std::int64_t> one{1}, all{1, 4, 16, 64, 512};
#ifdef PARSIMONY_BENCH_OPENBLAS
  add("openblas", openblas, all);
#endif
  add("own_float", own_float, one);
  const auto way = [](TableAccuracy accuracy, std::int64_t switch_batch) {
    return [=](benchmark::State& state) { packed(state, accuracy, switch_batch); };
  };
  add("tables8", way(TableAccuracy::tables8, kNever), all);
  add("tables16", way(TableAccuracy::tables16, kNever), all);
  add("exact", way(TableAccuracy::exact, kNever), all);
  add("decoded", way(TableAccuracy::exact, 1), all);
  // Few outputs, where decoding pays soonest: which way is the faster from how many rows on, and the point
  // that the costs give (counter "switch").
  for (const std::int64_t rows : {4, 8, 12, 16, 32, 64}) {
    const auto few = [&](const std::string& name, auto body) {
      benchmark::RegisterBenchmark(("few_outputs_" + name).c_str(), body)
          ->Args({256, 3072, rows})
          ->Unit(benchmark::kMicrosecond);
    };
    few("tables8", way(TableAccuracy::tables8, kNever));
    few("tables16", way(TableAccuracy::tables16, kNever));
    few("decoded", way(TableAccuracy::exact, 1));
    few("automatic8", way(TableAccuracy::tables8, 0));
    few("automatic16", way(TableAccuracy::tables16, 0));
  }
  add("automatic_exact", way(TableAccuracy::exact, 0), {1, 16});
  for (const auto accuracy : {TableAccuracy::tables8, TableAccuracy::tables16}) {
    const bool eight = accuracy == TableAccuracy::tables8;
    add(
        eight ? "tables_alone8" : "tables_alone16", [=](benchmark::State& s) { tables_alone(s, accuracy); },
        one);
    add(
        eight ? "scan_alone8" : "scan_alone16", [=](benchmark::State& s) { scan_alone(s, accuracy); }, one);
    add(
        eight ? "scan_avx2_8" : "scan_avx2_16", [=](benchmark::State& s) { scan_avx2(s, accuracy); }, one);
  }
  return 0;
}();

}  // namespace
}  // namespace parsimony::quant

BENCHMARK_MAIN();
