#include "parsimony/spectral/operator.hpp"

#include <algorithm>

#include "kernels/chebyshev_step.hpp"

namespace parsimony::spectral {

std::int64_t rows_with_edges(const Operator& op) {
  std::int64_t count = 0;
  for (std::int64_t i = 0; i < op.rows(); ++i) count += op.has_edges(i);
  op.processes().sum(std::span(&count, 1));
  return count;
}

StepFactors::StepFactors(std::span<const float> off_diagonal, std::span<const float> diagonal,
                         std::span<const float> scale, double lambda_max, double lambda_min)
    : neighbor(scale.size()), own(scale.size()), weight(scale.size()) {
  const double stretch = 2 / (lambda_max - lambda_min);
  const double shift = 1 + stretch * lambda_min;
  for (std::size_t i = 0; i < scale.size(); ++i) {
    neighbor[i] = static_cast<float>(-2 * stretch * off_diagonal[i]);
    own[i] = static_cast<float>(2 * (stretch * diagonal[i] - shift));
    weight[i] = scale[i] * scale[i];
  }
  // The normalised Laplacian of a graph without isolated nodes: L̃ has no diagonal, and its step reads one
  // panel less.
  if (std::all_of(own.begin(), own.end(), [](float v) { return v == 0; })) own.clear();
}

LaplacianOperator::LaplacianOperator(const graph::Laplacian& laplacian, const Context& context,
                                     double lambda_min)
    : laplacian_(laplacian),
      context_(context),
      factors_(laplacian.off_diagonal, laplacian.diagonal, laplacian.scale, laplacian.lambda_max,
               lambda_min) {}

void LaplacianOperator::apply(const FusedStep& step) const {
  const std::int64_t width = step.current.cols;
  const CsrView& w = laplacian_.adjacency;
  const bool sums = !step.squares.empty();
  const std::int64_t blocks = (rows() + kRowsPerSum - 1) / kRowsPerSum;
  Matrix<double> partial(sums ? blocks : 0, 2 * width);
  context_.for_blocks(rows(), kRowsPerSum, [&](std::int64_t begin, std::int64_t end) {
    double* squares = sums ? partial.row(begin / kRowsPerSum).data() : nullptr;
    kernels::chebyshev_step({.offsets = w.offsets.data(),
                             .columns = w.columns.data(),
                             .values = w.weighted() ? w.values.data() : nullptr,
                             .neighbor = factors_.neighbor.data(),
                             .own = factors_.own.empty() ? nullptr : factors_.own.data(),
                             .current = step.current.data,
                             .previous = step.previous.data,
                             .first = step.first,
                             .accumulator = step.accumulator ? step.accumulator->data : nullptr,
                             .coefficient = static_cast<float>(step.coefficient),
                             .weight = sums ? factors_.weight.data() : nullptr,
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

std::unique_ptr<Operator> LaplacianOperator::above(double lambda_min) const {
  return std::make_unique<LaplacianOperator>(laplacian_, context_, lambda_min);
}

std::int64_t LaplacianOperator::bytes_per_step(std::int64_t width, bool accumulates) const {
  const CsrView& w = laplacian_.adjacency;
  const std::int64_t panels = 2 + (accumulates ? 2 : 0) + (factors_.own.empty() ? 0 : 1);
  return w.entries() * (4 * width + 4 + (w.weighted() ? 4 : 0)) + rows() * (4 * width * panels + 8 + 4);
}

}  // namespace parsimony::spectral
