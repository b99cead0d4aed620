#include "distributed/operator.hpp"

#include <algorithm>

#include "core/together.hpp"
#include "graph/laplacian_factors.hpp"
#include "spectral/blocked_step.hpp"

namespace parsimony::distributed {
LaplacianRows::LaplacianRows(const GraphRows& graph_rows, graph::LaplacianKind kind, double tau)
    : rows(graph_rows),
      regularization(tau),
      off_diagonal(graph_rows.own()),
      diagonal(graph_rows.own()),
      scale(graph_rows.own()) {
  const std::vector<double> degree = degrees(rows);
  together(rows.communicator, [&] { graph::check_degrees(degree, tau, rows.partition.begin()); });
  double highest = degree.empty() ? 0 : *std::ranges::max_element(degree);
  for (const double d : rows.communicator.gather(std::span<const double>(&highest, 1))) {
    highest = std::max(highest, d);
  }
  lambda_max = graph::spectrum_bound(kind, highest);
  graph::fill_factors(degree, kind, tau, {off_diagonal, diagonal, scale});
}

double automatic_regularization(const GraphRows& rows) {
  if (rows.all() == 0) return 0;
  const std::vector<double> degree = degrees(rows);
  // Added in the order of the nodes: an unweighted degree is an integer, whose sum has one value anyway.
  double sum = 0;
  if (rows.weighted) {
    for (const double d : rows.communicator.gather(std::span<const double>(degree))) sum += d;
  } else {
    sum = static_cast<double>(rows.entries());
  }
  const auto nodes = static_cast<double>(rows.all());
  const graph::Attachment mean{.degree = sum / nodes, .edges = static_cast<double>(rows.entries()) / nodes};
  std::int64_t weak = 0;
  for (std::size_t i = 0; i < degree.size(); ++i) {
    const auto edges = static_cast<double>(rows.offsets[i + 1] - rows.offsets[i]);
    weak += graph::is_weak({.degree = degree[i], .edges = edges}, mean) ? 1 : 0;
  }
  return graph::automatic_regularization(mean.degree, rows.communicator.sum_of(weak), rows.all());
}

DistributedOperator::DistributedOperator(const LaplacianRows& laplacian, const Context& context,
                                         double lambda_min, const spectral::SignalGroups* groups)
    : laplacian_(laplacian),
      rows_(laplacian.rows),
      context_(context),
      factors_(laplacian.off_diagonal, laplacian.diagonal, laplacian.scale, laplacian.lambda_max, lambda_min),
      groups_(groups) {
  // The kernel adds the diagonal in all rows or in none, and so must all processes.
  if (rows_.communicator.any(!factors_.own.empty())) factors_.own.resize(rows_.own());
  find_blocks_without_ghosts();
}

void DistributedOperator::find_blocks_without_ghosts() {
  for (std::int64_t begin = 0; begin < rows_.own(); begin += spectral::kRowsPerSum) {
    const std::int64_t end = std::min(begin + spectral::kRowsPerSum, rows_.own());
    const bool inner =
        std::all_of(rows_.columns.begin() + rows_.offsets[begin], rows_.columns.begin() + rows_.offsets[end],
                    [&](std::int32_t column) { return column < rows_.own(); });
    (inner ? inner_ : outer_).push_back(begin / spectral::kRowsPerSum);
  }
}

void DistributedOperator::apply(const spectral::FusedStep& step) const {
  const std::int64_t width = step.current.cols;
  spectral::BlockedStep blocks(rows_.matrix(), factors_, step);
  const auto compute = [&](std::span<const std::int64_t> which) {
    context_.for_blocks(std::ssize(which), 1,
                        [&](std::int64_t at, std::int64_t) { blocks.compute(which[at]); });
  };
  rows_.halo->begin(step.current.data, width);
  compute(inner_);
  rows_.halo->finish(step.current.data, width);
  bytes_received_ += std::ssize(rows_.ghosts) * width * 4;
  compute(outer_);
  if (!step.squares.empty()) blocks.add(processes().gather(blocks.sums()));
}

std::unique_ptr<spectral::Operator> DistributedOperator::above(double lambda_min) const {
  return std::make_unique<DistributedOperator>(laplacian_, context_, lambda_min);
}

std::int64_t DistributedOperator::bytes_per_step(std::int64_t width, bool accumulates) const {
  return spectral::step_bytes(rows_.matrix(), factors_, width, accumulates);
}

}  // namespace parsimony::distributed
