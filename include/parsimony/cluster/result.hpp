// A partition of the nodes of a graph into exactly k clusters, and how it was found.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "parsimony/core/report.hpp"
#include "parsimony/spectral/density.hpp"

namespace parsimony::cluster {

/// What every clustering method returns.
struct ClusterResult {
  std::vector<std::int32_t> labels;  ///< cluster of every node, 0..clusters−1, none of them empty
  std::int64_t clusters = 0;
  /// The k-th smallest eigenvalue, nodes without edges left out: the cut-off of a filter (an estimate), or
  /// computed. 0 where none was needed: k = 1, or at least as many clusters as nodes with edges.
  double lambda_k = 0;
  std::optional<spectral::SpectralDensity> density;  ///< where λ_k was read off it
  Report report;
};

}  // namespace parsimony::cluster
