#include "parsimony/spectral/operator.hpp"

#include <algorithm>

#include "spectral/blocked_step.hpp"
#include "spectral/panel.hpp"

namespace parsimony::spectral {

SignalRange signals_of_group(int group, int groups, std::int64_t signals) {
  const std::int64_t lines = (signals + kPanelWidth - 1) / kPanelWidth;
  const auto begin = [&](std::int64_t g) { return std::min(signals, lines * g / groups * kPanelWidth); };
  return {begin(group), begin(group + 1) - begin(group)};
}

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
  BlockedStep blocks(laplacian_.adjacency, factors_, step);
  context_.for_blocks(blocks.blocks(), 1, [&](std::int64_t block, std::int64_t) { blocks.compute(block); });
  blocks.add(blocks.sums());
}

std::unique_ptr<Operator> LaplacianOperator::above(double lambda_min) const {
  return std::make_unique<LaplacianOperator>(laplacian_, context_, lambda_min);
}

std::int64_t LaplacianOperator::bytes_per_step(std::int64_t width, bool accumulates) const {
  return step_bytes(laplacian_.adjacency, factors_, width, accumulates);
}

}  // namespace parsimony::spectral
