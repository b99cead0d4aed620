#include "parsimony/spectral/chebyshev.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/count_of.hpp"
#include "kernels/chebyshev_step.hpp"
#include "parsimony/core/error.hpp"

namespace parsimony::spectral {
namespace {

constexpr std::int64_t kRowsPerCopy = 1 << 14;

}  // namespace

std::vector<double> jackson_damping(int order) {
  const double alpha = std::numbers::pi / (order + 2);
  std::vector<double> g(order + 1);
  for (int j = 0; j <= order; ++j) {
    g[j] = (1 - j / (order + 2.0)) * std::cos(j * alpha) +
           std::cos(alpha) / std::sin(alpha) * std::sin(j * alpha) / (order + 2.0);
  }
  return g;
}

std::vector<double> low_pass(double cutoff, double lambda_max, int order) {
  const double edge = std::acos(std::clamp(2 * cutoff / lambda_max - 1, -1.0, 1.0));
  std::vector<double> c = jackson_damping(order);
  // The expansion of the indicator of [−1, cos(edge)]: acos(−1) = π in the formulas for an interval.
  c[0] *= 1 - edge / std::numbers::pi;
  for (int j = 1; j <= order; ++j) c[j] *= -2 / (std::numbers::pi * j) * std::sin(j * edge);
  return c;
}

std::vector<double> complement(std::vector<double> coefficients) {
  for (double& c : coefficients) c = -c;
  coefficients[0] += 1;
  return coefficients;
}

double evaluate(std::span<const double> coefficients, double lambda_max, double lambda) {
  const double x = 2 * lambda / lambda_max - 1;
  double next = 0, after = 0;
  for (std::size_t j = coefficients.size(); j-- > 1;) {
    after = std::exchange(next, coefficients[j] + 2 * x * next - after);
  }
  return coefficients[0] + x * next - after;
}

void filter(const graph::Laplacian& laplacian, std::span<const double> coefficients,
            MatrixView<float> signals, const Context& context) {
  filter(LaplacianOperator(laplacian, context), coefficients, signals, context);
}

void filter(const Operator& op, std::span<const double> coefficients, MatrixView<float> signals,
            const Context& context) {
  const std::int64_t width = signals.cols;
  if (coefficients.empty()) {
    refuse("coefficients: none given; a filter needs at least c_0");
  }
  if (signals.rows != op.rows() || signals.stride != width || width % kernels::kLine != 0 ||
      width > kernels::kMaxPanelWidth || width == 0) {
    throw Error(
        ErrorCode::invalid_argument,
        fmt::format("signals: a contiguous panel of {} and 16, 32, 48 or 64 columns is needed, not {} × {}",
                    count_of(op.rows(), "row"), signals.rows, width));
  }
  const std::span<const float> scale = op.scale();
  const int order = static_cast<int>(coefficients.size()) - 1;
  Matrix<float> panel = op.panel(width), work = op.panel(width);
  const auto c0 = static_cast<float>(coefficients[0]);
  context.for_blocks(signals.rows, kRowsPerCopy, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      for (std::int64_t c = 0; c < width; ++c) {
        const float z = signals(i, c) / scale[i];
        panel(i, c) = z;
        signals(i, c) = c0 * z;
      }
    }
  });
  chebyshev_recurrence(op, order, panel.view(), work.view(), [&](int j) {
    context.progress("filter", j, order);
    return FusedStep{.accumulator = &signals, .coefficient = coefficients[j]};
  });
  context.for_blocks(signals.rows, kRowsPerCopy, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      for (std::int64_t c = 0; c < width; ++c) signals(i, c) *= scale[i];
    }
  });
}

}  // namespace parsimony::spectral
