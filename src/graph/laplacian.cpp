#include "parsimony/graph/laplacian.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "parsimony/core/error.hpp"
#include "parsimony/graph/graph.hpp"

namespace parsimony::graph {
namespace {

// Degrees that float32 holds together with their inverses, also after products with a few signals.
constexpr double kLowestDegree = 1.2e-38, kHighestDegree = 1e36;

}  // namespace

Laplacian make_laplacian(CsrView adjacency, LaplacianKind kind, double regularization,
                         const Context& context) {
  if (!(regularization >= 0) || !std::isfinite(regularization)) {
    throw Error(
        ErrorCode::invalid_argument,
        fmt::format("regularization: {} is out of range; must be a number of at least 0", regularization));
  }
  if (kind == LaplacianKind::combinatorial && regularization > 0) {
    throw Error(
        ErrorCode::invalid_argument,
        "regularization: only the normalized Laplacian has one; use 0 with the combinatorial Laplacian");
  }
  adjacency = check_graph(adjacency, context);
  const std::int64_t nodes = adjacency.rows();
  const std::vector<double> degree = degrees(adjacency);
  for (std::int64_t i = 0; i < nodes; ++i) {
    const double total = degree[i] + regularization;
    if (total == 0 || (total >= kLowestDegree && total <= kHighestDegree)) continue;
    throw Error(
        ErrorCode::invalid_argument,
        fmt::format("degree of node {}: {} is out of range; must be {} to {}: multiply all weights by "
                    "one number, which changes no cluster",
                    i, total, kLowestDegree, kHighestDegree));
  }
  Laplacian out{.adjacency = adjacency, .kind = kind, .regularization = regularization};
  out.off_diagonal.resize(nodes);
  out.diagonal.resize(nodes);
  out.scale.resize(nodes);
  if (kind == LaplacianKind::combinatorial) {
    const double highest = nodes > 0 ? *std::max_element(degree.begin(), degree.end()) : 0;
    out.lambda_max = highest > 0 ? 2 * highest : 1;  // a graph without edges has L = 0: any positive bound
  }
  context.for_blocks(nodes, 1 << 16, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      if (kind == LaplacianKind::combinatorial) {
        out.off_diagonal[i] = 1;
        out.diagonal[i] = static_cast<float>(degree[i]);
        out.scale[i] = 1;
      } else {
        const double total = degree[i] + regularization;
        out.off_diagonal[i] = total > 0 ? static_cast<float>(1 / total) : 0.0f;
        out.diagonal[i] = total > 0 ? 1.0f : 0.0f;
        out.scale[i] = total > 0 ? static_cast<float>(std::sqrt(total)) : 1.0f;
      }
    }
  });
  return out;
}

double automatic_regularization(CsrView adjacency) {
  const std::vector<double> degree = degrees(adjacency);
  if (degree.empty()) return 0;
  const double mean = std::accumulate(degree.begin(), degree.end(), 0.0) / static_cast<double>(degree.size());
  const auto weak = std::count_if(degree.begin(), degree.end(), [&](double d) { return d < mean / 4; });
  return weak > 0.01 * static_cast<double>(degree.size()) ? mean / 4 : 0;
}

}  // namespace parsimony::graph
