// Tests whether an operator, with the signals that it denoises, is a local optimum of noise-aware learning.
#pragma once

#include <cstdint>
#include <string>

#include "parsimony/core/context.hpp"
#include "parsimony/core/matrix.hpp"
#include "parsimony/core/options.hpp"
#include "parsimony/core/report.hpp"
#include "parsimony/operators/certificate.hpp"

namespace parsimony::operators {

struct PairOptions {
  double lambda = 1;  ///< weight of the fidelity, in 1 / unit of the signals
  /// A coefficient counts as zero when |⟨w_i, x_j⟩| / (‖w_i‖ ‖y_j‖) is at most this. It must exceed the
  /// error that the splitting left in the signals.
  double zero_tolerance = 1e-4;
  double frame_tolerance = 1e-5;  ///< as in CertificateOptions
  double stationarity = 1e-5;     ///< ‖P_T(U Xᵀ)‖ / ‖U Xᵀ‖ up to which the operator is stationary
  /// Where multipliers are not unique, decide the first-order condition by a linear program; needs a build
  /// with COIN-OR CLP.
  bool exact = false;
};

template <OptionsOf<PairOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(Field{"lambda", "weight of the fidelity, in 1 / unit of the signals", 1e-300, 1e300}, options.lambda);
  visit(Field{"zero_tolerance", "relative size up to which a coefficient is zero", 0, 0.5},
        options.zero_tolerance);
  visit(Field{"frame_tolerance", "distance from a UNTF up to which the operator is one", 0, 0.1},
        options.frame_tolerance);
  visit(Field{"stationarity", "relative gradient up to which the operator is stationary", 0, 0.1},
        options.stationarity);
  visit(Field{"exact", "decide the first-order condition by a linear program"}, options.exact);
}

struct PairCertificate {
  Verdict verdict = Verdict::undecided;
  std::string explanation;  ///< the verdict as a sentence
  double objective = 0;     ///< ‖ΩX‖₁ + (λ/2) ‖Y − X‖_F² of the pair tested
  std::int64_t signals = 0;
  std::int64_t zeros = 0;      ///< pairs (row, signal) in Λ
  double moved = 0;            ///< largest ‖x_j tested − x_j given‖ / ‖y_j‖
  double multiplier = 0;       ///< max|N|: above 1 the signals are not the ones that the operator makes
  double stationarity = 0;     ///< ‖P_T(U Xᵀ)‖ / ‖U Xᵀ‖
  std::int64_t dimension = 0;  ///< dimension of the tangent space T
  double curvature = 0;  ///< least eigenvalue of the second-order form on T; NaN where it was not computed
  double radius = 0;     ///< ‖Ω* − Ω‖_F / ‖Ω‖_F of the optimum Ω* that Newton's steps end at
  Matrix<double> direction;  ///< a direction in T that lowers the objective, ‖Δ‖_F = 1; empty unless refuted
  double decrease = 0;       ///< by how much a step along it lowers the objective, signals adapted
  /// Least Σ|(S + N)Xᵀ − ΩS′ − D′Ω| / ‖ΩX‖₁ + Σ|Ωᵀ(S + N) − λ(Y − X)| / (λ Σ|Y − X|) over |N| ≤ 1: 0 where no
  /// direction lowers the objective to first order. NaN unless options.exact.
  double first_order_gap = 0;
  Report report;
};

/// Tests whether (Ω, X) is a strict local minimum of ‖ΩX‖₁ + (λ/2)‖Y − X‖_F² over unit-norm tight frames and
/// signals [yaghoobi2013constrained]. noisy has the rows of Y, denoised those of X, both samples × n; Ω is a
/// × n with ΩᵀΩ = I to frame_tolerance (its scale matters here).
///
/// The denoised signals tell only which coefficients are zero, Λ, and the signs S of the others; rows that do
/// not fit move in or out of Λ. Given both, x_j is replaced by the projection of y_j − Ωᵀs_j / λ on the null
/// space of the rows in Λ_j, and the multipliers N of Λ come by least squares from Ωᵀ(S + N) = λ(Y − X).
/// Equal signs and |N| ≤ 1 prove that X is the minimum for this Ω, because the fidelity is strongly convex.
/// Where the rows of each Λ_j are independent, N is unique and the minimum over X is a differentiable
/// function of Ω. Its gradient is U Xᵀ, U = S + N, and the first order alone cannot prove a strict optimum.
/// With P_T(U Xᵀ) = 0 and |N| < 1 the second-order condition decides: the form
///     2 ⟨U, ΔΞ⟩ + λ ‖Ξ‖² − ⟨S′, ΔᵀΔ⟩ − Σ d_i ‖δ_i‖²,  U Xᵀ = ΩS′ + D′Ω,
/// positive for all Δ of T and Ξ with P_Λ(ΔX + ΩΞ) = 0. Ξ is eliminated signal by signal; the form in Δ alone
/// is a dense a n × a n matrix.
///
/// A pair is never exactly stationary. From a pair whose form is positive, Newton's steps lead on with the
/// same zeros and signs until the gradient is rounding. There the signs, |N| and the form are tested again;
/// the pair at this point, at the distance `radius`, is the one certified, and multiplier, stationarity and
/// curvature are its own.
///
/// An operator with a null space (zero-mean rows) is tested within the span of its rows, where it must be a
/// UNTF; the part of the signals in the null space is the same in X and Y and does not count.
///
/// A pair is refuted when a step along −P_T(U Xᵀ), or along a direction of negative curvature, lowers the
/// objective after projection on UNTF and adaptation of the signals.
///
/// O(samples · (a n)²) time, O((a n)²) memory, a n ≤ 2048 for the second-order condition. Deterministic for
/// any number of threads. Throws invalid_argument (a < n, shapes, values not finite, no UNTF), unsupported as
/// certify_operator does, and cancelled.
PairCertificate certify_pair(MatrixView<const double> analysis_operator, MatrixView<const float> noisy,
                             MatrixView<const float> denoised, const PairOptions& options = {},
                             const Context& context = Context{});

}  // namespace parsimony::operators
