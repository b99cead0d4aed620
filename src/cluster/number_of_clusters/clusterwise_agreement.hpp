// The agreement of two clusterings, cluster by cluster.
#pragma once

#include <cstdint>
#include <span>

namespace parsimony::cluster {

/// The mean, over the clusters of both labelings, of the largest Jaccard index |a ∩ b| / |a ∪ b| with a
/// cluster of the other labeling [hennig2007clusterwise], scaled so that chance gives 0: random labels of k
/// even clusters have 1/(2 k − 1). Each cluster has the same weight, so that a cluster of a few outliers that
/// appears in one labeling only matters; an index over pairs of nodes does not notice it. Labels are below k,
/// k is at least 2, and every cluster of both labelings has a node.
double clusterwise_agreement(std::span<const std::int32_t> a, std::span<const std::int32_t> b,
                             std::int64_t k);

}  // namespace parsimony::cluster
