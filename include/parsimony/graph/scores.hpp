// How good a partition is: by the graph alone, or against a truth.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "parsimony/core/context.hpp"
#include "parsimony/core/csr.hpp"

namespace parsimony::graph {

/// vol_r: sum of the weighted degrees of cluster r; cut_r: weight of the edges that leave it; 2m: sum of all
/// volumes. What cannot be cut (cut_r = 0: an isolated node, a component, an empty cluster) costs 0.
struct PartitionScores {
  double modularity = 0;  ///< Σ_r (vol_r − cut_r)/2m − (vol_r/2m)² [newman2004finding]; 0 without edges
  double normalized_cut = 0;        ///< Σ_r cut_r / vol_r [shi2000normalized]
  double mean_conductance = 0;      ///< over the non-empty clusters, unweighted
  std::vector<double> conductance;  ///< cut_r / min(vol_r, 2m − vol_r)
  std::vector<double> volume;
  std::vector<double> cut;
  std::vector<std::int64_t> sizes;
};

/// labels: a cluster of 0..nodes−1 per node; K is the highest plus one. O(N + E) time, 16 N bytes. Throws
/// invalid_argument for another number of labels than nodes, or a label outside (node named).
PartitionScores score_partition(CsrView adjacency, std::span<const std::int32_t> labels,
                                const Context& context = Context{});

/// 1 for equal partitions, whatever the numbers of their clusters (one cluster, singletons and no items
/// included); a single cluster or singletons against anything else: ARI and AMI 0.
struct Agreement {
  double adjusted_rand = 0;                  ///< ARI [hubert1985comparing]
  double normalized_mutual_information = 0;  ///< arithmetic mean normalisation, as scikit-learn's default
  double adjusted_mutual_information = 0;    ///< [vinh2010information], the same normalisation
};

/// Two labelings of the same items, any integers. O(n log clusters + s² √(n / clusters)) time with s the
/// number of distinct cluster sizes. Throws invalid_argument when they are not of one length.
Agreement agreement(std::span<const std::int32_t> labels, std::span<const std::int32_t> truth);

}  // namespace parsimony::graph
