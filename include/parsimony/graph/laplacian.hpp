// The three graph Laplacians as one operator that the Chebyshev recurrence runs on.
#pragma once

#include <cstdint>
#include <vector>

#include "parsimony/core/context.hpp"
#include "parsimony/core/csr.hpp"
#include "parsimony/core/matrix.hpp"
#include "parsimony/core/options.hpp"

namespace parsimony::graph {

enum class LaplacianKind {
  combinatorial,  ///< L = D − W, spectrum in [0, 2 max degree]
  normalized      ///< L = I − (D + τI)^(−1/2) W (D + τI)^(−1/2), spectrum in [0, 2]
};

constexpr auto names_of(LaplacianKind) {
  using enum LaplacianKind;
  return enum_names<LaplacianKind>({{combinatorial, "combinatorial"}, {normalized, "normalized"}});
}

/// The Laplacian of a graph, ready for y = L x in the form of a fused Chebyshev step.
///
/// The normalised Laplacian is kept in its random-walk form: with S = (D + τI)^(1/2), S⁻¹ L S = I − (D +
/// τI)⁻¹ W, so that a step gathers neighbours without any factor per edge: 4 bytes an edge when the graph is
/// unweighted. A signal x of the symmetric form is z = S⁻¹x here; `scale` holds the diagonal of S (all ones
/// when combinatorial). A node without edges has L_ii = 0 when τ = 0: it is a component of its own.
struct Laplacian {
  CsrView adjacency;  ///< borrowed from the graph, which must live longer
  LaplacianKind kind = LaplacianKind::normalized;
  double regularization = 0;        ///< τ
  double lambda_max = 2;            ///< upper bound of the spectrum
  std::vector<float> off_diagonal;  ///< per node a_i: (L z)_i = diagonal_i z_i − a_i Σ_j w_ij z_j
  std::vector<float> diagonal;
  std::vector<float> scale;  ///< S_ii

  std::int64_t nodes() const { return adjacency.rows(); }
};

/// O(N + E) time, 12 N bytes. Throws invalid_argument for τ < 0 or NaN, τ > 0 with the combinatorial kind, or
/// a weighted degree (plus τ) other than 0 outside 1.2e-38 to 1e36.
Laplacian make_laplacian(CsrView adjacency, LaplacianKind kind = LaplacianKind::normalized,
                         double regularization = 0, const Context& context = Context{});

/// τ by the rule of the default: a quarter of the mean degree when more than 1 % of the nodes have less than
/// that, else 0. Those nodes hang on the graph by a thread, and the lowest eigenvectors of the plain
/// normalised Laplacian mark them one by one instead of the communities [amini2013pseudo,
/// zhang2018understanding]; a graph of even degrees (block model, k nearest neighbours, mesh) only loses by
/// τ. The whole mean degree, the usual advice, cost modularity and normalised cut on the real graphs tried.
double automatic_regularization(CsrView adjacency);

}  // namespace parsimony::graph
