#include "parsimony/graph/laplacian.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "graph/laplacian_factors.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/graph/graph.hpp"

namespace parsimony::graph {
namespace {

// Degrees that float32 holds together with their inverses, also after products with a few signals.
constexpr double kLowestDegree = 1.2e-38, kHighestDegree = 1e36;

constexpr double kWeakShare = 0.25;  // times the mean degree and the mean number of edges: fewer are few
constexpr double kFewWeak = 0.01;    // and so many of them, of all nodes, do not matter

}  // namespace

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

double spectrum_bound(LaplacianKind kind, double highest) {
  if (kind == LaplacianKind::normalized) return 2;
  return highest > 0 ? 2 * highest : 1;  // a graph without edges has L = 0: any positive bound
}

void fill_factors(std::span<const double> degree, LaplacianKind kind, double regularization,
                  const LaplacianFactors& out) {
  for (std::size_t i = 0; i < degree.size(); ++i) {
    if (kind == LaplacianKind::combinatorial) {
      out.off_diagonal[i] = out.scale[i] = 1;
      out.diagonal[i] = static_cast<float>(degree[i]);
    } else {
      const double total = degree[i] + regularization;
      out.off_diagonal[i] = total > 0 ? static_cast<float>(1 / total) : 0.0f;
      out.diagonal[i] = total > 0 ? 1.0f : 0.0f;
      out.scale[i] = total > 0 ? static_cast<float>(std::sqrt(total)) : 1.0f;
    }
  }
}

bool is_weak(const Attachment& node, const Attachment& mean) {
  return node.degree < kWeakShare * mean.degree && node.edges < kWeakShare * mean.edges;
}

double automatic_regularization(double mean, std::int64_t weak, std::int64_t nodes) {
  return static_cast<double>(weak) > kFewWeak * static_cast<double>(nodes) ? kWeakShare * mean : 0;
}

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
  check_degrees(degree, regularization);
  Laplacian out{.adjacency = adjacency, .kind = kind, .regularization = regularization};
  out.off_diagonal.resize(nodes);
  out.diagonal.resize(nodes);
  out.scale.resize(nodes);
  out.lambda_max = spectrum_bound(kind, nodes > 0 ? *std::max_element(degree.begin(), degree.end()) : 0);
  context.for_blocks(nodes, 1 << 16, [&](std::int64_t begin, std::int64_t end) {
    const auto part = [&](std::vector<float>& values) {
      return std::span(values).subspan(begin, end - begin);
    };
    fill_factors(std::span(degree).subspan(begin, end - begin), kind, regularization,
                 {part(out.off_diagonal), part(out.diagonal), part(out.scale)});
  });
  return out;
}

double automatic_regularization(CsrView adjacency) {
  const std::vector<double> degree = degrees(adjacency);
  if (degree.empty()) return 0;
  const auto nodes = static_cast<double>(degree.size());
  const Attachment mean{.degree = std::accumulate(degree.begin(), degree.end(), 0.0) / nodes,
                        .edges = static_cast<double>(adjacency.entries()) / nodes};
  std::int64_t weak = 0;
  for (std::int64_t i = 0; i < adjacency.rows(); ++i) {
    const auto edges = static_cast<double>(adjacency.offsets[i + 1] - adjacency.offsets[i]);
    weak += is_weak({.degree = degree[i], .edges = edges}, mean) ? 1 : 0;
  }
  return automatic_regularization(mean.degree, weak, adjacency.rows());
}

}  // namespace parsimony::graph
