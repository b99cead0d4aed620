// Where k-means starts when the clusters of an earlier run are known.
#pragma once

#include <cstdint>
#include <span>

#include "parsimony/core/matrix.hpp"

namespace parsimony::cluster {

/// The mean row of every cluster over its nodes with edges, clusters × d. Without initial labels the result
/// has no rows, and k-means then draws random seeds. O(N d) time.
Matrix<float> initial_centroids(MatrixView<const float> rows, std::span<const std::int32_t> initial,
                                std::int64_t clusters, std::span<const float> connected);

}  // namespace parsimony::cluster
