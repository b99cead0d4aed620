#include "cluster/methods/warm_start.hpp"

#include <fmt/format.h>

#include <vector>

#include "parsimony/core/error.hpp"

namespace parsimony::cluster {

void check_initial(std::span<const std::int32_t> initial, std::int64_t clusters,
                   std::span<const float> connected) {
  if (initial.empty()) return;
  if (initial.size() != connected.size()) {
    refuse(fmt::format("initial labels: {} for a graph of {} nodes; must be one for each", initial.size(),
                       connected.size()));
  }
  std::vector<bool> met(static_cast<std::size_t>(clusters));
  for (std::size_t i = 0; i < initial.size(); ++i) {
    if (initial[i] < -1 || initial[i] >= clusters) {
      refuse(fmt::format("initial labels: node {} has {}; must be from 0 to {}, or -1 for none", i,
                         initial[i], clusters - 1));
    }
    if (initial[i] >= 0 && connected[i] > 0) met[initial[i]] = true;
  }
  for (std::int64_t c = 0; c < clusters; ++c) {
    if (!met[c]) {
      refuse(
          fmt::format("initial labels: cluster {} of {} has no node with edges to start from", c, clusters));
    }
  }
}

Matrix<float> mean_rows(MatrixView<const float> rows, std::span<const std::int32_t> initial,
                        std::int64_t clusters, std::span<const float> connected) {
  if (initial.empty()) return {};
  Matrix<double> sums(clusters, rows.cols);
  std::vector<std::int64_t> sizes(static_cast<std::size_t>(clusters));
  for (std::int64_t i = 0; i < rows.rows; ++i) {
    const std::int32_t c = initial[i];
    if (c < 0 || connected[i] == 0) continue;
    ++sizes[c];
    for (std::int64_t column = 0; column < rows.cols; ++column) sums(c, column) += rows(i, column);
  }
  Matrix<float> means(clusters, rows.cols);
  for (std::int64_t c = 0; c < clusters; ++c) {
    for (std::int64_t column = 0; column < rows.cols; ++column) {
      means(c, column) = static_cast<float>(sums(c, column) / static_cast<double>(sizes[c]));
    }
  }
  return means;
}

}  // namespace parsimony::cluster
