#include "parsimony/spectral/chebyshev.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "kernels/chebyshev_step.hpp"
#include "parsimony/core/error.hpp"

namespace parsimony::spectral {
namespace {

constexpr std::int64_t kRowsPerBlock = 1024;
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

LaplacianOperator::LaplacianOperator(const graph::Laplacian& laplacian, const Context& context,
                                     double lambda_min)
    : laplacian_(laplacian), context_(context) {
  const std::int64_t nodes = laplacian.nodes();
  const double stretch = 2 / (laplacian.lambda_max - lambda_min);
  const double shift = 1 + stretch * lambda_min;
  neighbor_.resize(nodes);
  own_.resize(nodes);
  weight_.resize(nodes);
  for (std::int64_t i = 0; i < nodes; ++i) {
    neighbor_[i] = static_cast<float>(-2 * stretch * laplacian.off_diagonal[i]);
    own_[i] = static_cast<float>(2 * (stretch * laplacian.diagonal[i] - shift));
    weight_[i] = laplacian.scale[i] * laplacian.scale[i];
  }
  // The normalised Laplacian of a graph without isolated nodes: L̃ has no diagonal, and its step reads one
  // panel less.
  if (std::all_of(own_.begin(), own_.end(), [](float v) { return v == 0; })) own_.clear();
}

void LaplacianOperator::apply(const FusedStep& step) const {
  const std::int64_t width = step.current.cols;
  const CsrView& w = laplacian_.adjacency;
  const bool sums = !step.squares.empty();
  const std::int64_t blocks = (rows() + kRowsPerBlock - 1) / kRowsPerBlock;
  Matrix<double> partial(sums ? blocks : 0, 2 * width);
  context_.for_blocks(rows(), kRowsPerBlock, [&](std::int64_t begin, std::int64_t end) {
    double* squares = sums ? partial.row(begin / kRowsPerBlock).data() : nullptr;
    kernels::chebyshev_step({.offsets = w.offsets.data(),
                             .columns = w.columns.data(),
                             .values = w.weighted() ? w.values.data() : nullptr,
                             .neighbor = neighbor_.data(),
                             .own = own_.empty() ? nullptr : own_.data(),
                             .current = step.current.data,
                             .previous = step.previous.data,
                             .first = step.first,
                             .accumulator = step.accumulator ? step.accumulator->data : nullptr,
                             .coefficient = static_cast<float>(step.coefficient),
                             .weight = sums ? weight_.data() : nullptr,
                             .squares = squares,
                             .products = sums ? squares + width : nullptr,
                             .width = width},
                            begin, end);
  });
  if (!sums) return;
  std::fill(step.squares.begin(), step.squares.end(), 0.0);
  std::fill(step.products.begin(), step.products.end(), 0.0);
  for (std::int64_t b = 0; b < blocks; ++b) {
    for (std::int64_t c = 0; c < width; ++c) {
      step.squares[c] += partial(b, c);
      step.products[c] += partial(b, width + c);
    }
  }
}

std::int64_t LaplacianOperator::bytes_per_step(std::int64_t width, bool accumulates) const {
  const CsrView& w = laplacian_.adjacency;
  const std::int64_t panels = 2 + (accumulates ? 2 : 0) + (own_.empty() ? 0 : 1);
  return w.entries() * (4 * width + 4 + (w.weighted() ? 4 : 0)) + rows() * (4 * width * panels + 8 + 4);
}

void filter(const graph::Laplacian& laplacian, std::span<const double> coefficients,
            MatrixView<float> signals, const Context& context) {
  const std::int64_t width = signals.cols;
  if (coefficients.empty()) {
    refuse("coefficients: none given; a filter needs at least c_0");
  }
  if (signals.rows != laplacian.nodes() || signals.stride != width || width % kernels::kLine != 0 ||
      width > kernels::kMaxPanelWidth || width == 0) {
    throw Error(
        ErrorCode::invalid_argument,
        fmt::format(
            "signals: a contiguous panel of {} rows and 16, 32, 48 or 64 columns is needed, not {} × {}",
            laplacian.nodes(), signals.rows, width));
  }
  const LaplacianOperator op(laplacian, context);
  const int order = static_cast<int>(coefficients.size()) - 1;
  Matrix<float> panel(signals.rows, width), work(signals.rows, width);
  const auto c0 = static_cast<float>(coefficients[0]);
  context.for_blocks(signals.rows, kRowsPerCopy, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      for (std::int64_t c = 0; c < width; ++c) {
        const float z = signals(i, c) / laplacian.scale[i];
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
      for (std::int64_t c = 0; c < width; ++c) signals(i, c) *= laplacian.scale[i];
    }
  });
}

}  // namespace parsimony::spectral
