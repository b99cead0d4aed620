// A partition of the nodes of a graph into exactly k clusters, and the report of the run.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "parsimony/core/report.hpp"
#include "parsimony/spectral/density.hpp"

namespace parsimony::cluster {

/// The result of every clustering method.
struct ClusterResult {
  std::vector<std::int32_t> labels;  ///< cluster of every node, 0..clusters−1; no cluster is empty
  std::int64_t clusters = 0;
  /// The k-th smallest eigenvalue, nodes without edges left out: computed, or the estimated cut-off of a
  /// filter. 0 if none was needed: k = 1, or at least as many clusters as nodes with edges.
  double lambda_k = 0;
  std::optional<spectral::SpectralDensity> density;  ///< if λ_k was read off it
  Report report;
};

}  // namespace parsimony::cluster
