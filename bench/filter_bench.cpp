// One Chebyshev step on the worst graph for locality, a block model with its nodes shuffled, beside the triad
// of stream_bench. Bytes: those of LaplacianOperator::bytes_per_step, every gathered row counted as a miss.
#include <benchmark/benchmark.h>

#include <cstdint>

#include "parsimony/core/context.hpp"
#include "parsimony/graph/generators.hpp"
#include "parsimony/graph/laplacian.hpp"
#include "parsimony/spectral/chebyshev.hpp"

namespace {

using namespace parsimony;

const graph::Graph& block_model(std::int64_t nodes) {
  static graph::Graph graph;
  if (graph.nodes() != nodes) graph = graph::stochastic_block_model({.nodes = nodes, .clusters = 100}).graph;
  return graph;
}

// arguments: nodes, width of the panel, threads, whether it accumulates a filter
void chebyshev_step(benchmark::State& state) {
  const Context context(static_cast<int>(state.range(2)));
  const std::int64_t width = state.range(1);
  const bool accumulates = state.range(3) != 0;
  const auto laplacian = graph::make_laplacian(block_model(state.range(0)));
  const spectral::LaplacianOperator op(laplacian, context);
  Matrix<float> current(op.rows(), width), previous(op.rows(), width), accumulator(op.rows(), width);
  std::fill(current.values().begin(), current.values().end(), 1.0f);
  MatrixView<float> sum = accumulator;
  for (auto _ : state) {
    op.apply({.current = current,
              .previous = previous,
              .accumulator = accumulates ? &sum : nullptr,
              .coefficient = 0.1});
  }
  state.SetBytesProcessed(state.iterations() * op.bytes_per_step(width, accumulates));
}

}  // namespace

BENCHMARK(chebyshev_step)
    ->ArgNames({"nodes", "width", "threads", "accumulates"})
    ->ArgsProduct({{100'000, 1'000'000}, {16, 32, 64}, {1, 2}, {1}})
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

BENCHMARK_MAIN();
