// Denoises signals that are cosparse under a known operator, by Douglas–Rachford splitting.
#pragma once

#include <cstdint>

#include "parsimony/core/context.hpp"
#include "parsimony/core/matrix.hpp"
#include "parsimony/core/options.hpp"
#include "parsimony/core/report.hpp"

namespace parsimony::operators {

struct DouglasRachfordOptions {
  double lambda =
      1;             ///< weight of the fidelity, in 1 / unit of the signals; the larger, the less they change
  double gamma = 0;  ///< penalty of the splitting; auto (0): from the frame bounds. Changes the time only
  int max_iterations = 5000;  ///< limit for each block of signals
  double tolerance = 1e-6;    ///< duality gap to stop at, a fraction of the objective; 1e-9 tells zeros apart
};

template <OptionsOf<DouglasRachfordOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(Field{"lambda", "weight of the fidelity, in 1 / unit of the signals", 1e-300, 1e300}, options.lambda);
  visit(
      Field{.name = "gamma", .help = "penalty of the splitting", .low = 1e-30, .high = 1e300, .word = "auto"},
      options.gamma);
  visit(Field{"max_iterations", "limit of the iterations for each block of signals", 1, 1e9},
        options.max_iterations);
  visit(Field{"tolerance", "duality gap to stop at, a fraction of the objective", 0, 1}, options.tolerance);
}

struct CosparseSignals {
  Matrix<float> signals;  ///< samples × n
  double objective = 0;  ///< ‖Ω X‖₁ + (λ/2) ‖Y − X‖² of the signals, before they were rounded to float32
  double lower_bound = 0;  ///< bound below which the objective cannot fall
  Report report;
};

/// min_X ‖Ω X‖₁ + (λ/2) ‖Y − X‖_F² for noisy signals Y (samples × n, one a row) and an operator Ω (a × n), by
/// the splitting of [eckstein1992douglas], which is ADMM on Z = Ω X with the scaled dual B and penalty γ:
///     X ← (λ I + γ ΩᵀΩ)⁻¹ (λ Y + γ Ωᵀ (Z − B)),   Z ← soft(Ω X + B, 1/γ),   B ← B + Ω X − Z.
/// The inverse is applied once to Y and once to Ωᵀ (by Cholesky; for a tight frame it is a number), so an
/// iteration is two products and one pass over the coefficients. γ B lies in the unit ball of the dual. The
/// result is X = Y − Ωᵀ(γ B) / λ; its duality gap, Σ |r| − γ b r over r = Ω X, bounds its distance from the
/// optimum.
///
/// Signals are separable: blocks of 64 run all their iterations in the cache, each until its own gap is met.
/// A weak signal among strong ones contributes little to that gap. O(iterations · samples · a n) time; 4 n
/// bytes per signal and 24 (a + n) · 64 per thread. In float64. The same bytes for any number of threads.
///
/// report: iterations of the slowest block, figures "relative_gap" and "mean_iterations".
/// Throws invalid_argument (shapes, values that are not finite: named) and cancelled.
CosparseSignals douglas_rachford(MatrixView<const double> analysis_operator, MatrixView<const float> noisy,
                                 const DouglasRachfordOptions& options = {},
                                 const Context& context = Context{});

}  // namespace parsimony::operators
