// Measures the results and the cost of the geometric learner on planted operators and on patches of images.
//   operator_geometric recovery          a table of rows recovered and processor seconds, one thread
//   operator_geometric patches FOLDER    all patches at once and minibatches, on patches that were held out
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "parsimony/core/image.hpp"
#include "parsimony/operators/frames.hpp"
#include "parsimony/operators/geometric_learning.hpp"
#include "parsimony/operators/patches.hpp"
#include "parsimony/operators/signals.hpp"

namespace parsimony::operators {
namespace {

// Other programs on the machine add little to this clock.
double processor_seconds() {
  return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

double quantile(std::vector<double> values, double at) {
  std::sort(values.begin(), values.end());
  return values[static_cast<std::size_t>(at * static_cast<double>(values.size() - 1) + 0.5)];
}

struct Recovery {
  std::int64_t rows, dimension, samples, cosparsity;
  int trials;
  GeometricLearningOptions options = {};
  double snr_db = 0;  // 0: no noise
  const char* note = "";
};

void recover(const Recovery& recovery) {
  const Context context(1);
  std::vector<double> seconds, rows;
  double iterations = 0;
  for (int trial = 0; trial < recovery.trials; ++trial) {
    const Matrix<double> truth = random_untf(recovery.rows, recovery.dimension, 1000 + trial);
    Matrix<float> samples = cosparse_signals(truth,
                                             {.samples = recovery.samples,
                                              .cosparsity = recovery.cosparsity,
                                              .seed = 2000 + static_cast<std::uint64_t>(trial)},
                                             context);
    if (recovery.snr_db > 0) samples = with_noise(samples, recovery.snr_db, trial);
    GeometricLearningOptions options = recovery.options;
    options.rows = recovery.rows;
    options.seed = trial;
    const double start = processor_seconds();
    const LearnedOperator found = learn_geometric(samples, options, context);
    seconds.push_back(processor_seconds() - start);
    rows.push_back(recovered_rows(truth, found.analysis_operator));
    iterations += static_cast<double>(found.report.iterations);
  }
  double mean = 0;
  for (const double share : rows) mean += share / static_cast<double>(rows.size());
  fmt::print("| {} × {} | {} | {} | {} | {:.2f} % | {} of {} | {:.0f} | {:.1f} | {:.1f} |\n", recovery.rows,
             recovery.dimension, recovery.samples, recovery.cosparsity, recovery.note, 100 * mean,
             std::count(rows.begin(), rows.end(), 1.0), rows.size(),
             iterations / static_cast<double>(rows.size()), 1e3 * quantile(seconds, 0.5),
             1e3 * quantile(seconds, 0.9));
  std::fflush(stdout);
}

void recovery_table() {
  fmt::print(
      "| operator | samples | cosparsity | options | rows | all rows | iterations | median ms | 90 % ms |\n"
      "|---|---|---|---|---|---|---|---|---|\n");
  for (const std::int64_t q : {6, 8, 10, 12, 13}) recover({24, 16, 768, q, 400, {}, 0, "default"});
  recover({64, 32, 2048, 22, 20, {}, 0, "default"});
  recover({128, 64, 6000, 50, 10, {}, 0, "default"});
  const GeometricLearningOptions sharp{.nu = 2000, .first_nu = 40, .stages = 3};
  GeometricLearningOptions again = sharp;
  again.restarts = 5;
  for (const auto& [l, q] : {std::pair{192, 10}, {192, 8}, {96, 12}, {96, 10}}) {
    recover({24, 16, l, q, 40, {}, 0, "default"});
    recover({24, 16, l, q, 40, sharp, 0, "nu 40 → 2000 in 3 stages"});
    recover({24, 16, l, q, 40, again, 0, "the same, best of 5"});
  }
  recover({24, 16, 768, 10, 40, {}, 8, "8 dB, default"});
  recover({24, 16, 768, 10, 40, {.nu = 50, .stages = 1}, 8, "8 dB, nu 50"});
}

void patches_table(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  std::vector<Matrix<float>> images;
  for (const auto& file : files) images.push_back(read_image(file).channels[0]);
  const Context context;
  const Matrix<float> held = random_patches(images, {.count = 100000, .seed = 77}, context);
  GeometricLearningOptions options{
      .rows = 128, .nu = 5000, .kappa = 60, .mu = 2, .stages = 1, .zero_mean = true};
  fmt::print(
      "{} threads\n\n| patches | batch | steps | processor seconds | seconds | objective | held out |\n"
      "|---|---|---|---|---|---|---|\n",
      context.threads());
  for (const auto& [count, batch] :
       {std::pair<std::int64_t, std::int64_t>{34000, 0}, {34000, 2048}, {1000000, 2048}, {1000000, 0}}) {
    const Matrix<float> samples = random_patches(images, {.count = count, .seed = 1}, context);
    options.batch_size = batch;
    const double start = processor_seconds();
    const LearnedOperator found = learn_geometric(samples, options, context);
    const double seconds = processor_seconds() - start;
    fmt::print("| {} | {} | {} | {:.1f} | {:.1f} | {:.4f} | {:.4f} |\n", count, batch,
               found.report.iterations, seconds, found.report.seconds(), found.objective,
               geometric_objective(held, found.analysis_operator, options, context));
    std::fflush(stdout);
  }
}

}  // namespace
}  // namespace parsimony::operators

int main(int argc, char** argv) {
  const std::string_view table = argc > 1 ? argv[1] : "";
  if (table == "recovery") {
    parsimony::operators::recovery_table();
  } else if (table == "patches" && argc > 2) {
    parsimony::operators::patches_table(argv[2]);
  } else {
    fmt::print(stderr, "usage: operator_geometric recovery | patches FOLDER\n");
    return 2;
  }
}
