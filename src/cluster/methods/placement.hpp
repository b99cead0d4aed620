// Guarantees of every method: exactly k clusters, none empty, and a place for nodes without edges.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "parsimony/core/csr.hpp"
#include "parsimony/core/processes.hpp"
#include "parsimony/core/report.hpp"
#include "parsimony/graph/graph.hpp"

namespace parsimony::cluster {

/// The nodes with edges: a mark for every node, 1 or 0, which also serves as its weight in k-means and
/// sampling, and the number of ones.
struct ConnectedNodes {
  std::vector<float> marks;  ///< one for each node of this process
  std::int64_t count = 0;    ///< in all processes
};
ConnectedNodes connected_nodes(CsrView adjacency);

/// The graph of the marked nodes alone, in their order. No edge joins one to a node that is not marked.
Csr marked_part(CsrView adjacency, std::span<const float> marks);

/// Gives every empty cluster a node: one of the sample that k-means put into it, or else the first node whose
/// cluster has others. No cluster loses its last node.
/// labels: those of the nodes of this process; sample: by the position among all nodes.
void fill_empty_clusters(std::vector<std::int32_t>& labels, std::int64_t clusters,
                         std::span<const std::int32_t> sample, std::span<const std::int32_t> sample_labels,
                         const Processes& processes = one_process());

/// Puts all nodes without edges and all nodes without a label (−1) into the smallest cluster that is not
/// empty. Nothing tells these nodes apart, and in the smallest cluster they share it with the fewest others.
void place_unknown(std::vector<std::int32_t>& labels, std::int64_t clusters, std::span<const float> connected,
                   const Processes& processes = one_process());

/// For at least as many clusters as connected nodes: each connected node is a cluster, then single isolated
/// nodes are; the isolated nodes that are left join the last cluster.
std::vector<std::int32_t> single_nodes(std::span<const float> connected, std::int64_t clusters,
                                       const Processes& processes = one_process());

/// Adds the numbers of components and isolated nodes to the report.
graph::Components note_structure(Report& report, CsrView adjacency);

/// The components as clusters, with nodes without edges placed; empty unless exactly `clusters` components
/// have edges. Their indicators span the smallest eigenvectors of a Laplacian without τ, so that no filter
/// has to approximate these.
std::vector<std::int32_t> components_as_clusters(const graph::Components& components, std::int64_t clusters,
                                                 std::span<const float> connected,
                                                 const Processes& processes = one_process());

}  // namespace parsimony::cluster
