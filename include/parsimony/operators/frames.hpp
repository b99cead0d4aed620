// Frames as analysis operators: unit norm, tight, both (UNTF), and operators with a given null space.
#pragma once

#include <cstdint>

#include "parsimony/core/matrix.hpp"
#include "parsimony/core/options.hpp"

namespace parsimony::operators {

// An operator Ω is a × n; its a ≥ n rows are the analysis rows. Unless said otherwise the functions throw
// invalid_argument when a < n or a value is not finite, cost O(a n²) time a projection and O(a n) memory, run
// on the calling thread and depend on nothing but their arguments.

/// Projects on UN: every row gets the norm sqrt(n / a). A row of zeros gets a random direction, which depends
/// on the seed and its index. Any a ≥ 1.
void project_unit_norm(MatrixView<double> analysis_operator, std::uint64_t seed = 0);

/// Projects on TF: the nearest Ω with ΩᵀΩ = I is the polar factor Ω (ΩᵀΩ)^(−1/2), computed from the
/// eigenvectors of the n × n Gram matrix. Where Ω is rank deficient the nearest is not unique: random
/// directions of the seed, orthogonal to the columns of Ω, replace those below 10⁻⁶ of the largest singular
/// value.
void project_tight_frame(MatrixView<double> analysis_operator, std::uint64_t seed = 0);

struct FrameResiduals {
  double tightness = 0;  ///< ‖ΩᵀΩ − I‖_F
  double norms = 0;      ///< the largest |‖w_i‖₂ − sqrt(n / a)|
};
FrameResiduals frame_residuals(MatrixView<const double> analysis_operator);

struct UntfOptions {
  /// Alternations of UN and TF. Tens are enough, except near orthodecomposable operators.
  int max_iterations = 1000;
  double tolerance = 1e-10;  ///< stop when both residuals are below this
  bool exact = true;         ///< end with rotations that leave rounding errors only, see project_untf
  std::uint64_t seed = 0;    ///< seed of the directions that replace rows of zeros and lost ranks
};

template <OptionsOf<UntfOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(Field{"max_iterations", "alternations of the two projections", 0, 1e6}, options.max_iterations);
  visit(Field{"tolerance", "stop when both residuals are below this", 0, 1}, options.tolerance);
  visit(Field{.name = "exact",
              .help = "end with plane rotations that leave rounding errors only",
              .off_help = "stop after the alternation, with residuals up to the tolerance"},
        options.exact);
  visit(Field{"seed", "seed of the directions that replace lost ones"}, options.seed);
}

struct UntfProjection {
  int iterations = 0;        ///< alternations done
  bool converged = false;    ///< both residuals came below the tolerance by alternation alone
  FrameResiduals residuals;  ///< at the end
};

/// Projects on UNTF = UN ∩ TF: alternates project_unit_norm and project_tight_frame [tropp2005designing] from
/// Ω. No formula of the exact projection is known; this ends at a UNTF near it.
///
/// The alternation ends with TF, so the residual is in the row norms. With options.exact, at most a − 1
/// rotations of pairs of rows, one too short and one too long, remove it too [davies2000numerically]: a
/// rotation from the left does not change ΩᵀΩ. Both residuals are then below 1e-12 after any number of
/// iterations, and the rotations are as small as the residual was.
UntfProjection project_untf(MatrixView<double> analysis_operator, const UntfOptions& options = {});

/// A random UNTF: a Gaussian a × n operator, projected.
Matrix<double> random_untf(std::int64_t rows, std::int64_t cols, std::uint64_t seed = 0);

struct FrameBounds {
  double lower = 0;  ///< smallest eigenvalue of ΩᵀΩ: 0 when Ω has a null space, also where a < n
  double upper = 0;  ///< largest
};
FrameBounds frame_bounds(MatrixView<const double> analysis_operator);

/// The bounds within the complement of the constant signals, which operators with rows of zero mean see. Any
/// a ≥ 1, n ≥ 2.
FrameBounds zero_mean_frame_bounds(MatrixView<const double> analysis_operator);

/// The largest |⟨w_i, w_j⟩| / (‖w_i‖ ‖w_j‖) over i ≠ j; rows of zeros count as 0. Any a ≥ 1. O(a² n).
double coherence(MatrixView<const double> analysis_operator);

/// Dimension of the manifold of a × n UNTFs where they are not orthodecomposable:
/// a n − n (n + 1) / 2 − a + 1. (ΩᵀΩ = I gives n (n + 1) / 2 equations and the row norms give a. One depends
/// on the others, because both fix the trace.)
std::int64_t untf_dimension(std::int64_t rows, std::int64_t cols);

/// An orthonormal basis, n × (n − k), of the complement of the k rows of null_space (k × n, linearly
/// independent, 0 < k < n). Operators with this null space are learned in the coordinates of the basis.
Matrix<double> complement_basis(MatrixView<const double> null_space);

/// The same for the constant signals: the operators Ω = Θ Bᵀ have Ω·1 = 0.
Matrix<double> zero_mean_basis(std::int64_t cols);

/// The operator a × n of Θ, a × (n − k), in the coordinates of the basis: Θ Bᵀ.
Matrix<double> from_complement(MatrixView<const double> theta, MatrixView<const double> basis);

/// Signals, samples × n, in the coordinates of the basis: samples × (n − k). Their part in the null space is
/// dropped.
Matrix<float> to_complement(MatrixView<const float> signals, MatrixView<const double> basis);

}  // namespace parsimony::operators
