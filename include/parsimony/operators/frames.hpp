// Frames as analysis operators: unit norm, tight, both (UNTF), and operators with a given null space.
#pragma once

#include <cstdint>

#include "parsimony/core/matrix.hpp"
#include "parsimony/core/options.hpp"

namespace parsimony::operators {

// An operator Ω is a × n, its rows are the analysis atoms, a ≥ n. Unless said otherwise the functions throw
// invalid_argument when a < n or a value is not finite, cost O(a n²) time a projection and O(a n) memory, run
// on the calling thread and depend on nothing but their arguments.

/// UN: every row gets the norm sqrt(n / a). A row of zeros becomes a random direction of (seed, its index).
/// Any a ≥ 1.
void project_unit_norm(MatrixView<double> omega, std::uint64_t seed = 0);

/// TF: the nearest Ω with ΩᵀΩ = I, the polar factor Ω (ΩᵀΩ)^(−1/2), by the eigenvectors of the n × n Gram
/// matrix. Where Ω is rank deficient there is no one nearest; random directions of the seed, orthogonal to
/// the columns of Ω, take the lost places. Directions below 10⁻⁶ of the largest singular value are lost.
void project_tight_frame(MatrixView<double> omega, std::uint64_t seed = 0);

struct FrameResiduals {
  double tightness = 0;  ///< ‖ΩᵀΩ − I‖_F
  double norms = 0;      ///< the largest |‖w_i‖₂ − sqrt(n / a)|
};
FrameResiduals frame_residuals(MatrixView<const double> omega);

struct UntfOptions {
  int max_iterations = 1000;  ///< of UN after TF; tens are enough but near orthodecomposable operators
  double tolerance = 1e-10;   ///< both residuals to stop at
  bool exact = true;          ///< ends with what makes both residuals rounding errors, see project_untf
  std::uint64_t seed = 0;     ///< of the directions that replace rows of zeros and lost ranks
};

template <OptionsOf<UntfOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(Field{"max_iterations", "alternations of the two projections", 0, 1e6}, options.max_iterations);
  visit(Field{"tolerance", "both residuals to stop at", 0, 1}, options.tolerance);
  visit(Field{"exact", "end with plane rotations that leave rounding errors only"}, options.exact);
  visit(Field{"seed", "seed of the directions that replace lost ones"}, options.seed);
}

struct UntfProjection {
  int iterations = 0;        ///< alternations that ran
  bool converged = false;    ///< both residuals came below the tolerance by alternation alone
  FrameResiduals residuals;  ///< at the end
};

/// UNTF = UN ∩ TF: alternates project_unit_norm and project_tight_frame [tropp2005designing] from Ω. The
/// exact projection is unknown; this ends near it, at a UNTF.
///
/// The alternation ends with TF, so what is left is in the row norms. With options.exact, at most a − 1
/// rotations of pairs of rows, one too short and one too long, remove that too [davies2000numerically]: a
/// rotation from the left changes nothing of ΩᵀΩ. Both residuals are then below 1e-12 whatever the number of
/// iterations, and the rotations are as small as the residual was.
UntfProjection project_untf(MatrixView<double> omega, const UntfOptions& options = {});

/// "Pseudo-random UNTF": a Gaussian a × n operator, projected.
Matrix<double> random_untf(std::int64_t rows, std::int64_t cols, std::uint64_t seed = 0);

struct FrameBounds {
  double lower = 0;  ///< smallest eigenvalue of ΩᵀΩ: 0 when Ω has a null space, also where a < n
  double upper = 0;  ///< largest
};
FrameBounds frame_bounds(MatrixView<const double> omega);

/// The largest |⟨w_i, w_j⟩| / (‖w_i‖ ‖w_j‖) over i ≠ j; rows of zeros count as 0. Any a ≥ 1. O(a² n).
double coherence(MatrixView<const double> omega);

/// Dimension of the manifold of a × n UNTFs where they are not orthodecomposable:
/// a n − n (n + 1) / 2 − a + 1. (ΩᵀΩ = I are n (n + 1) / 2 equations, the row norms a, and their sum is one
/// of the former.)
std::int64_t untf_dimension(std::int64_t rows, std::int64_t cols);

/// An orthonormal basis, n × (n − k), of what is orthogonal to the k rows of null_space (k × n, linearly
/// independent, 0 < k < n). Learning with rows orthogonal to a null space is learning among its coordinates.
Matrix<double> complement_basis(MatrixView<const double> null_space);

/// The same for the constant signals: the operators Ω = Θ Bᵀ have Ω·1 = 0.
Matrix<double> zero_mean_basis(std::int64_t cols);

/// The operator a × n of Θ, a × (n − k), in the coordinates of the basis: Θ Bᵀ.
Matrix<double> from_complement(MatrixView<const double> theta, MatrixView<const double> basis);

/// Signals samples × n in the coordinates of the basis: samples × (n − k); what lies in the null space is
/// gone.
Matrix<float> to_complement(MatrixView<const float> signals, MatrixView<const double> basis);

}  // namespace parsimony::operators
