// Tests whether a learned analysis operator can be trusted: how cosparse signals are under it, and whether it
// is a local optimum of the learning problem.
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
  std::int64_t zeros = 0;             ///< pairs (row, signal) whose coefficient is zero
  std::int64_t zero_signals = 0;      ///< signals that are 0 themselves; they carry no information
  double mean = 0;                    ///< mean number of zeros of the signals that are not 0
  /// Largest |⟨w_i, x_j⟩| / (‖w_i‖ ‖x_j‖) counted as zero, and smallest that was not. The tolerance is well
  /// chosen when they lie far apart. 0 and 1 where there is none.
  double largest_zero = 0, smallest_nonzero = 1;
};

/// Counts the zeros of Ω (a × n) on the signals (samples × n): |⟨w_i, x_j⟩| ≤ tolerance · ‖w_i‖ ‖x_j‖. Any a
/// ≥ 1. Throws invalid_argument (shapes, values that are not finite, a row of zeros, tolerance outside of [0,
/// 1)).
CosparsityProfile cosparsity_profile(MatrixView<const double> analysis_operator,
                                     MatrixView<const float> signals, double tolerance = 1e-6,
                                     const Context& context = Context{});

struct CertificateOptions {
  /// A coefficient counts as zero when |⟨w_i, x_j⟩| / (‖w_i‖ ‖x_j‖) is at most this. Zeros of signals in
  /// float32 are about 1e-7; raise it to 1e-3 for operators that were learned to four digits.
  double zero_tolerance = 1e-6;
  /// Residuals up to which the operator, scaled to ‖Ω‖_F² = n, counts as a UNTF; its projection is tested.
  double frame_tolerance = 1e-5;
  bool project = false;       ///< test the projection of the operator on UNTF, however far it is
  int max_iterations = 2000;  ///< limit of the search for multipliers below 1 or a descent direction
  /// Decide the cases that the search leaves open by a linear program, exactly; needs a build with COIN-OR
  /// CLP. Takes a second for 24 × 16 and 768 signals; its time grows fast.
  bool exact = false;
};

template <OptionsOf<CertificateOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(Field{"zero_tolerance", "relative size up to which a coefficient is zero", 0, 0.5},
        options.zero_tolerance);
  visit(Field{"frame_tolerance", "distance from a UNTF up to which the operator is one", 0, 0.1},
        options.frame_tolerance);
  visit(Field{"project", "test the nearest UNTF, however far it is"}, options.project);
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
  FrameResiduals frame;        ///< residuals of the operator scaled to ‖Ω‖_F² = n
  std::int64_t rank = 0;       ///< dimension of the span of the rows, in which the operator was tested
  std::int64_t dimension = 0;  ///< dimension of the tangent space T
  bool injective = false;      ///< no direction of T leaves all zeros zero
  double least_squares = 0;    ///< max|M| of the multipliers of least norm; NaN where none were computed
  double multiplier = 0;       ///< max|M| of the best multipliers found: below 1 certifies; NaN as above
  double residual = 0;         ///< ‖P_T(G + M Xᵀ)‖ of these multipliers, from rounding
  /// Bounds of the smallest possible max|M|, which decides: exact_upper by multipliers, exact_lower by a
  /// direction (infinite: along it all zeros stay zero). Both are computed here from the solution of the
  /// solver, not taken from it. NaN unless options.exact.
  double exact_lower = 0, exact_upper = 0;
  /// Every UNTF Ω + Δ with r = ‖Δ‖_F has ‖(Ω + Δ)X‖₁ ≥ ‖ΩX‖₁ + growth r − bend r² − 2 Σ|coefficients counted
  /// as zero|, but for rounding; 0 unless certified.
  double growth = 0, bend = 0;
  double radius = 0;  ///< r / ‖Ω‖_F from which this bound exceeds ‖ΩX‖₁: a local optimum lies within
  double basin = 0;       ///< r / ‖Ω‖_F up to which it does: no UNTF in between is as good as Ω
  Matrix<double> tested;  ///< the UNTF that was tested (ΩᵀΩ = I on its span)
  Matrix<double> direction;  ///< a direction in T that lowers the objective, ‖Δ‖_F = 1; empty unless refuted
  double slope = 0;          ///< derivative of the objective along it
  double decrease = 0;       ///< by how much a step along it, projected on UNTF, lowers the objective
  Report report;
};

/// Tests whether ‖ΩX‖₁ has a local minimum over unit-norm tight frames at Ω [yaghoobi2013constrained].
/// Signals are the rows of `signals`, samples × n; Ω is a × n, of any scale.
///
/// To first order the objective grows along Δ in the tangent space T by ⟨Δ, G⟩ + ‖P_Λ(ΔX)‖₁, G = sgn(ΩX)Xᵀ, Λ
/// the zeros of ΩX. If this growth is above 0 for all Δ ≠ 0, Ω is a strict local minimum; if it is below 0
/// for one Δ, Ω is not a local minimum. Multipliers M on Λ with P_T(G + M Xᵀ) = 0 and max|M| < 1 prove the
/// former when Δ ↦ P_Λ(ΔX) is injective on T. The multipliers of least norm are tried first; then an
/// accelerated projected gradient minimises ‖P_T(G + M Xᵀ)‖ over |M| ≤ 0.99. It ends at other multipliers, or
/// at a residual that is a descent direction.
///
/// A certificate accounts for every rounding and approximation. Let R be the residual of M as computed, and c
/// a lower bound of ‖P_Λ(ΔX)‖₁ / ‖Δ‖_F from the eigenvalues of Σ_{j∈Λ_i} x_j x_jᵀ; the growth is at least (1
/// − max|M|) c − ‖R‖. Because the manifold is curved, the objective loses up to bend ‖Δ‖_F²: ½ (λmax(S) + max
/// d_i) of G + M Xᵀ = ΩS + DΩ + R, plus the loss of length and of zeros of a step in T
/// (TangentSpace::bending). Ω is certified when for some ‖Δ‖_F the growth exceeds this loss and the share
/// that inexact zeros may hide. Ω is refuted only when a step along the direction, projected on UNTF, lowers
/// the objective. In between (max|M| of the best multipliers near 1) the verdict is undecided; options.exact
/// decides it where the program is small enough to be solved.
///
/// An operator with a null space (zero-mean rows) is tested within what its rows span.
///
/// O(samples · a n + (zeros + a n) n) time and O(zeros + a n²) memory for the setup, O(zeros · n + a n²) for
/// an iteration. Deterministic for any number of threads.
///
/// Throws invalid_argument (a < n, shapes, values that are not finite, a row of zeros), unsupported (exact,
/// in a build without a solver) and cancelled.
OperatorCertificate certify_operator(MatrixView<const double> analysis_operator,
                                     MatrixView<const float> signals, const CertificateOptions& options = {},
                                     const Context& context = Context{});

}  // namespace parsimony::operators
