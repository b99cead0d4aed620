#include "cluster/methods/memory.hpp"

#include <algorithm>
#include <cmath>

namespace parsimony::cluster {

std::int64_t whole_lines(std::int64_t columns) {
  return (columns + kLine - 1) / kLine * kLine;
}

std::int64_t matrix_bytes(std::int64_t rows, std::int64_t columns) {
  constexpr std::int64_t kHugePage = 2 << 20;
  const std::int64_t bytes = 4 * rows * columns;
  return bytes < 2 * kHugePage ? bytes : (bytes + kHugePage - 1) / kHugePage * kHugePage;
}

std::int64_t lambda_k_bytes(std::int64_t nodes, LambdaMethod method) {
  if (method == LambdaMethod::moments) return 2 * matrix_bytes(nodes, kLine);
  const std::int64_t signals = 2 * std::llround(std::log(std::max(2.0, static_cast<double>(nodes))));
  return 3 * matrix_bytes(nodes, whole_lines(std::min(signals, kColumns)));
}

std::int64_t features_bytes(std::int64_t nodes, std::int64_t features) {
  const std::int64_t panel = whole_lines(std::min(features, kColumns));
  return 3 * matrix_bytes(nodes, panel) + (features > panel ? matrix_bytes(nodes, features) : 0);
}

std::int64_t kmeans_bytes(std::int64_t nodes, std::int64_t clusters, std::int64_t columns) {
  return 36 * nodes + std::min<std::int64_t>(64, nodes / 4096 + 1) * 8 * clusters * columns;
}

std::int64_t refinement_bytes(Refinement refine, std::int64_t nodes) {
  return refine == Refinement::moves ? 60 * nodes : 0;
}

}  // namespace parsimony::cluster
