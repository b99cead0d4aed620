// Where k-means starts when an earlier partition is known.
#pragma once

#include <cstdint>
#include <span>

#include "parsimony/core/matrix.hpp"

namespace parsimony::cluster {

/// Throws invalid_argument unless `initial` is empty, or has a number of −1..clusters−1 for every node and
/// each cluster at least one node with edges.
void check_initial(std::span<const std::int32_t> initial, std::int64_t clusters,
                   std::span<const float> connected);

/// The mean of the rows of every cluster over its nodes with edges, clusters × d; no rows where `initial` is
/// empty: what kmeans takes as `initial`. O(N d) time.
Matrix<float> mean_rows(MatrixView<const float> rows, std::span<const std::int32_t> initial,
                        std::int64_t clusters, std::span<const float> connected);

}  // namespace parsimony::cluster
