#include "parsimony/spectral/density.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>
#include <utility>

#include "parsimony/core/error.hpp"
#include "parsimony/core/random.hpp"
#include "parsimony/spectral/chebyshev.hpp"
#include "spectral/panel.hpp"

namespace parsimony::spectral {
SpectralDensity::SpectralDensity(Matrix<double> moments, double lambda_max)
    : moments_(std::move(moments)),
      mean_(moments_.cols()),
      damping_(jackson_damping(2 * order())),
      lambda_max_(lambda_max) {
  for (std::int64_t s = 0; s < moments_.rows(); ++s) {
    for (std::int64_t m = 0; m < moments_.cols(); ++m) mean_[m] += moments_(s, m) / moments_.rows();
  }
}

// low_pass(λ, lambda_max, 2 order) with the sines by a recurrence: a search for many eigenvalues takes
// tens of thousands of them.
std::vector<double> SpectralDensity::step(double lambda) const {
  const double x = std::clamp(2 * lambda / lambda_max_ - 1, -1.0, 1.0), edge = std::acos(x);
  std::vector<double> h = damping_;
  h[0] *= 1 - edge / std::numbers::pi;
  double before = 0, sine = -2 / std::numbers::pi * std::sin(edge);
  for (std::size_t m = 1; m < h.size(); ++m) {
    h[m] *= sine / static_cast<double>(m);
    before = std::exchange(sine, 2 * x * sine - before);
  }
  return h;
}

double SpectralDensity::count(double lambda) const {
  const std::vector<double> h = step(lambda);
  return std::inner_product(h.begin(), h.end(), mean_.begin(), 0.0);
}

double SpectralDensity::standard_error(double lambda) const {
  const auto signals = static_cast<double>(moments_.rows());
  if (signals < 2) return 0;
  const std::vector<double> h = step(lambda);
  const double mean = std::inner_product(h.begin(), h.end(), mean_.begin(), 0.0);
  double squares = 0;
  for (std::int64_t s = 0; s < moments_.rows(); ++s) {
    const auto row = moments_.row(s);
    const double deviation = std::inner_product(h.begin(), h.end(), row.begin(), 0.0) - mean;
    squares += deviation * deviation;
  }
  return std::sqrt(squares / (signals * (signals - 1)));
}

double SpectralDensity::eigenvalue(double k) const {
  double low = 0, high = lambda_max_;
  while (high - low > 1e-6 * lambda_max_) {
    const double middle = (low + high) / 2;
    (count(middle) >= k ? high : low) = middle;
  }
  return high;
}

double SpectralDensity::filtered_energy(double lambda) const {
  // h² = Σ_i Σ_j h_i h_j (T_{i+j} + T_{|i−j|}) / 2.
  const std::vector<double> h = low_pass(lambda, lambda_max_, order());
  double energy = 0;
  for (std::size_t i = 0; i < h.size(); ++i) {
    for (std::size_t j = 0; j < h.size(); ++j) {
      energy += h[i] * h[j] / 2 * (mean_[i + j] + mean_[i > j ? i - j : j - i]);
    }
  }
  return energy;
}

SpectralDensity spectral_density(const graph::Laplacian& laplacian, const DensityOptions& options,
                                 const Context& context) {
  return spectral_density(laplacian, options, TermObserver{}, context);
}

SpectralDensity spectral_density(const graph::Laplacian& laplacian, const DensityOptions& options,
                                 const TermObserver& observe, const Context& context) {
  return spectral_density(LaplacianOperator(laplacian, context), options, observe, context);
}

SpectralDensity spectral_density(const Operator& op, const DensityOptions& options,
                                 const TermObserver& observe, const Context& context) {
  validate_fields(options);
  // Its few signals are one panel, which each group filters.
  if (const SignalGroups* groups = op.signal_groups(); groups != nullptr && !observe) {
    return spectral_density(groups->in_group(), options, {}, context);
  }
  const std::int64_t rows = op.rows(), all = op.all_rows(), before = op.first_row();
  const std::span<const float> scale = op.scale();
  const RandomStream random(options.seed, "density.signals");
  const std::int64_t signals = (options.signals + kPanelWidth - 1) / kPanelWidth * kPanelWidth;
  const std::int64_t panels = panels_of(signals);
  const std::int64_t connected = rows_with_edges(op);
  Matrix<double> moments(signals, 2 * options.order + 1);

  for_each_panel(signals, [&](std::int64_t start, std::int64_t, std::int64_t width) {
    Matrix<float> current = op.panel(width), work = op.panel(width);
    const auto own_rows = [&](Matrix<float>& panel) { return MatrixView<float>(panel.data(), rows, width); };
    std::vector<double> squares(width), products(width);
    context.for_blocks(rows, kRowsPerFill, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        random.fill_rademacher(current.row(i), static_cast<std::uint64_t>(start * all + (before + i) * width),
                               op.has_edges(i) ? 1 / scale[i] : 0);
      }
    });
    const auto moment = [&](std::int64_t column, int m) -> double& { return moments(start + column, m); };
    for (std::int64_t c = 0; c < width; ++c) moment(c, 0) = static_cast<double>(connected);
    // The sums of the step that yields T_j, and T_j itself, are known when the step after it is made, or at
    // the end.
    const auto collect = [&](int j) {
      if (observe) observe(start, j, own_rows(j % 2 == 0 ? current : work));
      for (std::int64_t c = 0; j > 0 && c < width; ++c) {
        if (j == 1) moment(c, 1) = products[c];
        moment(c, 2 * j) = 2 * squares[c] - moment(c, 0);
        if (j > 1) moment(c, 2 * j - 1) = 2 * products[c] - moment(c, 1);
      }
    };
    chebyshev_recurrence(op, options.order, current.view(), work.view(), [&](int j) {
      context.progress("spectral density", start / kMaxPanelWidth * options.order + j,
                       panels * options.order);
      collect(j - 1);
      return FusedStep{.squares = squares, .products = products};
    });
    collect(options.order);
  });
  return SpectralDensity(std::move(moments), op.lambda_max());
}

