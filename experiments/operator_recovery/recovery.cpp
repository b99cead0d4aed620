// How much of an operator is recovered from synthetic cosparse signals: the tables of table.md.
//   recovery > table.md
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "parsimony/operators/frames.hpp"
#include "parsimony/operators/geometric_learning.hpp"
#include "parsimony/operators/signals.hpp"
#include "parsimony/operators/untf_learning.hpp"

using namespace parsimony;
using namespace parsimony::operators;

namespace {

const Context kOneThread(1);
int only_row = -1;  // the one row of a table to make; -1: all

bool wanted_row(int row) {
  return only_row < 0 || only_row == row;
}

struct Outcome {
  double recovered = 0, closely = 0, seconds = 0;  // percent of the rows above 0.99, above 0.999
};
using Learner = std::function<Matrix<double>(MatrixView<const float>, std::uint64_t seed)>;

Matrix<double> plain(MatrixView<const float> signals, std::uint64_t seed) {
  return learn_untf(signals, {.rows = 24, .seed = seed}, kOneThread).analysis_operator;
}
Matrix<double> backtracking(MatrixView<const float> signals, std::uint64_t seed) {
  return learn_untf(signals, {.rows = 24, .steps = StepRule::backtracking, .seed = seed}, kOneThread)
      .analysis_operator;
}
Matrix<double> noise_aware(MatrixView<const float> signals, std::uint64_t seed) {
  return learn_untf(signals, {.rows = 24, .noise_aware = true, .seed = seed}, kOneThread).analysis_operator;
}
Matrix<double> geometric(MatrixView<const float> signals, std::uint64_t seed) {
  return learn_geometric(signals, {.rows = 24, .seed = seed}, kOneThread).analysis_operator;
}

// snr 0: no noise. The data depends on the seed alone, so that methods can be compared in pairs.
Outcome run(const Learner& learner, std::int64_t samples, std::int64_t cosparsity, double snr,
            std::uint64_t seed) {
  const Matrix<double> truth = random_untf(24, 16, 1000 + seed);
  const Matrix<float> clean =
      cosparse_signals(truth, {.samples = samples, .cosparsity = cosparsity, .seed = seed});
  const Matrix<float> signals = snr > 0 ? with_noise(clean, snr, seed) : clean;
  const auto start = std::chrono::steady_clock::now();
  const Matrix<double> found = learner(signals, seed);
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  return {100 * recovered_rows(truth, found), 100 * recovered_rows(truth, found, 0.999), elapsed.count()};
}

struct Mean {
  double value = 0, half_width = 0;  // half the 95 % interval, by the normal distribution
};
Mean mean_of(std::span<const double> values) {
  Mean out;
  const auto count = static_cast<double>(values.size());
  for (const double value : values) out.value += value / count;
  double squares = 0;
  for (const double value : values) squares += (value - out.value) * (value - out.value);
  out.half_width = 1.96 * std::sqrt(squares / (count - 1) / count);
  return out;
}

std::vector<double> recovered(const Learner& learner, std::int64_t samples, std::int64_t cosparsity,
                              double snr, int seeds) {
  std::vector<double> out;
  for (int seed = 0; seed < seeds; ++seed) {
    out.push_back(run(learner, samples, cosparsity, snr, static_cast<std::uint64_t>(seed)).recovered);
  }
  return out;
}

void clean_table(const char* name, const Learner& learner, std::span<const std::int64_t> sizes) {
  constexpr int kSeeds = 40;
  if (wanted_row(0)) {
    fmt::print("\n{}\n\n| q \\ l |", name);
    for (const auto samples : sizes) fmt::print(" {} |", samples);
    fmt::print("\n|---|");
    for (std::size_t i = 0; i < sizes.size(); ++i) fmt::print("---|");
    fmt::print("\n");
  }
  int row = 0;
  for (const std::int64_t cosparsity : {6, 8, 10, 12, 13}) {
    if (!wanted_row(row++)) continue;
    fmt::print("| {} |", cosparsity);
    for (const std::int64_t samples : sizes) {
      std::vector<double> all = recovered(learner, samples, cosparsity, 0, kSeeds);
      const Mean mean = mean_of(all);
      const auto whole = std::count_if(all.begin(), all.end(), [](double percent) { return percent > 99.9; });
      fmt::print(" {:.1f} ± {:.1f} ({}) |", mean.value, mean.half_width, whole);
      std::fflush(stdout);
    }
    fmt::print("\n");
  }
}

// AOL, NAAOL, and the difference on the same data.
std::string pair_text(std::span<const double> aol, std::span<const double> naaol) {
  std::vector<double> gain;
  for (std::size_t i = 0; i < aol.size(); ++i) gain.push_back(naaol[i] - aol[i]);
  const Mean a = mean_of(aol), b = mean_of(naaol), c = mean_of(gain);
  return fmt::format(" {:.1f} | {:.1f} | {:+.1f} ± {:.1f} |", a.value, b.value, c.value, c.half_width);
}

void noise_table() {
  struct Row {
    double snr;
    std::int64_t samples, cosparsity;
    std::uint64_t seeds = 20;
  };
  if (wanted_row(0)) {
    fmt::print(
        "\n| SNR | l | q | seeds | AOL | NAAOL | difference | AOL, .999 | NAAOL, .999 | difference |\n");
    fmt::print("|---|---|---|---|---|---|---|---|---|---|\n");
  }
  int row = 0;
  for (const auto& [snr, samples, cosparsity, seeds] :
       {Row{20, 768, 6}, Row{20, 768, 10}, Row{20, 384, 6}, Row{20, 192, 10}, Row{20, 192, 9},
        Row{20, 192, 8}, Row{14, 768, 10}, Row{14, 384, 8}, Row{14, 192, 10}, Row{8, 768, 8}, Row{8, 768, 10},
        Row{8, 768, 12}, Row{20, 768, 6, 100}, Row{20, 192, 9, 100}}) {
    if (!wanted_row(row++)) continue;
    std::vector<double> aol, naaol, close_aol, close_naaol;
    for (std::uint64_t seed = 0; seed < seeds; ++seed) {
      const Outcome without = run(plain, samples, cosparsity, snr, seed);
      const Outcome with = run(noise_aware, samples, cosparsity, snr, seed);
      aol.push_back(without.recovered);
      naaol.push_back(with.recovered);
      close_aol.push_back(without.closely);
      close_naaol.push_back(with.closely);
    }
    fmt::print("| {} dB | {} | {} | {} |{}{}\n", snr, samples, cosparsity, seeds, pair_text(aol, naaol),
               pair_text(close_aol, close_naaol));
    std::fflush(stdout);
  }
}

void weight_table() {
  constexpr int kSeeds = 10;
  const double weights[] = {0.5, 0.75, 1, 1.5, 2, 4};
  if (wanted_row(0)) {
    fmt::print("\n| SNR | l | q |");
    for (const double weight : weights) fmt::print(" {} |", weight);
    fmt::print("\n|---|---|---|---|---|---|---|---|---|\n");
  }
  int row = 0;
  struct Row {
    double snr;
    std::int64_t samples, cosparsity;
  };
  for (const auto& [snr, samples, cosparsity] : {Row{14, 192, 10}, Row{8, 768, 10}, Row{8, 768, 12}}) {
    if (!wanted_row(row++)) continue;
    fmt::print("| {} dB | {} | {} |", snr, samples, cosparsity);
    for (const double weight : weights) {
      const double sigma = 0.25 * std::pow(10, -snr / 20);  // signals of norm 1 with 16 values
      const Learner learner = [&](MatrixView<const float> signals, std::uint64_t seed) {
        return learn_untf(signals, {.rows = 24, .noise_aware = true, .lambda = weight / sigma, .seed = seed},
                          kOneThread)
            .analysis_operator;
      };
      const Mean mean = mean_of(recovered(learner, samples, cosparsity, snr, kSeeds));
      fmt::print(" {:.1f} ± {:.1f} |", mean.value, mean.half_width);
      std::fflush(stdout);
    }
    fmt::print("\n");
  }
}

void time_table() {
  fmt::print("\n| method | seconds, the median of 9 |\n|---|---|");
  const std::pair<const char*, Learner> learners[] = {{"untf", plain},
                                                      {"untf, backtracking", backtracking},
                                                      {"untf, noise-aware", noise_aware},
                                                      {"geometric", geometric}};
  for (const auto& [name, learner] : learners) {
    std::vector<double> seconds;
    for (std::uint64_t seed = 0; seed < 9; ++seed) seconds.push_back(run(learner, 768, 10, 0, seed).seconds);
    std::nth_element(seconds.begin(), seconds.begin() + 4, seconds.end());
    fmt::print("\n| {} | {:.4f} |", name, seconds[4]);
  }
  fmt::print("\n");
}

}  // namespace

// With an argument, one part of it: untf, backtracking, geometric, noise, weight, time; with a second, one
// row.
int main(int argc, char** argv) {
  const std::string part = argc > 1 ? argv[1] : "";
  if (argc > 2) only_row = std::atoi(argv[2]);
  const auto wanted = [&](const char* name) { return part.empty() || part == name; };
  const std::int64_t sizes[] = {96, 192, 384, 768}, largest[] = {768};
  if (wanted("untf")) clean_table("untf, diminishing steps", plain, sizes);
  if (wanted("backtracking")) clean_table("untf, backtracking", backtracking, largest);
  if (wanted("geometric")) clean_table("geometric", geometric, sizes);
  if (wanted("noise")) noise_table();
  if (wanted("weight")) weight_table();
  if (wanted("time")) time_table();
}
