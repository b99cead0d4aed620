// Can a learned analysis operator be trusted: how cosparse the signals are, and whether the operator is a
// local optimum of the learning problem.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "parsimony/core/context.hpp"
#include "parsimony/core/matrix.hpp"
#include "parsimony/core/options.hpp"
#include "parsimony/core/report.hpp"
#include "parsimony/operators/frames.hpp"

namespace parsimony::operators {

struct CosparsityProfile {
  std::vector<std::int64_t> signals;  ///< [k]: signals with exactly k zeros, k = 0 … a; zero signals left out
  std::vector<std::int64_t> rows;     ///< [i]: signals that are zero at row i
  std::int64_t zeros = 0;             ///< pairs (row, signal) that are
  std::int64_t zero_signals = 0;      ///< signals that are 0 themselves, which say nothing
  double mean = 0;                    ///< zeros per signal that is not 0
  /// Largest |⟨w_i, x_j⟩| / (‖w_i‖ ‖x_j‖) counted as zero and smallest that was not: where they lie far apart
  /// the tolerance is a good one. 0 and 1 where there is none.
  double largest_zero = 0, smallest_nonzero = 1;
};

/// Zeros of Ω (a × n) on the signals (samples × n): |⟨w_i, x_j⟩| ≤ tolerance · ‖w_i‖ ‖x_j‖. Any a ≥ 1. Throws
/// invalid_argument (shapes, values that are not finite, a row of zeros, tolerance outside of [0, 1)).
CosparsityProfile cosparsity_profile(MatrixView<const double> omega, MatrixView<const float> signals,
                                     double tolerance = 1e-6, const Context& context = Context{});

struct CertificateOptions {
  /// Of |⟨w_i, x_j⟩| / (‖w_i‖ ‖x_j‖), at and below which it counts as zero. Zeros of signals in float32 are
  /// some 1e-7; what an operator leaves that was learned to four digits needs 1e-3.
  double zero_tolerance = 1e-6;
  /// Of the residuals of a UNTF, the operator scaled to ‖Ω‖_F² = n: up to here it is taken for one, and its
  /// projection is tested.
  double frame_tolerance = 1e-5;
  bool project = false;       ///< test the projection of the operator on UNTF, however far
  int max_iterations = 2000;  ///< of the search for multipliers below 1 or a descent direction
  /// Settle what that leaves open by the linear program whose answer is exact; needs a build with COIN-OR
  /// CLP. A second for 24 x 16 and 768 signals; its time grows fast.
  bool exact = false;
};

template <OptionsOf<CertificateOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(Field{"zero_tolerance", "relative size up to which a coefficient is zero", 0, 0.5},
        options.zero_tolerance);
  visit(Field{"frame_tolerance", "distance from a UNTF up to which the operator is one", 0, 0.1},
        options.frame_tolerance);
  visit(Field{"project", "test the nearest UNTF, however far"}, options.project);
  visit(Field{"max_iterations", "steps of the search for a certificate", 0, 1e6}, options.max_iterations);
  visit(Field{"exact", "solve the linear program that decides, for small problems"}, options.exact);
}

enum class Verdict {
  certified,  ///< a local optimum lies within `radius` of the operator
  refuted,    ///< `direction` lowers the objective
  undecided
};

constexpr auto names_of(Verdict) {
  using enum Verdict;
  return enum_names<Verdict>({{certified, "certified"}, {refuted, "refuted"}, {undecided, "undecided"}});
}

