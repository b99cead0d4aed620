// What every method owes its user: exactly k clusters, none of them empty, and nodes without edges placed.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "parsimony/core/context.hpp"
#include "parsimony/core/csr.hpp"
#include "parsimony/core/report.hpp"
#include "parsimony/graph/graph.hpp"

namespace parsimony::cluster {

/// 1 for every node with edges, 0 for the others.
std::vector<float> marks_of_connected(CsrView adjacency);

/// The graph of the nodes with edges alone, in their order.
Csr connected_part(CsrView adjacency, std::span<const float> connected);

/// Every cluster that no node chose takes back a node of the sample that k-means gave it, or failing that any
/// node, never the last one of another cluster.
void fill_empty_clusters(std::vector<std::int32_t>& labels, std::int64_t clusters,
                         std::span<const std::int32_t> sample, std::span<const std::int32_t> sample_labels);

/// Nodes without edges, and those without a label (−1), say nothing about where they belong, nor apart from
/// each other: all go to the smallest cluster, so that as few pairs as can be are together without a reason.
void place_unknown(std::vector<std::int32_t>& labels, std::int64_t clusters,
                   std::span<const float> connected);

/// As many clusters as connected nodes, or more: each of these is one, then single isolated nodes; what is
/// left of the isolated ones joins the last.
std::vector<std::int32_t> single_nodes(std::span<const float> connected, std::int64_t clusters);

/// Notes components and isolated nodes in the report, and warns where the graph is not connected.
graph::Components note_structure(Report& report, CsrView adjacency, const Context& context);

/// The components as the clusters, nodes without edges placed; empty unless there are exactly `clusters` of
/// them with edges. Their indicators span the smallest eigenvectors of an L without τ, which no filter needs
/// to approximate then.
std::vector<std::int32_t> components_as_clusters(const graph::Components& components, std::int64_t clusters,
                                                 std::span<const float> connected);

}  // namespace parsimony::cluster
