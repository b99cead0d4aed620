// A picture of a partition: the adjacency matrix sorted by cluster, beside the sizes and conductances.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>

#include "parsimony/core/context.hpp"
#include "parsimony/core/csr.hpp"
#include "parsimony/graph/scores.hpp"
#include "parsimony/spectral/density.hpp"

namespace parsimony::cluster {

/// How stable the clusters were for each number tried; one value of each number.
struct StabilityCurve {
  std::span<const std::int64_t> clusters;  ///< ascending; empty: no curve
  std::span<const double> stability;
  std::span<const double> standard_error;
  std::int64_t chosen = 0;  ///< one of the numbers
};

/// What is drawn where it is known.
struct PictureDetails {
  double lambda_k = 0;                                 ///< 0: none
  const spectral::SpectralDensity* density = nullptr;  ///< of the eigenvalues; null: none
  StabilityCurve stability;
};

/// Writes a PNG of 1200 × 800 pixels, to a temporary that is then renamed.
///
/// Left: the density of edges over the adjacency matrix whose rows and columns are sorted by cluster, the
/// largest first, in colours on a logarithmic scale; a good partition shows dark blocks on a pale ground.
/// Right: size and conductance of the clusters in the same order. scores are those of the labels. Below them,
/// where they are known: the stability of each number of clusters that was tried, and the density of the
/// eigenvalues on a logarithmic scale with λ_k marked.
///
/// O(N + E) time; 4 N bytes and some megabytes. Throws Error(io), Error(invalid_argument) when labels or
/// scores do not fit the graph, or the parts of a curve each other.
void write_cluster_picture(const std::filesystem::path& path, CsrView adjacency,
                           std::span<const std::int32_t> labels, const graph::PartitionScores& scores,
                           const PictureDetails& details = {}, const Context& context = Context{});

}  // namespace parsimony::cluster
