// k-means on points of a file from given centroids, for bench/kmeans/compare.py, which times faiss on the
// same.
//
//   kmeans_lloyd_seconds POINTS.npy INITIAL.npy ITERATIONS THREADS CENTROIDS.npy [TARGET]
//
// Prints one JSON object: seconds of the call, cpu_seconds of all threads, the iterations made, the SIMD
// target and the multiply-add peak of one core under it. TARGET (AVX2, say) keeps the kernels from using
// anything better than that.
#include <fmt/format.h>
#include <hwy/targets.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <stdexcept>
#include <string>
#include <string_view>

#include "bench/peak.hpp"
#include "parsimony/core/kmeans.hpp"
#include "parsimony/core/npy.hpp"

namespace parsimony {
namespace {

// Leaves `wanted` and the targets below it. In Highway a smaller bit is a better target.
void use_target(std::string_view wanted) {
  for (std::int64_t left = hwy::SupportedTargets(); left != 0; left &= left - 1) {
    const std::int64_t best = left & -left;
    if (hwy::TargetName(best) != wanted) continue;
    hwy::SetSupportedTargetsForTest(left);
    return;
  }
  throw std::invalid_argument(fmt::format("this machine has no SIMD target {}", wanted));
}

// Gflop/s of the best of several short runs: other work on the machine can only lower one.
double multiply_add_peak() {
  float unused = 0;
  double best = 0;
  for (int run = 0; run < 5; ++run) {
    const auto start = std::chrono::steady_clock::now();
    const double flops = bench::multiply_adds(1000000, unused);
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
    best = std::max(best, flops / elapsed.count() / 1e9);
  }
  return best;
}

void run(int argc, char** argv) {
  if (argc < 6) {
    throw std::invalid_argument(
        "POINTS.npy INITIAL.npy ITERATIONS THREADS CENTROIDS.npy [TARGET] are needed");
  }
  if (argc > 6) use_target(argv[6]);
  const Matrix<float> points = read_npy_matrix(argv[1]), initial = read_npy_matrix(argv[2]);
  const KMeansOptions options{
      .clusters = initial.rows(), .max_iterations = std::stoi(argv[3]), .tolerance = 0};
  const Context context(std::stoi(argv[4]));
  const double peak = multiply_add_peak();
  const std::clock_t cpu = std::clock();
  const auto start = std::chrono::steady_clock::now();
  const KMeansResult result = kmeans(points, {}, options, initial, context);
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  const double cpu_seconds = static_cast<double>(std::clock() - cpu) / CLOCKS_PER_SEC;
  write_npy(argv[5], result.centroids);
  fmt::print(
      R"({{"seconds": {}, "cpu_seconds": {}, "iterations": {}, "target": "{}", "gflops": {:.1f}, "compared": {}}})"
      "\n",
      elapsed.count(), cpu_seconds, result.report.iterations, result.report.simd_target, peak,
      *result.report.find_figure<double>("compared"));
}

}  // namespace
}  // namespace parsimony

int main(int argc, char** argv) {
  try {
    parsimony::run(argc, argv);
  } catch (const std::exception& error) {
    fmt::print(stderr, "kmeans_lloyd_seconds: {}\n", error.what());
    return 1;
  }
}
