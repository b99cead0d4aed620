// A partition with exactly k clusters from spectral features: more clusters than k first, then merges.
#pragma once

#include <cstdint>

#include "parsimony/core/context.hpp"
#include "parsimony/core/csr.hpp"
#include "parsimony/partition/network.hpp"
#include "parsimony/partition/partition.hpp"

namespace parsimony::cluster {

/// Computes random features of the normalised Laplacian as compressive spectral clustering does, but with τ =
/// 0, which keeps clusters just above the detectability threshold, and one feature for two clusters. Then
/// k-means with 1.5 k clusters, on a sample and on all rows; then merges to k and local moves by the
/// likelihood of the planted partition model. k-means with k clusters would leave some planted clusters
/// merged, and local moves cannot separate them.
///
/// Every node has an edge; 1 ≤ k < nodes. lambda_k receives the cut-off of the features.
/// O(50 d E) time for d = max(64, k / 2), and N (d + 128) floats.
partition::Partition features_to_k(CsrView adjacency, const partition::NetworkView& network,
                                   std::int64_t clusters, std::uint64_t seed, double& lambda_k,
                                   const Context& context);

/// Bytes that it needs beside the network.
std::int64_t over_clustering_memory(std::int64_t nodes, std::int64_t clusters);

}  // namespace parsimony::cluster
