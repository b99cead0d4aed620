#include "distributed/operator.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "distributed/together.hpp"
#include "kernels/chebyshev_step.hpp"

namespace parsimony::distributed {
namespace {

constexpr std::int64_t kBlock = spectral::kRowsPerSum;
// As in graph/laplacian.cpp.
constexpr double kLowestDegree = 1.2e-38, kHighestDegree = 1e36;

void check_degrees(std::span<const double> degree, double regularization, std::int64_t first) {
  for (std::size_t i = 0; i < degree.size(); ++i) {
    const double total = degree[i] + regularization;
    if (total == 0 || (total >= kLowestDegree && total <= kHighestDegree)) continue;
    refuse(
        fmt::format("degree of node {}: {} is out of range; must be {} to {}: multiply all weights by one "
                    "number, which changes no cluster",
                    first + static_cast<std::int64_t>(i), total, kLowestDegree, kHighestDegree));
  }
}

}  // namespace

LaplacianRows::LaplacianRows(const GraphRows& graph_rows, graph::LaplacianKind kind, double tau)
    : rows(graph_rows),
      regularization(tau),
      off_diagonal(graph_rows.own()),
      diagonal(graph_rows.own()),
      scale(graph_rows.own()) {
  const std::vector<double> degree = degrees(rows);
  together(rows.communicator, [&] { check_degrees(degree, tau, rows.partition.begin()); });
  const bool combinatorial = kind == graph::LaplacianKind::combinatorial;
  if (combinatorial) {
    double highest = 0;
    for (const double d : rows.communicator.gather(std::span<const double>(
             degree.empty() ? std::vector<double>{0}
                            : std::vector<double>{*std::ranges::max_element(degree)}))) {
      highest = std::max(highest, d);
    }
    lambda_max = highest > 0 ? 2 * highest : 1;
  }
  for (std::int64_t i = 0; i < rows.own(); ++i) {
    const double total = degree[i] + tau;
    if (combinatorial) {
      off_diagonal[i] = scale[i] = 1;
      diagonal[i] = static_cast<float>(degree[i]);
    } else {
      off_diagonal[i] = total > 0 ? static_cast<float>(1 / total) : 0.0f;
      diagonal[i] = total > 0 ? 1.0f : 0.0f;
      scale[i] = total > 0 ? static_cast<float>(std::sqrt(total)) : 1.0f;
    }
  }
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
  const double mean = sum / static_cast<double>(rows.all());
  const std::int64_t weak = rows.communicator.sum_of(
      std::count_if(degree.begin(), degree.end(), [&](double d) { return d < mean / 4; }));
  return static_cast<double>(weak) > 0.01 * static_cast<double>(rows.all()) ? mean / 4 : 0;
}

DistributedOperator::DistributedOperator(const LaplacianRows& laplacian, const Context& context,
                                         double lambda_min)
    : laplacian_(laplacian),
      rows_(laplacian.rows),
      context_(context),
      factors_(laplacian.off_diagonal, laplacian.diagonal, laplacian.scale, laplacian.lambda_max,
               lambda_min) {
  // The kernel adds the diagonal in all rows or in none, and so must all processes.
  if (rows_.communicator.any(!factors_.own.empty())) factors_.own.resize(rows_.own());
  find_blocks_without_ghosts();
}

void DistributedOperator::find_blocks_without_ghosts() {
  for (std::int64_t begin = 0; begin < rows_.own(); begin += kBlock) {
    const std::int64_t end = std::min(begin + kBlock, rows_.own());
    const bool inner =
        std::all_of(rows_.columns.begin() + rows_.offsets[begin], rows_.columns.begin() + rows_.offsets[end],
                    [&](std::int32_t column) { return column < rows_.own(); });
    (inner ? inner_ : outer_).push_back(begin / kBlock);
  }
}

void DistributedOperator::apply(const spectral::FusedStep& step) const {
  const std::int64_t width = step.current.cols, blocks = (rows() + kBlock - 1) / kBlock;
  const bool sums = !step.squares.empty();
  Matrix<double> partial(sums ? blocks : 0, 2 * width);
  const auto compute = [&](std::span<const std::int64_t> which) {
    context_.for_blocks(std::ssize(which), 1, [&](std::int64_t at, std::int64_t) {
      const std::int64_t block = which[at];
      double* squares = sums ? partial.row(block).data() : nullptr;
      kernels::chebyshev_step({.offsets = rows_.offsets.data(),
                               .columns = rows_.columns.data(),
                               .values = rows_.weighted ? rows_.values.data() : nullptr,
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
                              block * kBlock, std::min((block + 1) * kBlock, rows()));
    });
  };
  rows_.halo->begin(step.current.data, width);
  compute(inner_);
  rows_.halo->finish(step.current.data, width);
  bytes_received_ += std::ssize(rows_.ghosts) * width * 4;
  compute(outer_);
  if (!sums) return;
  const std::vector<double> all = processes().gather(std::span<const double>(partial.values()));
  std::fill(step.squares.begin(), step.squares.end(), 0.0);
  std::fill(step.products.begin(), step.products.end(), 0.0);
  for (std::size_t block = 0; block < all.size(); block += 2 * width) {
    for (std::int64_t c = 0; c < width; ++c) {
      step.squares[c] += all[block + c];
      step.products[c] += all[block + width + c];
    }
  }
}

std::unique_ptr<spectral::Operator> DistributedOperator::above(double lambda_min) const {
  return std::make_unique<DistributedOperator>(laplacian_, context_, lambda_min);
}

std::int64_t DistributedOperator::bytes_per_step(std::int64_t width, bool accumulates) const {
  const std::int64_t panels = 2 + (accumulates ? 2 : 0) + (factors_.own.empty() ? 0 : 1);
  return rows_.offsets.back() * (4 * width + 4 + (rows_.weighted ? 4 : 0)) +
         rows() * (4 * width * panels + 8 + 4);
}

}  // namespace parsimony::distributed
