#include "operators/learning/stochastic_descent.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "parsimony/core/random.hpp"

namespace parsimony::operators {
namespace {

constexpr std::int64_t kRowsPerCopy = 1024;
constexpr double kFirst = 0.9, kSecond = 0.99;  // shares of the running means that a step keeps

}  // namespace

StochasticResult stochastic_descent(std::span<double> u, std::int64_t rows,
                                    ObliqueObjective<float>& objective, const StochasticOptions& options,
                                    const Context& context) {
  const MatrixView<const float> all = objective.samples;
  const std::int64_t total = options.steps;
  const std::int64_t m = std::ssize(u) / rows;
  const RandomStream draws(options.seed, "stochastic_descent.samples");
  Matrix<float> batch(options.batch, all.cols);
  // The objective outlives the batch, also when the descent is cancelled.
  struct Restore {
    ObliqueObjective<float>& objective;
    MatrixView<const float> samples;
    ~Restore() { objective.samples = samples; }
  } const restore{objective, all};
  objective.samples = batch;
  std::vector<double> gradient(u.size()), mean(u.size()), square(rows);

  StochasticResult result;
  const std::int64_t record = std::max<std::int64_t>(1, total / 100);
  double recent = 0;
  std::int64_t counted = 0;
  for (std::int64_t step = 0; step < total; ++step) {
    context.for_blocks(options.batch, kRowsPerCopy, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t s = begin; s < end; ++s) {
        const auto from = static_cast<std::int64_t>(
            draws.below(static_cast<std::uint64_t>(all.rows), step * options.batch + s));
        std::copy_n(all.row_data(from), all.cols, batch.row(s).data());
      }
    });
    const double value = objective(u, gradient);
    // Equal rows or lost rank make the gradient useless: such a step follows the running mean alone, and the
    // history leaves it out.
    if (std::isfinite(value)) {
      recent += value;
      ++counted;
    } else {
      std::fill(gradient.begin(), gradient.end(), 0.0);
    }
    const double turn =
        options.rate * 0.5 *
        (1 + std::cos(std::numbers::pi * static_cast<double>(step) / static_cast<double>(total)));
    const double seen = static_cast<double>(step + 1);
    const double scale = turn * std::sqrt(1 - std::pow(kSecond, seen)) / (1 - std::pow(kFirst, seen));
    for (std::int64_t i = 0; i < rows; ++i) {
      double *row = u.data() + i * m, *kept = mean.data() + i * m, norm = 0;
      const double* g = gradient.data() + i * m;
      double squares = 0;
      for (std::int64_t t = 0; t < m; ++t) squares += g[t] * g[t];
      square[i] = kSecond * square[i] + (1 - kSecond) * squares;
      const double factor = square[i] > 0 ? scale / std::sqrt(square[i]) : 0;
      for (std::int64_t t = 0; t < m; ++t) {
        kept[t] = kFirst * kept[t] + (1 - kFirst) * g[t];
        row[t] -= factor * kept[t];
        norm += row[t] * row[t];
      }
      norm = std::sqrt(norm);
      for (std::int64_t t = 0; t < m; ++t) row[t] /= norm;
    }
    if ((step + 1) % record == 0 || step + 1 == total) {
      if (counted > 0) result.history.push_back(recent / static_cast<double>(counted));
      recent = 0;
      counted = 0;
      context.progress(options.stage, step + 1, total);
    }
  }
  return result;
}

}  // namespace parsimony::operators
