// A picture of a partition: the adjacency matrix sorted by cluster, beside the sizes and conductances.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>

#include "parsimony/core/context.hpp"
#include "parsimony/core/csr.hpp"
#include "parsimony/graph/scores.hpp"

namespace parsimony::cluster {

/// Writes a PNG of 1200 × 800 pixels, to a temporary that is then renamed.
///
/// Left: the density of edges over the adjacency matrix whose rows and columns are sorted by cluster, the
/// largest first, in colours on a logarithmic scale; a good partition shows dark blocks on a pale ground.
/// Right: size and conductance of the clusters in the same order. scores are those of the labels; lambda_k is
/// named in the caption unless it is 0.
///
/// O(N + E) time; 4 N bytes and some megabytes. Throws Error(io), Error(invalid_argument) when labels or
/// scores do not fit the graph.
void write_cluster_picture(const std::filesystem::path& path, CsrView adjacency,
                           std::span<const std::int32_t> labels, const graph::PartitionScores& scores,
                           double lambda_k, const Context& context = Context{});

}  // namespace parsimony::cluster
