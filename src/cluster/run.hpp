// The run that cluster() and cluster_points() share.
#pragma once

#include <cstdint>

#include "parsimony/cluster/cluster.hpp"

namespace parsimony::cluster {

/// Memory that the caller of run_clustering() holds beside the graph, and the kind of graph.
struct RunInputs {
  bool points = false;    ///< the graph is one of points: samples left automatic then follow from k
  std::int64_t held = 0;  ///< bytes beside the graph
};

/// cluster() on a checked graph, for options that have been validated.
Clustering run_clustering(CsrView adjacency, ClusterOptions options, const RunInputs& inputs,
                          const Context& context);

/// Validates the fields, and refuses those that differ from their default although they are unused.
void check_cluster_options(const ClusterOptions& options);

/// Bytes of the graph and of one number for the name of each node.
std::int64_t graph_bytes(CsrView adjacency);

}  // namespace parsimony::cluster