double lambda_k_by_bisection(const graph::Laplacian& laplacian, std::int64_t k, int order, std::uint64_t seed,
                             const Context& context) {
  return lambda_k_by_bisection(LaplacianOperator(laplacian, context), k, order, seed, context);
}

double lambda_k_by_bisection(const Operator& op, std::int64_t k, int order, std::uint64_t seed,
                             const Context& context) {
  refuse_several_processes(op, "the bisection for lambda_k");
  const std::int64_t nodes = op.rows();
  const auto q = std::max<std::int64_t>(1, 2 * std::llround(std::log(static_cast<double>(nodes))));
  constexpr int kRepeats = 2;
  Context quiet = context;  // progress tells how far the interval shrank, not the steps of each filter
  quiet.on_progress = nullptr;
  double mean = 0;
  for (int repeat = 0; repeat < kRepeats; ++repeat) {
    const RandomStream random(seed, "bisection.signals", repeat);
    const auto count = [&](double lambda) {
      const std::vector<double> h = low_pass(lambda, op.lambda_max(), order);
      double energy = 0;
      for_each_panel(q, [&](std::int64_t first, std::int64_t used, std::int64_t width) {
        Matrix<float> signals = gaussian_panel(op, first, used, width, 1.0 / std::sqrt(q), random, context);
        filter(op, h, signals, quiet);
        energy += context.sum_blocks(nodes, kRowsPerFill, [&](std::int64_t begin, std::int64_t end) {
          double sum = 0;
          for (std::int64_t i = begin; i < end; ++i) {
            if (!op.has_edges(i)) continue;
            for (const float v : signals.row(i)) sum += static_cast<double>(v) * v;
          }
          return sum;
        });
      });
      return std::llround(energy);
    };
    double low = 0, high = op.lambda_max(), middle = high;
    while ((high - low) / high > 0.1) {
      context.progress("bisection", 100 * repeat + std::lround(100 * low / high), 100 * kRepeats);
      middle = (low + high) / 2;
      const auto found = count(middle);
      if (found == k) break;
      (found > k ? high : low) = middle;
    }
    mean += middle / kRepeats;
  }
  context.progress("bisection", 100 * kRepeats, 100 * kRepeats);
  return mean;
}

}  // namespace parsimony::spectral
