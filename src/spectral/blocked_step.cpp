#include "spectral/blocked_step.hpp"

#include <algorithm>

#include "kernels/chebyshev_step.hpp"

namespace parsimony::spectral {

BlockedStep::BlockedStep(CsrView rows, const StepFactors& factors, const FusedStep& step)
    : rows_(rows),
      factors_(factors),
      step_(step),
      sums_(step.squares.empty() ? 0 : blocks(), 2 * step.current.cols) {}

void BlockedStep::compute(std::int64_t block) {
  const std::int64_t width = step_.current.cols;
  const bool sums = !step_.squares.empty();
  double* squares = sums ? sums_.row(block).data() : nullptr;
  kernels::chebyshev_step({.offsets = rows_.offsets.data(),
                           .columns = rows_.columns.data(),
                           .values = rows_.weighted() ? rows_.values.data() : nullptr,
                           .neighbor = factors_.neighbor.data(),
                           .own = factors_.own.empty() ? nullptr : factors_.own.data(),
                           .current = step_.current.data,
                           .previous = step_.previous.data,
                           .first = step_.first,
                           .accumulator = step_.accumulator ? step_.accumulator->data : nullptr,
                           .coefficient = static_cast<float>(step_.coefficient),
                           .weight = sums ? factors_.weight.data() : nullptr,
                           .squares = squares,
                           .products = sums ? squares + width : nullptr,
                           .width = width},
                          block * kRowsPerSum, std::min((block + 1) * kRowsPerSum, rows_.rows()));
}

void BlockedStep::add(std::span<const double> sums_of_all) const {
  if (step_.squares.empty()) return;
  const auto width = static_cast<std::size_t>(step_.current.cols);
  std::fill(step_.squares.begin(), step_.squares.end(), 0.0);
  std::fill(step_.products.begin(), step_.products.end(), 0.0);
  for (std::size_t block = 0; block < sums_of_all.size(); block += 2 * width) {
    for (std::size_t c = 0; c < width; ++c) {
      step_.squares[c] += sums_of_all[block + c];
      step_.products[c] += sums_of_all[block + width + c];
    }
  }
}

std::int64_t step_bytes(CsrView rows, const StepFactors& factors, std::int64_t width, bool accumulates) {
  const std::int64_t panels = 2 + (accumulates ? 2 : 0) + (factors.own.empty() ? 0 : 1);
  return rows.entries() * (4 * width + 4 + (rows.weighted() ? 4 : 0)) +
         rows.rows() * (4 * width * panels + 8 + 4);
}

}  // namespace parsimony::spectral
