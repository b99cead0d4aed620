// A picture of a partition: the adjacency matrix sorted by cluster, beside the sizes and conductances.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

#include "parsimony/core/context.hpp"
#include "parsimony/core/csr.hpp"
#include "parsimony/core/output_file.hpp"
#include "parsimony/graph/scores.hpp"
#include "parsimony/spectral/density.hpp"

namespace parsimony::cluster {

/// The stability of the clusters for each number tried; the three arrays have one value per number.
struct StabilityCurve {
  std::span<const std::int64_t> clusters;  ///< ascending; empty: no curve
  std::span<const double> stability;
  std::span<const double> standard_error;
  std::int64_t chosen = 0;  ///< one of the numbers
};

/// Values that are drawn if they are known.
struct PictureDetails {
  double lambda_k = 0;                                 ///< 0: unknown
  const spectral::SpectralDensity* density = nullptr;  ///< density of the eigenvalues; nullptr: unknown
  StabilityCurve stability;
};

/// The bytes of a PNG of 1200 × 800 pixels.
///
/// Left: the density of edges over the adjacency matrix, with rows and columns sorted by cluster, the largest
/// first, in colours on a logarithmic scale. A good partition shows dark blocks on a pale ground. Right: size
/// and conductance of the clusters in the same order; scores are those of the labels. Below them, if known:
/// the stability of each number of clusters tried, and the density of the eigenvalues on a logarithmic scale
/// with λ_k marked.
///
/// O(N + E) time; 4 N bytes and some megabytes. Throws invalid_argument (an unsound graph: see
/// graph::check_graph; labels or scores that do not fit the graph; a curve whose arrays differ in length).
std::string cluster_picture(CsrView adjacency, std::span<const std::int32_t> labels,
                            const graph::PartitionScores& scores, const PictureDetails& details = {},
                            const Context& context = Context{});

/// Writes cluster_picture() to a file. Also throws io.
void write_cluster_picture(const OutputPath& path, CsrView adjacency, std::span<const std::int32_t> labels,
                           const graph::PartitionScores& scores, const PictureDetails& details = {},
                           const Context& context = Context{});

}  // namespace parsimony::cluster
