// How good a partition is: by the graph alone, or against a truth.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "parsimony/core/context.hpp"
#include "parsimony/core/csr.hpp"

namespace parsimony::graph {

struct PartitionScores {
  double modularity = 0;              ///< Σ_r in_r/2m − (vol_r/2m)² [newman2004finding]
  double normalized_cut = 0;          ///< Σ_r cut_r / vol_r [shi2000normalized]
  double mean_conductance = 0;        ///< over the clusters, unweighted
  std::vector<double> conductance;    ///< cut_r / min(vol_r, 2m − vol_r)
  std::vector<double> volume;
  std::vector<double> cut;
  std::vector<std::int64_t> sizes;
};

/// labels: clusters 0..K−1 per node. O(N + E).
PartitionScores score_partition(CsrView adjacency, std::span<const std::int32_t> labels, const Context& context = Context{});

struct Agreement {
  double adjusted_rand = 0;                ///< ARI [hubert1985comparing]
  double normalized_mutual_information = 0;  ///< arithmetic mean normalisation, as scikit-learn's default
  double adjusted_mutual_information = 0;    ///< [vinh2010information], the same normalisation
};

/// Two labelings of the same items, any integers. O(n + cells of the contingency table), AMI O(n · clusters).
Agreement agreement(std::span<const std::int32_t> labels, std::span<const std::int32_t> truth);

}  // namespace parsimony::graph
