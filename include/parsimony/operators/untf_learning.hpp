// Analysis operator learning among unit-norm tight frames: AOL by projected subgradients, and its noise-aware
// form NAAOL.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <utility>

#include "parsimony/core/context.hpp"
#include "parsimony/core/matrix.hpp"
#include "parsimony/core/options.hpp"
#include "parsimony/core/report.hpp"

namespace parsimony::operators {

enum class StepRule {
  diminishing,  ///< lengths that fall as 1 / (1 + k / k₀), then halves from the best operator on the way
  backtracking  ///< the paper's: halved until the objective does not increase
};

constexpr auto names_of(StepRule) {
  using enum StepRule;
  return enum_names<StepRule>({{diminishing, "diminishing"}, {backtracking, "backtracking"}});
}

struct UntfLearningOptions {
  std::int64_t rows = 0;  ///< a: atoms to learn; at least the n values of a signal, n − 1 with zero_mean
  StepRule steps = StepRule::diminishing;
  int exploration = 4000;  ///< diminishing steps; of 24 × 16 operators from 768 signals 2000 find most
  double first_step = 0.3;  ///< length ‖ΔΩ‖_F of the first step, in ‖Ω‖_F; below 0.1 it stays near the start
  int half_life = 400;           ///< k₀ of diminishing steps: after so many they are half as long
  int projections = 2;           ///< alternations of the two projections after a step
  double step_tolerance = 1e-6;  ///< length of a step to stop at, in ‖Ω‖_F
  int max_steps = 20000;         ///< steps of all kinds
  bool zero_mean = false;        ///< every atom is orthogonal to the constant signals
  bool noise_aware = false;      ///< learn the signals too: NAAOL
  double lambda = 0;  ///< NAAOL: weight of the fidelity, in 1 / unit of the signals; 0: 1.5 / noise
  int splitting_iterations = 5;  ///< NAAOL: of Douglas–Rachford between two steps
  std::uint64_t seed = 0;
};

template <OptionsOf<UntfLearningOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(Field{"rows", "atoms to learn, at least as many as a signal has values", 1, 1 << 20}, options.rows);
  visit(Field{"steps", "rule of the step lengths"}, options.steps);
  visit(Field{"exploration", "diminishing steps", 1, 1e9}, options.exploration);
  visit(Field{"first_step", "length of the first step, in norms of the operator", 1e-12, 10},
        options.first_step);
  visit(Field{"half_life", "steps until diminishing ones are half as long", 1, 1e9}, options.half_life);
  visit(Field{"projections", "alternations of the projections after a step", 1, 1000}, options.projections);
  visit(Field{"step_tolerance", "length of a step to stop at, in norms of the operator", 0, 1},
        options.step_tolerance);
  visit(Field{"max_steps", "steps of all kinds", 1, 1e9}, options.max_steps);
  visit(Field{"zero_mean", "atoms orthogonal to the constant signals"}, options.zero_mean);
  visit(Field{"noise_aware", "learn the signals beside the operator"}, options.noise_aware);
  visit(Field{"lambda", "noise-aware: weight of the fidelity, in 1 / unit of the signals; 0: from the noise",
              0, 1e30},
        options.lambda);
  visit(Field{"splitting_iterations", "noise-aware: iterations on the signals between two steps", 1, 1e6},
        options.splitting_iterations);
  visit(Field{"seed", "seed of all randomness"}, options.seed);
}

struct LearnedOperator {
  Matrix<double> omega;  ///< a × n: ΩᵀΩ = I (with zero_mean: on what is orthogonal to 1), rows of equal norms
  Matrix<float> signals;  ///< NAAOL: the signals X that it explains, samples × n; else empty
  double objective = 0;   ///< ‖Ω X‖₁; NAAOL: + (λ/2) ‖Y − X‖²
  Report report;
};

/// Learns Ω (a × n) from signals (samples × n float32, one a row, of any scale) by [yaghoobi2013constrained]:
///     AOL    min_Ω ‖Ω X‖₁                              over the UNTFs,
///     NAAOL  min_{Ω, X} ‖Ω X‖₁ + (λ/2) ‖Y − X‖_F²      over the UNTFs and X.
///
/// AOL: projected subgradients. G = sgn(Ω X) Xᵀ, a step along −G, then alternated projections (project_untf).
/// With StepRule::backtracking as in the paper: halved until the objective does not increase, until the step
/// is shorter than the tolerance. On noise-free signals that stalls at the kinks of the objective, so the
/// default is StepRule::diminishing: `exploration` steps of length first_step / (1 + k / half_life), whatever
/// the objective does; then from the best operator steps that are halved, from the best again, whenever 30 of
/// them find nothing better: near a sharp minimum that converges linearly.
///
/// NAAOL begins with AOL on X = Y, then alternates steps on Ω with `splitting_iterations` of Douglas–Rachford
/// splitting on X (see douglas_rachford.hpp), which go on from the ones before. Where the paper puts
/// sgn(Ω X), the 0 of zero coefficients included, this puts the dual S of the splitting: it is a subgradient
/// of the same norm, and S Xᵀ is the derivative of min_X by Ω. (With sgn the X that was fitted to Ω holds it
/// where it is.)
///
/// λ = 1.5 / σ unless it is given: 1 / λ is what the signals may move, of the order of the noise. Of the
/// weights between 0.5 and 3 / σ, 1 to 2 recover the most rows of 24 × 16 operators at 8 and 14 dB
/// (experiments/operator_recovery). σ, the standard deviation of the noise per value, is estimated from the
/// coefficients of the operator that AOL found: the narrower of the two Gaussians that they are a mixture of.
///
/// The result is a UNTF to rounding: project_untf ends exactly. initial, when it has rows: where to start (a
/// × n, any scale, is projected first) instead of at random_untf of the seed.
///
/// 4 a n samples flops per step (NAAOL: times splitting_iterations + 2) and O(projections (a + n) n²).
/// Memory: 8 bytes per value of the signals, NAAOL 12 and 4 a per signal more; the coefficients Ω X of AOL
/// are never stored. Coefficients in float32, sums in float64. The same bytes for any number of threads.
///
/// report: objective_history of all steps; figures "stopped" (short steps, iteration limit, zero
/// subgradient), "best_iteration", "tightness" and "norms" (frame_residuals), NAAOL: "noise", "lambda",
/// "first_noise_aware". Throws invalid_argument (shapes, fewer signals than atoms, values that are not finite
/// or all the same) and cancelled. Signals that span fewer than n dimensions are learned from, with a
/// warning.
LearnedOperator untf_learning(MatrixView<const float> signals, const UntfLearningOptions& options,
                              const Context& context = Context{}, MatrixView<const double> initial = {});

}  // namespace parsimony::operators
