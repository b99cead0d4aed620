// The k-means of a product quantizer beside faiss, where that is installed (Debian: libfaiss-dev): a million
// blocks of 8 Gaussian weights, 256 centroids, 20 iterations, all points used by both. Prints a table.
//
//   build/release/bench/quant_kmeans [repeats]
#include "parsimony/core/kmeans.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <numeric>
#include <vector>

#include "bench/peak.hpp"
#include "parsimony/core/random.hpp"

#ifdef PARSIMONY_BENCH_FAISS
#include <faiss/Clustering.h>
#include <faiss/IndexFlat.h>
#include <omp.h>
#endif

namespace parsimony {
namespace {

constexpr std::int64_t kPoints = 1000000, kDimensions = 8, kClusters = 256;
constexpr int kIterations = 20;

struct Run {
  double seconds = 0;
  double cpu_seconds = 0;  // of all threads; what another process takes of the machine is not in it
  Matrix<float> centroids;
};

Run timed(const std::function<Matrix<float>()>& train) {
  const auto start = std::chrono::steady_clock::now();
  const std::clock_t cpu = std::clock();
  Matrix<float> centroids = train();
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  return {elapsed.count(), static_cast<double>(std::clock() - cpu) / CLOCKS_PER_SEC, std::move(centroids)};
}

Matrix<float> ours(const Matrix<float>& points, int threads, std::uint64_t seed) {
  return kmeans(points, {},
                {.clusters = kClusters, .max_iterations = kIterations, .tolerance = 0, .seed = seed},
                Context(threads))
      .centroids;
}

#ifdef PARSIMONY_BENCH_FAISS
Matrix<float> theirs(const Matrix<float>& points, int threads, std::uint64_t seed) {
  omp_set_num_threads(threads);
  faiss::ClusteringParameters parameters;
  parameters.niter = kIterations;
  parameters.max_points_per_centroid = static_cast<int>(kPoints);  // 256 by default: a sample
  parameters.seed = static_cast<int>(seed);
  faiss::Clustering clustering(kDimensions, kClusters, parameters);
  faiss::IndexFlatL2 index(kDimensions);
  clustering.train(kPoints, points.data(), index);
  Matrix<float> out(kClusters, kDimensions);
  std::copy(clustering.centroids.begin(), clustering.centroids.end(), out.data());
  return out;
}
#endif

// Mean squared error relative to the points' own, by one code for all.
double relative_error(const Matrix<float>& points, const Matrix<float>& centroids) {
  std::vector<float> distances(points.rows());
  nearest_centroids(points, centroids, distances);
  double norm = 0;
  for (const float value : points.values()) norm += static_cast<double>(value) * value;
  return std::accumulate(distances.begin(), distances.end(), 0.0) / norm;
}

void run(int repeats) {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  Matrix<float> points(kPoints, kDimensions);
  RandomStream(1, "bench").fill_normal(points.values());
  using Train = Matrix<float> (*)(const Matrix<float>&, int, std::uint64_t);
  std::vector<std::pair<const char*, Train>> methods{{"parsimony", ours}};
#ifdef PARSIMONY_BENCH_FAISS
  methods.emplace_back("faiss " PARSIMONY_BENCH_FAISS, theirs);
#endif
  float unused = 0;
  const auto start = std::chrono::steady_clock::now();
  const double flops = bench::multiply_adds(4000000, unused);
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  const double peak = flops / elapsed.count();
  fmt::print(
      "{} points of {}, {} clusters, {} iterations; medians of {} seeds. Multiply-add peak of a core: "
      "{:.0f} Gflop/s.\n\n",
      kPoints, kDimensions, kClusters, kIterations, repeats, peak / 1e9);
  fmt::print(
      "| | threads | seconds | times faster | CPU seconds | times fewer | relative error |\n"
      "|---|---|---|---|---|---|---|\n");
  for (const int threads : {1, 2}) {
    std::vector<std::vector<double>> seconds(methods.size()), cpu(methods.size()), errors(methods.size());
    for (int r = 0; r < repeats; ++r) {  // in turns: the machine's moods fall on all
      for (std::size_t m = 0; m < methods.size(); ++m) {
        const Run result = timed([&] { return methods[m].second(points, threads, r + 1); });
        seconds[m].push_back(result.seconds);
        cpu[m].push_back(result.cpu_seconds);
        errors[m].push_back(relative_error(points, result.centroids));
      }
    }
    const auto median = [](std::vector<double> values) {
      std::sort(values.begin(), values.end());
      return values[values.size() / 2];
    };
    for (std::size_t m = 0; m < methods.size(); ++m) {
      fmt::print("| {} | {} | {:.3f} | {:.1f} | {:.3f} | {:.1f} | {:.5f} |\n", methods[m].first, threads,
                 median(seconds[m]), median(seconds.back()) / median(seconds[m]), median(cpu[m]),
                 median(cpu.back()) / median(cpu[m]), median(errors[m]));
    }
  }
}

}  // namespace
}  // namespace parsimony

int main(int argc, char** argv) {
  parsimony::run(argc > 1 ? std::max(1, std::atoi(argv[1])) : 3);
}
