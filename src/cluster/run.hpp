// The run that cluster() and cluster_points() share.
#pragma once

#include "parsimony/cluster/cluster.hpp"

namespace parsimony::cluster {

/// cluster() on a checked graph, for options that have been validated. points: the graph is one of points, so
/// that samples left automatic follow from k.
Clustering run_clustering(CsrView adjacency, ClusterOptions options, bool points, const Context& context);

/// Validates the fields, and refuses those that differ from their default although they are unused.
void check_cluster_options(const ClusterOptions& options);

}  // namespace parsimony::cluster
