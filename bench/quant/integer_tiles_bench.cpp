// Integer products beside OpenBLAS's float product: y = x Wᵀ, d = 8, 256 centroids. Arguments: outputs,
// inputs, rows of x. PARSIMONY_BENCH_THREADS: threads, 1 by default. The names with _avx2 run the kernels for
// AVX2; "peak" runs their instructions on registers alone. bench/quant/integer_tiles.py makes the table.
// Compare medians of many short interleaved repetitions:
//   --benchmark_enable_random_interleaving --benchmark_repetitions=15 --benchmark_min_time=0.02
#include <benchmark/benchmark.h>
#include <hwy/highway.h>

#include <cmath>
#include <cstdlib>
#include <string>
#include <vector>

#include "bench/quant/limits.hpp"
#include "bench/quant/product_weight.hpp"
#include "bench/target.hpp"
#include "parsimony/quant/packed_linear.hpp"

namespace parsimony::quant {
namespace {

int threads() {
  const char* given = std::getenv("PARSIMONY_BENCH_THREADS");
  return given == nullptr ? 1 : std::atoi(given);
}

// 4-bit levels in groups of 64, as `quantize --scheme levels4` makes them.
QuantizedTensor level_weight(std::int64_t outputs, std::int64_t inputs) {
  QuantizedTensor weight;
  weight.shape = {outputs, inputs};
  weight.bits = 4;
  weight.group = 64;
  std::vector<std::uint8_t> codes(static_cast<std::size_t>(outputs * inputs / 2));
  for (std::size_t i = 0; i < codes.size(); ++i) {
    codes[i] = static_cast<std::uint8_t>(RandomStream(2, "bench").below(256, i));
  }
  weight.packed = std::move(codes);
  weight.scale.assign(static_cast<std::size_t>(outputs * inputs / 64), 1.0F);
  for (int i = 0; i < 16; ++i) weight.levels.push_back(std::sinh(static_cast<float>(i - 7) / 4));
  return weight;
}

void report(benchmark::State& state) {
  state.counters["products"] =
      benchmark::Counter(static_cast<double>(state.range(0) * state.range(1) * state.range(2)),
                         benchmark::Counter::kIsIterationInvariantRate);
}

#ifdef PARSIMONY_BENCH_OPENBLAS
void openblas(benchmark::State& state) {
  constexpr int kRowMajor = 101, kPlain = 111, kTransposed = 112;
  const Matrix<float> w = normals(state.range(0), state.range(1), 3),
                      x = normals(state.range(2), state.range(1), 4);
  Matrix<float> y(state.range(2), state.range(0));
  const auto m = static_cast<int>(state.range(0)), n = static_cast<int>(state.range(1)),
             rows = static_cast<int>(state.range(2));
  openblas_set_num_threads(threads());
  for (auto _ : state) {
    cblas_sgemm(kRowMajor, kPlain, kTransposed, rows, m, n, 1, x.data(), n, w.data(), n, 0, y.data(), m);
    benchmark::DoNotOptimize(y.data());
    benchmark::ClobberMemory();
  }
  report(state);
}
#endif

QuantizedTensor int8_weight(std::int64_t outputs, std::int64_t inputs) {
  QuantizedTensor weight;
  weight.shape = {outputs, inputs};
  weight.bits = 8;
  std::vector<std::uint8_t> codes(static_cast<std::size_t>(outputs * inputs));
  for (std::size_t i = 0; i < codes.size(); ++i) {
    codes[i] = static_cast<std::uint8_t>(RandomStream(2, "bench").below(256, i));
  }
  weight.packed = std::move(codes);
  weight.scale.assign(static_cast<std::size_t>(outputs), 1.0F);
  weight.zero_point.assign(static_cast<std::size_t>(outputs), 128);
  return weight;
}

// switch_batch: see PackedLinearOptions.
void multiply(benchmark::State& state, const QuantizedTensor& weight, TileProduct tiles,
              std::int64_t switch_batch) {
  const PackedLinear layer(weight, {}, {.tiles = tiles, .switch_batch = switch_batch});
  const Matrix<float> x = normals(state.range(2), state.range(1), 4);
  Matrix<float> y(state.range(2), state.range(0));
  const Context context(threads());
  for (auto _ : state) {
    layer.multiply(x, y, context);
    benchmark::DoNotOptimize(y.data());
    benchmark::ClobberMemory();
  }
  report(state);
}

const int registered = [] {
  const auto add = [](const std::string& name, const auto& body) {
    for (const auto& [outputs, inputs] : {std::pair{768, 768}, {3072, 768}, {768, 3072}}) {
      for (const std::int64_t rows : {1, 4, 8, 16, 64, 128, 384}) {
        benchmark::RegisterBenchmark(name.c_str(), body)
            ->Args({outputs, inputs, rows})
            ->Unit(benchmark::kMicrosecond);
      }
    }
  };
#ifdef PARSIMONY_BENCH_OPENBLAS
  add("openblas", openblas);
#endif
  for (const std::int64_t target : {std::int64_t{0}, std::int64_t{HWY_AVX2}}) {
    const std::string suffix = target == 0 ? "" : "_avx2";
    const auto product = [&](const char* name, const auto& weight, TileProduct tiles,
                             std::int64_t switch_batch) {
      add(name + suffix, [=](benchmark::State& state) {
        bench::choose_target(target);
        multiply(state, weight(state.range(0), state.range(1)), tiles, switch_batch);
        bench::choose_target(0);
      });
    };
    product("tables", product_weight, TileProduct::floats, 0);
    product("integers8", product_weight, TileProduct::integers8, 1);
    product("integers7", product_weight, TileProduct::integers7, 1);
    product("integers6", product_weight, TileProduct::integers6, 1);
    product("chosen8", product_weight, TileProduct::integers8, 0);
    product("chosen7", product_weight, TileProduct::integers7, 0);
    product("chosen6", product_weight, TileProduct::integers6, 0);
    product("levels4", level_weight, target == 0 ? TileProduct::integers8 : TileProduct::integers7, 0);
    product("int8", int8_weight, target == 0 ? TileProduct::integers8 : TileProduct::integers7, 0);
    for (const auto& [name, range] : {std::pair{"peak8", kernels::IntegerRange::rows8},
                                      {"peak7", kernels::IntegerRange::rows7},
                                      {"peak6", kernels::IntegerRange::rows7tiles6}}) {
      benchmark::RegisterBenchmark((name + suffix).c_str(), [=](benchmark::State& state) {
        bench::choose_target(target);
        std::int32_t result = 0;
        double products = 0;
        for (auto _ : state) products += bench::byte_products(10000, range, result);
        benchmark::DoNotOptimize(result);
        state.counters["products"] = benchmark::Counter(products, benchmark::Counter::kIsRate);
        bench::choose_target(0);
      });
    }
  }
  return 0;
}();

}  // namespace
}  // namespace parsimony::quant

BENCHMARK_MAIN();
