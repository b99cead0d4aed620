// Analysis operator learning among unit-norm tight frames: AOL by projected subgradients, and its noise-aware
// form NAAOL.
#pragma once

#include <cstdint>

#include "parsimony/core/context.hpp"
#include "parsimony/core/matrix.hpp"
#include "parsimony/core/options.hpp"
#include "parsimony/operators/learned_operator.hpp"

namespace parsimony::operators {

enum class StepRule {
  diminishing,  ///< lengths that fall as 1 / (1 + k / k₀), then halves from the best operator met
  backtracking  ///< the paper's: halve the length until the objective does not increase
};

constexpr auto names_of(StepRule) {
  using enum StepRule;
  return enum_names<StepRule>({{diminishing, "diminishing"}, {backtracking, "backtracking"}});
}

struct UntfLearningOptions {
  /// a, rows of the operator; auto (0): those of `initial`, without it twice the n values of a signal. At
  /// least n, or n − 1 with zero_mean.
  std::int64_t rows = 0;
  StepRule steps = StepRule::diminishing;  ///< backtracking reproduces the paper; it stalls on clean signals
  /// Diminishing steps. For 24 × 16 operators and 768 signals 2000 recover most rows; raise it for larger
  /// operators.
  int exploration = 4000;
  double first_step = 0.3;  ///< length ‖ΔΩ‖_F of the first step, in ‖Ω‖_F; below 0.1 it stays near the start
  int half_life = 400;           ///< k₀ of diminishing steps: after so many steps their length is halved
  int projections = 2;           ///< alternations of the two projections after a step; more rarely help
  double step_tolerance = 1e-6;  ///< step length to stop at, in ‖Ω‖_F
  int max_steps = 20000;         ///< limit of the steps of all kinds
  bool zero_mean = false;        ///< make every row orthogonal to the constant signals
  bool noise_aware = false;      ///< learn the denoised signals too (NAAOL); for signals with noise
  /// NAAOL: weight of the fidelity, in 1 / unit of the signals. auto (0): 1.5 / estimated noise. Give it when
  /// the noise is known.
  double lambda = 0;
  int splitting_iterations = 5;  ///< NAAOL: Douglas–Rachford iterations between two steps
  std::uint64_t seed = 0;
  /// The operator to start from, a × n, of any scale; it is projected first. Empty: random_untf of the seed.
  /// It must outlive the call.
  MatrixView<const double> initial = {};
};

template <OptionsOf<UntfLearningOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(Field{.name = "rows",
              .help = "rows of the operator, at least as many as a signal has values; auto: twice as many",
              .low = 1,
              .high = 1 << 20,
              .word = "auto"},
        options.rows);
  visit(Field{"steps", "rule of the step lengths"}, options.steps);
  visit(Field{"exploration", "diminishing steps", 1, 1e9}, options.exploration);
  visit(Field{"first_step", "length of the first step, in norms of the operator", 1e-12, 10},
        options.first_step);
  visit(Field{"half_life", "steps until diminishing ones are half as long", 1, 1e9}, options.half_life);
  visit(Field{"projections", "alternations of the projections after a step", 1, 1000}, options.projections);
  visit(Field{"step_tolerance", "step length to stop at, in norms of the operator", 0, 1},
        options.step_tolerance);
  visit(Field{"max_steps", "limit of the steps of all kinds", 1, 1e9}, options.max_steps);
  visit(Field{"zero_mean", "rows orthogonal to constant signals; always for images"}, options.zero_mean);
  visit(Field{"noise_aware", "learn the denoised signals together with the operator"}, options.noise_aware);
  visit(Field{.name = "lambda",
              .help = "noise-aware: weight of the fidelity, in 1 / unit of the signals; auto: from the noise",
              .low = 1e-30,
              .high = 1e30,
              .word = "auto"},
        options.lambda);
  visit(Field{"splitting_iterations", "noise-aware: iterations on the signals between two steps", 1, 1e6},
        options.splitting_iterations);
  visit(Field{"seed", "seed of all randomness"}, options.seed);
}

/// Learns Ω (a × n) from signals (samples × n float32, one a row, of any scale) by [yaghoobi2013constrained]:
///     AOL    min_Ω ‖Ω X‖₁                              over the UNTFs,
///     NAAOL  min_{Ω, X} ‖Ω X‖₁ + (λ/2) ‖Y − X‖_F²      over the UNTFs and X.
///
/// AOL: projected subgradients. G = sgn(Ω X) Xᵀ, a step along −G, then alternated projections (project_untf).
/// StepRule::backtracking is the paper's: each step is halved until the objective does not increase, and the
/// search ends when a step is shorter than the tolerance. On noise-free signals it stalls at the kinks of the
/// objective. The default, StepRule::diminishing, takes `exploration` steps of length first_step / (1 + k /
/// half_life), whatever the objective does. It then starts again from the best operator and halves the step
/// whenever 30 steps find nothing better; near a sharp minimum this converges linearly.
///
/// NAAOL begins with AOL on X = Y, then alternates steps on Ω with `splitting_iterations` of Douglas–Rachford
/// splitting on X (see douglas_rachford.hpp), each from the state of the one before. In place of the paper's
/// sgn(Ω X), which is 0 at zero coefficients, it uses the dual S of the splitting: S is a subgradient of the
/// same norm, and S Xᵀ is the derivative of min_X with respect to Ω. (With sgn, the X fitted to Ω keeps Ω
/// where it is.)
///
/// λ = 1.5 / σ unless it is given: the signals may move by 1 / λ, which is of the order of the noise. Among
/// weights between 0.5 and 3 / σ, those from 1 to 2 recover the most rows of 24 × 16 operators at 8 and 14 dB
/// (experiments/operator_recovery). σ, the standard deviation of the noise per value, is estimated from the
/// coefficients under the operator that AOL found: they are a mixture of two Gaussians, and σ comes from the
/// narrower one.
///
/// The result is a UNTF to rounding: project_untf ends exactly. ΩᵀΩ = I (with zero_mean: on the complement of
/// the constants) and rows have equal norms; its objective is ‖Ω X‖₁, for NAAOL + (λ/2) ‖Y − X‖².
///
/// 4 a n samples flops per step (NAAOL: times splitting_iterations + 2) and O(projections (a + n) n²).
/// Memory: 8 bytes per value of the signals, NAAOL 12 and 4 a per signal more; the coefficients Ω X of AOL
/// are never stored. Coefficients in float32, sums in float64. The same bytes for any number of threads.
///
/// report: objective_history of all steps; figures "stopped" (short steps, iteration limit, zero
/// subgradient), "best_iteration", "tightness" and "norms" (frame_residuals), NAAOL: "noise", "lambda",
/// "first_noise_aware". Throws invalid_argument (shapes, fewer signals than rows, values that are not finite
/// or all the same) and cancelled. Signals that span fewer than n dimensions give a warning, not an error.
LearnedOperator learn_untf(MatrixView<const float> signals, const UntfLearningOptions& options = {},
                           const Context& context = Context{});

}  // namespace parsimony::operators
