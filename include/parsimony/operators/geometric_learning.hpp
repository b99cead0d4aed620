// Learns an analysis operator of unit-norm rows on their manifold, by a concave penalty and L-BFGS
// [hawe2013analysis], from all samples or from minibatches.
#pragma once

#include <cstdint>

#include "parsimony/core/context.hpp"
#include "parsimony/core/matrix.hpp"
#include "parsimony/core/options.hpp"
#include "parsimony/core/report.hpp"

namespace parsimony::operators {

struct GeometricLearningOptions {
  std::int64_t atoms = 0;  ///< rows a of the operator; 0: twice the length of a sample
  /// How sharply coefficients are counted, in units of the mean squared norm of a sample: those well above
  /// 1/√nu of it count by their logarithm. Synthetic signals: 500; image patches: 5000
  double nu = 500;
  double kappa = 20;  ///< weight of -log det: how close to a tight frame. Image patches: 60
  double mu = 6;      ///< weight of the coherence: how far apart rows stay. Image patches: 2
  /// Continuation: the first of `stages` values of nu, in equal ratios up to nu. Smaller values smooth the
  /// landscape: of 400 random starts on 24 x 16, one ends beside the planted operator instead of six. Few
  /// samples: 40, and three stages up to 2000
  double first_nu = 100;
  int stages = 2;            ///< 1: nu from the start
  bool zero_mean = false;    ///< rows orthogonal to the constant, for patches of images
  int max_iterations = 250;  ///< of each stage
  int memory = 20;           ///< pairs that L-BFGS keeps
  double tolerance = 1e-6;   ///< relative decrease of the objective to end a stage at
  /// Samples of one step of stochastic descent, 2048 for patches of images; 0: all, by L-BFGS
  std::int64_t batch_size = 0;
  std::int64_t batches = 2500;  ///< of stochastic descent, in all stages together
  double rate = 0.2;            ///< its first step, the angle in radians that a row turns by; it falls to 0
  std::int64_t restarts = 1;    ///< random starts, the operator of lowest objective is kept
  std::uint64_t seed = 0;
};

template <OptionsOf<GeometricLearningOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(Field{"atoms", "rows of the operator; 0: twice the length of a sample", 0, 1 << 20}, options.atoms);
  visit(Field{"nu", "sharpness of the penalty log(1 + nu r^2)", 1e-12, 1e12}, options.nu);
  visit(Field{"kappa", "weight of the log-determinant", 0, 1e12}, options.kappa);
  visit(Field{"mu", "weight of the coherence", 0, 1e12}, options.mu);
  visit(Field{"first_nu", "nu of the first stage, where there are several", 1e-12, 1e12}, options.first_nu);
  visit(Field{"stages", "values of nu, in equal ratios from first_nu to nu", 1, 1000}, options.stages);
  visit(Field{"zero_mean", "rows orthogonal to the constant"}, options.zero_mean);
  visit(Field{"max_iterations", "iterations of each stage", 0, 1e6}, options.max_iterations);
  visit(Field{"memory", "pairs that L-BFGS keeps", 1, 1000}, options.memory);
  visit(Field{"tolerance", "relative decrease of the objective to end a stage at", 0, 1}, options.tolerance);
  visit(Field{"batch_size", "samples of a step of stochastic descent; 0: all, by L-BFGS", 0, 1e9},
        options.batch_size);
  visit(Field{"batches", "steps of stochastic descent, in all stages together", 1, 1e9}, options.batches);
  visit(Field{"rate", "first step of stochastic descent, in radians", 1e-9, 1}, options.rate);
  visit(Field{"restarts", "random starts, the best is kept", 1, 10000}, options.restarts);
  visit(Field{"seed", "seed of all randomness"}, options.seed);
}

struct GeometricLearning {
  Matrix<double> analysis;  ///< a × n, rows of norm 1
  double objective = 0;
  Report report;
};

/// samples: l × n float32, a signal a row. initial, when it has rows: the operator to start from, a × n, its
/// rows are normalised; one run then. Otherwise random UNTFs.
///
/// Minimises over operators Ω of unit rows w_i (a × m; m = n, with zero_mean n − 1 coordinates)
///
///   1/(m l) Σ_s Σ_i log(1 + nu <w_i, x_s>²) − kappa/(m ln m) log det(ΩᵀΩ) − 2mu/(a² − a) Σ_{i≠j} log(1 −
///   <w_i, w_j>²)
///
/// with nu in units of 1 / mean ‖x_s‖². The determinant keeps the rank, and with unit rows is largest for
/// tight frames; the last sum keeps rows from becoming equal or opposite.
///
/// Departures from [hawe2013analysis]: the rows are normalised inside of the objective, and L-BFGS runs on
/// what is normalised, whose gradient is orthogonal to the rows by itself, instead of conjugate gradients
/// with transport; the constant in the determinant is left out.
///
/// With batch_size > 0 and below l, steps follow the gradient of random batches of samples and shrink to 0
/// (src/operators/learning/stochastic_descent.hpp): what a million patches need, and on patches of images the
/// noise also leaves worse minima behind than L-BFGS does. In the spirit of [sandbichler2017online], for this
/// objective.
///
/// O(a n) time per sample of an iteration or step, see src/operators/learning/penalty_objective.hpp; O(memory
/// · a n) memory beside the samples. The same result for any number of threads.
///
/// report: iterations (all stages of the kept run), objective_history (non-increasing within a stage; of
/// batches: their means over hundredths of a stage), status (of batches: converged, their steps end at 0);
/// figures "stop" (why L-BFGS ended), "evaluations", "restart", "coherence", "lower_frame_bound",
/// "upper_frame_bound".
///
/// Throws invalid_argument (options out of range, shapes that do not fit, fewer rows than dimensions, samples
/// that are not finite or all zero) and cancelled.
GeometricLearning learn_geometric(MatrixView<const float> samples,
                                  const GeometricLearningOptions& options = {},
                                  const Context& context = Context{}, MatrixView<const double> initial = {});

/// The objective that learn_geometric minimises, of any samples: to compare operators on those that were held
/// out. analysis: rows of norm 1. nu, kappa, mu and zero_mean of the options count.
double geometric_objective(MatrixView<const float> samples, MatrixView<const double> analysis,
                           const GeometricLearningOptions& options = {}, const Context& context = Context{});

}  // namespace parsimony::operators
