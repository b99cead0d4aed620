#include "cluster/methods/initial_centroids.hpp"

#include <vector>

namespace parsimony::cluster {

Matrix<float> initial_centroids(MatrixView<const float> rows, std::span<const std::int32_t> initial,
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
