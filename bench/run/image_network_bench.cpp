// An EfficientNet from its file, one image, one thread: the file that PARSIMONY_BENCH_MODEL names. The
// counter "bytes" is the memory of the weights.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <string>

#include "bench/target.hpp"
#include "parsimony/run/image_network.hpp"

namespace parsimony::run {
namespace {

void classify(benchmark::State& state, Precision precision) {
  const char* model = std::getenv("PARSIMONY_BENCH_MODEL");
  if (model == nullptr) {
    state.SkipWithError("set PARSIMONY_BENCH_MODEL to a safetensors file of an EfficientNet");
    return;
  }
  const Context context(1);
  const ImageNetwork network = load_image_network(model, {.precision = precision}, {}, context);
  const std::int64_t side = network.side();
  Matrix<float> image(1, 3 * side * side);
  for (std::int64_t i = 0; i < image.size(); ++i) {
    image.data()[i] = static_cast<float>(i * 7919 % 2001) / 1000 - 1;
  }
  for (auto _ : state) benchmark::DoNotOptimize(network.classify(image, side, side, context));
  state.counters["bytes"] = static_cast<double>(network.bytes());
}

const int registered = [] {
  bench::choose_target_by_environment();
  for (const Precision precision : {Precision::automatic, Precision::integers7, Precision::exact}) {
    const std::string name = "classify_" + std::string(enum_name(precision));
    benchmark::RegisterBenchmark(name.c_str(), [=](benchmark::State& state) {
      classify(state, precision);
    })->Unit(benchmark::kMillisecond);
  }
  return 0;
}();

}  // namespace
}  // namespace parsimony::run

BENCHMARK_MAIN();
