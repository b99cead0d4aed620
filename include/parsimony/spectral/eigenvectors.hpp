// Many of the smallest eigenvalues of a Laplacian and their eigenvectors, from a subspace filtered by
// Chebyshev polynomials with Rayleigh–Ritz [zhou2006selfconsistent].
#pragma once

#include <cstdint>
#include <vector>

#include "parsimony/core/context.hpp"
#include "parsimony/core/matrix.hpp"
#include "parsimony/core/options.hpp"
#include "parsimony/core/report.hpp"
#include "parsimony/graph/laplacian.hpp"
#include "parsimony/spectral/operator.hpp"

namespace parsimony::spectral {

class SpectralDensity;

struct EigenOptions {
  std::int64_t count = 8;  ///< k
  /// Columns of the subspace beyond k. With more columns the k-th eigenvalue lies farther from the cut-off,
  /// and fewer products are needed, each with more columns. 0: a quarter of k, at least 16, rounded up to a
  /// whole cache line.
  std::int64_t oversampling = 0;
  /// Most products with L in one pass. It is seldom reached: a pass ends when its lowest and its highest
  /// direction have grown 10⁴ times apart, since float32 would lose the latter beyond that.
  int degree = 500;
  /// Largest residual ‖L u − λ u‖ in units of lambda_max / 2. The error of an eigenvalue is at most that, and
  /// about its square over the distance to the eigenvalues outside of the subspace. float32 reaches about
  /// 10⁻⁶.
  double tolerance = 1e-5;
  int max_iterations = 50;  ///< passes of filter, orthogonalisation and Rayleigh–Ritz; 3 to 8 are usual
  std::uint64_t seed = 0;
};

template <OptionsOf<EigenOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(Field{"count", "number of eigenvectors k", 1, 1 << 30}, options.count);
  visit(Field{"oversampling", "columns beside k; 0: a quarter of k, at least 16", 0, 1 << 20},
        options.oversampling);
  visit(Field{"degree", "most products with the Laplacian in one pass", 1, 100000}, options.degree);
  visit(Field{"tolerance", "residual to stop at, in units of lambda_max / 2", 0, 1}, options.tolerance);
  visit(Field{"max_iterations", "passes of filter and Rayleigh-Ritz", 1, 1e6}, options.max_iterations);
  visit(Field{"seed", "seed of all randomness"}, options.seed);
}

struct Eigenvectors {
  std::vector<double> values;     ///< λ_1 ≤ … ≤ λ_k
  std::vector<double> residuals;  ///< ‖L u_j − λ_j u_j‖ of each
  /// N × d, the whole subspace: its first k columns are the eigenvectors of the symmetric form, of norm 1.
  Matrix<float> basis;
  Report report;

  MatrixView<const float> vectors() const {
    return {basis.data(), basis.rows(), static_cast<std::int64_t>(values.size()), basis.cols()};
  }
  MatrixView<float> vectors() {
    return {basis.data(), basis.rows(), static_cast<std::int64_t>(values.size()), basis.cols()};
  }
};

/// The k smallest eigenpairs of L; a multiple eigenvalue counts with its multiplicity. Nodes without edges
/// are left out: their rows are 0, and their eigenvalues are not counted.
///
/// The subspace has d = k + oversampling columns, random at first. A pass multiplies them by T_m of L, with
/// [cut-off, lambda_max] mapped to [−1, 1], so that only the part below the cut-off grows; then it makes them
/// orthonormal and turns them into the Ritz vectors. The first cut-off is where spectral_density counts d
/// eigenvalues, later ones are the largest Ritz value. D^(1/2) 1, the known vector of eigenvalue 0 if τ = 0,
/// is a column from the start. This column and those that have converged are locked: they are not filtered
/// any more.
///
/// Departures from the paper: T_m is not rescaled at every step, since its growth is bounded; the first
/// cut-off comes from the density instead of a Lanczos run; the generalised Ritz problem with the columns'
/// Gram matrix replaces a QR factorisation. Gram matrices are summed in float64.
///
/// report: iterations (passes), objective_history (largest residual after each), figures "eigenvalues",
/// "largest_residual", "dimension" d, "products" (with a single signal). Status iteration_limit when
/// max_iterations passes do not reach the tolerance; the pairs are then the best found.
///
/// O(products · E + passes · N d²) time; (4 d + 512) N bytes. The same bytes for any number of threads.
/// Throws invalid_argument (options out of range, more eigenvectors than nodes with edges) and cancelled.
Eigenvectors smallest_eigenvectors(const graph::Laplacian& laplacian, const EigenOptions& options = {},
                                   const Context& context = Context{});

/// The same with the density of this Laplacian, which is otherwise computed; nullptr: compute it.
Eigenvectors smallest_eigenvectors(const graph::Laplacian& laplacian, const EigenOptions& options,
                                   const SpectralDensity* density, const Context& context = Context{});

/// The same for an operator in one process; throws unsupported for several.
Eigenvectors smallest_eigenvectors(const Operator& op, const EigenOptions& options = {},
                                   const SpectralDensity* density = nullptr,
                                   const Context& context = Context{});

/// Columns d of the subspace for a graph of this many nodes with edges.
std::int64_t subspace_dimension(const EigenOptions& options, std::int64_t nodes);

}  // namespace parsimony::spectral
