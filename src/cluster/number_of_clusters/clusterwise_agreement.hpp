// How alike two clusterings are, cluster by cluster.
#pragma once

#include <cstdint>
#include <span>

namespace parsimony::cluster {

/// Mean over the clusters of both labelings of the largest Jaccard index |a ∩ b| / |a ∪ b| with one of the
/// other [hennig2007clusterwise], scaled so that chance gives 0: random labels of k even clusters have 1/(2 k
/// − 1). Each cluster counts alike, so that a cluster of a few outliers, which no index over pairs of nodes
/// notices, is seen to come and go. Labels are below k, which is at least 2, and every cluster of either has
/// a node.
double clusterwise_agreement(std::span<const std::int32_t> a, std::span<const std::int32_t> b,
                             std::int64_t k);

}  // namespace parsimony::cluster
