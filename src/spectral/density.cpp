#include "parsimony/spectral/density.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "parsimony/core/error.hpp"
#include "parsimony/core/random.hpp"
#include "parsimony/spectral/chebyshev.hpp"
#include "spectral/panel.hpp"

namespace parsimony::spectral {
namespace {

bool has_edges(const graph::Laplacian& laplacian, std::int64_t node) {
  return laplacian.adjacency.offsets[node] < laplacian.adjacency.offsets[node + 1];
}

std::int64_t nodes_with_edges(const graph::Laplacian& laplacian) {
  std::int64_t count = 0;
  for (std::int64_t i = 0; i < laplacian.nodes(); ++i) count += has_edges(laplacian, i);
  return count;
}

}  // namespace

SpectralDensity::SpectralDensity(Matrix<double> moments, double lambda_max)
    : moments_(std::move(moments)), mean_(moments_.cols()), lambda_max_(lambda_max) {
  for (std::int64_t s = 0; s < moments_.rows(); ++s) {
    for (std::int64_t m = 0; m < moments_.cols(); ++m) mean_[m] += moments_(s, m) / moments_.rows();
  }
}

double SpectralDensity::count(double lambda) const {
  const std::vector<double> h = low_pass(lambda, lambda_max_, 2 * order());
  return std::inner_product(h.begin(), h.end(), mean_.begin(), 0.0);
}

double SpectralDensity::standard_error(double lambda) const {
  const auto signals = static_cast<double>(moments_.rows());
  if (signals < 2) return 0;
  const std::vector<double> h = low_pass(lambda, lambda_max_, 2 * order());
  const double mean = count(lambda);
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
  validate_fields(options);
  const std::int64_t nodes = laplacian.nodes();
  const LaplacianOperator op(laplacian, context);
  const RandomStream random(options.seed, "density.signals");
  const std::int64_t panels = (options.signals + kPanelWidth - 1) / kPanelWidth;
  Matrix<double> moments(panels * kPanelWidth, 2 * options.order + 1);
  Matrix<float> current(nodes, kPanelWidth), work(nodes, kPanelWidth);
  std::vector<double> squares(kPanelWidth), products(kPanelWidth);

  const std::int64_t connected = nodes_with_edges(laplacian);

  for (std::int64_t p = 0; p < panels; ++p) {
    context.for_blocks(nodes, kRowsPerFill, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        const auto position = static_cast<std::uint64_t>(p * nodes + i) * kPanelWidth;
        random.fill_rademacher(current.row(i), position,
                               has_edges(laplacian, i) ? 1 / laplacian.scale[i] : 0);
      }
    });
    const auto moment = [&](std::int64_t column, int m) -> double& {
      return moments(p * kPanelWidth + column, m);
    };
    for (std::int64_t c = 0; c < kPanelWidth; ++c) moment(c, 0) = static_cast<double>(connected);
    // The sums of the step that yields T_j are known when the step after it is made, or at the end.
    const auto collect = [&](int j) {
      for (std::int64_t c = 0; c < kPanelWidth; ++c) {
        if (j == 1) moment(c, 1) = products[c];
        moment(c, 2 * j) = 2 * squares[c] - moment(c, 0);
        if (j > 1) moment(c, 2 * j - 1) = 2 * products[c] - moment(c, 1);
      }
    };
    chebyshev_recurrence(op, options.order, current.view(), work.view(), [&](int j) {
      context.progress("spectral density", p * options.order + j, panels * options.order);
      if (j > 1) collect(j - 1);
      return FusedStep{.squares = squares, .products = products};
    });
    collect(options.order);
  }
  return SpectralDensity(std::move(moments), laplacian.lambda_max);
}

double lambda_k_by_bisection(const graph::Laplacian& laplacian, std::int64_t k, int order, std::uint64_t seed,
                             const Context& context) {
  const std::int64_t nodes = laplacian.nodes();
  const auto q = std::max<std::int64_t>(1, 2 * std::llround(std::log(static_cast<double>(nodes))));
  constexpr int kRepeats = 2;
  Context quiet = context;  // progress tells how far the interval shrank, not the steps of each filter
  quiet.on_progress = nullptr;
  double mean = 0;
  for (int repeat = 0; repeat < kRepeats; ++repeat) {
    const RandomStream random(seed, "bisection.signals", repeat);
    const auto count = [&](double lambda) {
      const std::vector<double> h = low_pass(lambda, laplacian.lambda_max, order);
      double energy = 0;
      for_each_panel(q, [&](std::int64_t first, std::int64_t used, std::int64_t width) {
        Matrix<float> signals =
            gaussian_panel(nodes, first, used, width, 1.0 / std::sqrt(q), random, context);
        filter(laplacian, h, signals, quiet);
        energy += context.sum_blocks(nodes, kRowsPerFill, [&](std::int64_t begin, std::int64_t end) {
          double sum = 0;
          for (std::int64_t i = begin; i < end; ++i) {
            if (!has_edges(laplacian, i)) continue;
            for (const float v : signals.row(i)) sum += static_cast<double>(v) * v;
          }
          return sum;
        });
      });
      return std::llround(energy);
    };
    double low = 0, high = laplacian.lambda_max, middle = high;
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
