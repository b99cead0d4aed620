// The three graph Laplacians as one operator for the Chebyshev recurrence.
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
/// τI)⁻¹ W, so that a step gathers neighbours without a factor per edge, 4 bytes per edge if the graph is
/// unweighted. A signal x of the symmetric form is z = S⁻¹x here; `scale` is the diagonal of S (all ones when
/// combinatorial). A node without edges has L_ii = 0 if τ = 0: it is a component by itself.
struct Laplacian {
  CsrView adjacency;  ///< borrowed from the graph, which must live longer
  LaplacianKind kind = LaplacianKind::normalized;
  double regularization = 0;        ///< τ
  double lambda_max = 2;            ///< upper bound of the spectrum
  std::vector<float> off_diagonal;  ///< a_i per node: (L z)_i = diagonal_i z_i − a_i Σ_j w_ij z_j
  std::vector<float> diagonal;
  std::vector<float> scale;  ///< S_ii

  std::int64_t nodes() const { return adjacency.rows(); }
};

/// The Laplacian of a graph (see graph::Graph). O(N + E) time, 12 N bytes. Throws invalid_argument for an
/// unsound graph (see check_graph), τ < 0 or NaN, τ > 0 with the combinatorial kind, or a weighted degree
/// (plus τ) other than 0 outside 1.2e-38 to 1e36.
Laplacian make_laplacian(CsrView adjacency, LaplacianKind kind = LaplacianKind::normalized,
                         double regularization = 0, const Context& context = Context{});

/// The default τ: a quarter of the mean degree if more than 1 % of the nodes have a lower degree, and fewer
/// edges than a quarter of the mean number; else 0. Such nodes hang by a thread: the lowest eigenvectors of
/// the plain Laplacian mark them one by one [amini2013pseudo, zhang2018understanding]. Graphs whose nodes
/// have similar numbers of edges (block models, nearest neighbours, meshes) only lose by τ, whatever their
/// weights. The whole mean degree, the usual advice, cost modularity and normalised cut on the real graphs
/// tried.
double automatic_regularization(CsrView adjacency);

}  // namespace parsimony::graph
