// Scores of a partition: by the graph alone, or against a truth.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "parsimony/core/context.hpp"
#include "parsimony/core/csr.hpp"

namespace parsimony::graph {

/// vol_r: sum of the weighted degrees of cluster r; cut_r: weight of the edges that leave it; 2m: sum of all
/// volumes. A cluster with cut_r = 0 (an isolated node, a component, an empty cluster) costs 0.
struct PartitionScores {
  double modularity = 0;  ///< Σ_r (vol_r − cut_r)/2m − (vol_r/2m)² [newman2004finding]; 0 without edges
  double normalized_cut = 0;        ///< Σ_r cut_r / vol_r [shi2000normalized]
  double mean_conductance = 0;      ///< over the non-empty clusters, unweighted
  std::vector<double> conductance;  ///< cut_r / min(vol_r, 2m − vol_r)
  std::vector<double> volume;
  std::vector<double> cut;
  std::vector<std::int64_t> sizes;
};

/// The scores of a partition of a graph (see graph::Graph). labels: a cluster of 0..nodes−1 per node; their
/// number is the highest label plus one. O(N + E) time, 16 N bytes. Throws invalid_argument for an unsound
/// graph (see check_graph), when the labels are not one per node, or when a label is out of range (the node
/// is named).
PartitionScores score_partition(CsrView adjacency, std::span<const std::int32_t> labels,
                                const Context& context = Context{});

/// The same, with the self loops that the graph leaves out: one of weight w counts w inside its cluster and 2
/// w in the volume, as in networkx and igraph. self_loops: a weight per node, as GraphFile::loop_weights, or
/// none. Throws invalid_argument, also when they are not one per node, negative or not finite.
PartitionScores score_partition(CsrView adjacency, std::span<const std::int32_t> labels,
                                std::span<const double> self_loops, const Context& context = Context{});

/// Indices of agreement. All are 1 for equal partitions, however their clusters are numbered (also for one
/// cluster, singletons and no items). ARI and AMI are 0 for one cluster, or singletons, against anything
/// else.
struct Agreement {
  double adjusted_rand = 0;                  ///< ARI [hubert1985comparing]
  double normalized_mutual_information = 0;  ///< arithmetic mean normalisation, as scikit-learn's default
  double adjusted_mutual_information = 0;    ///< [vinh2010information], the same normalisation
};

/// The agreement of two labelings of the same items by any integers. O(n log clusters + s² √(n / clusters))
/// time, with s the number of distinct cluster sizes. Throws invalid_argument when the lengths differ.
Agreement agreement(std::span<const std::int32_t> labels, std::span<const std::int32_t> truth);

}  // namespace parsimony::graph