struct OperatorCertificate {
  Verdict verdict = Verdict::undecided;
  std::string explanation;  ///< the verdict as a sentence
  CosparsityProfile profile;
  double objective = 0;        ///< ‖ΩX‖₁ of the operator tested
  FrameResiduals frame;        ///< of the operator scaled to ‖Ω‖_F² = n
  std::int64_t rank = 0;       ///< n, or what Ω spans of it: then it was tested there
  std::int64_t dimension = 0;  ///< of the tangent space T
  bool injective = false;      ///< no direction of T leaves all zeros zero
  double least_squares = 0;    ///< max|M| of the multipliers of least norm; NaN where there are none
  double multiplier = 0;       ///< max|M| of the best multipliers found: below 1 certifies; NaN as above
  double residual = 0;         ///< ‖P_T(G + M Xᵀ)‖ that rounding left of them
  /// Smallest possible max|M|, which decides: at most exact_upper, by multipliers; at least exact_lower, by a
  /// direction (infinite: along it all zeros stay zero). Both from what the solver found, but computed here.
  /// NaN unless options.exact.
  double exact_lower = 0, exact_upper = 0;
  /// Every UNTF Ω + Δ with r = ‖Δ‖_F has ‖(Ω + Δ)X‖₁ ≥ ‖ΩX‖₁ + growth r − bend r² − 2 Σ|coefficients counted
  /// as zero|, but for rounding; 0 unless certified.
  double growth = 0, bend = 0;
  double radius = 0;  ///< where that begins to be above ‖ΩX‖₁, relative to ‖Ω‖_F: a local optimum is within
  double basin = 0;          ///< where that ends: no UNTF in between is as good as Ω
  Matrix<double> tested;     ///< the UNTF that was tested (ΩᵀΩ = I on its span)
  Matrix<double> direction;  ///< of T, ‖Δ‖_F = 1, the slope along it below 0; empty unless refuted
  double slope = 0;          ///< derivative of the objective along it
  double decrease = 0;       ///< what a step along it, brought back to UNTF, takes off the objective
  Report report;
};

/// Is there a local minimum of ‖ΩX‖₁ over unit-norm tight frames at Ω [yaghoobi2013constrained]? Signals are
/// the rows of `signals`, samples × n; Ω is a × n, of any scale.
///
/// To first order the objective grows along Δ in the tangent space T by ⟨Δ, G⟩ + ‖P_Λ(ΔX)‖₁, G = sgn(ΩX)Xᵀ, Λ
/// the zeros of ΩX. Where that is above 0 for all Δ ≠ 0, Ω is a strict local minimum; where it is below 0 for
/// one, it is none. Multipliers M on Λ with P_T(G + M Xᵀ) = 0 and max|M| < 1 prove the former if Δ ↦ P_Λ(ΔX)
/// is injective on T. Those of least norm are tried first; then an accelerated projected gradient minimises
/// ‖P_T(G + M Xᵀ)‖ over |M| ≤ 0.99: it ends at other multipliers or at a residual that is a descent
/// direction.
///
/// Nothing is certified by a number that merely came out small: with R the residual of M as computed and c a
/// lower bound on ‖P_Λ(ΔX)‖₁ / ‖Δ‖_F from the eigenvalues of Σ_{j∈Λ_i} x_j x_jᵀ, the growth is at least
/// (1 − max|M|) c − ‖R‖. Along the manifold, that is curved, the objective loses up to bend ‖Δ‖_F²: ½
/// (λmax(S) + max d_i) of G + M Xᵀ = ΩS + DΩ + R, and what a step of T loses of its length and its zeros
/// (TangentSpace::bending). Certified is where for some ‖Δ‖_F the growth outweighs that and what inexact
/// zeros hide. Nothing is refuted unless a step along the direction,
/// brought back to UNTF, lowers the objective. In between (max|M| of the best multipliers near 1) the verdict
/// is undecided; options.exact settles it where the program is small enough to be solved.
///
/// An operator with a null space (zero-mean rows) is tested within what its rows span.
///
/// O(samples · a n + (zeros + a n) n) time and O(zeros + a n²) memory for the setup, O(zeros · n + a n²) for
/// an iteration. Deterministic for any number of threads.
///
/// Throws invalid_argument (a < n, shapes, values that are not finite, a row of zeros), unsupported (exact,
/// in a build without a solver) and cancelled.
OperatorCertificate certify_operator(MatrixView<const double> omega, MatrixView<const float> signals,
                                     const CertificateOptions& options = {},
                                     const Context& context = Context{});

}  // namespace parsimony::operators
