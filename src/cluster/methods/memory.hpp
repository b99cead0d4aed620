// Bytes that the stages of the methods need, for the estimates that are compared with the limit.
#pragma once

#include <cstdint>

#include "parsimony/cluster/lambda_method.hpp"
#include "parsimony/cluster/refine.hpp"
#include "spectral/panel.hpp"

namespace parsimony::cluster {

inline constexpr std::int64_t kLine =
    spectral::kPanelWidth;  // floats of a cache line: a panel is whole lines
inline constexpr std::int64_t kColumns = spectral::kMaxPanelWidth;  // columns filtered at a time

/// Columns rounded up to whole cache lines.
std::int64_t whole_lines(std::int64_t columns);

/// Bytes of a matrix of floats. Large ones take whole huge pages.
std::int64_t matrix_bytes(std::int64_t rows, std::int64_t columns);

/// Peak bytes of find_lambda_k() and of filtered_signals().
std::int64_t lambda_k_bytes(std::int64_t nodes, LambdaMethod method);
std::int64_t features_bytes(std::int64_t nodes, std::int64_t features);

/// Bytes of one run of kmeans() on a row of so many columns for each node, beside the rows. Per node: label
/// 4, norm 4, distance 4, bounds of four groups of centroids 16, and 8 to sort the nodes when a cluster
/// became empty. Then the sums of each block of nodes.
std::int64_t kmeans_bytes(std::int64_t nodes, std::int64_t clusters, std::int64_t columns);

/// Bytes of refine_by_moves().
std::int64_t refinement_bytes(Refinement refine, std::int64_t nodes);

}  // namespace parsimony::cluster
