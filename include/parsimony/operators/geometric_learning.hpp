// Learns an analysis operator of unit-norm rows on their manifold, by a concave penalty and L-BFGS
// [hawe2013analysis], from all samples or from minibatches.
#pragma once

#include <cstdint>

#include "parsimony/core/context.hpp"
#include "parsimony/core/matrix.hpp"
#include "parsimony/core/options.hpp"
#include "parsimony/operators/learned_operator.hpp"

namespace parsimony::operators {

/// Values of auto are those for synthetic cosparse signals; suited_to_patches (learn.hpp) has those for
/// patches of images.
struct GeometricLearningOptions {
  std::int64_t rows = 0;  ///< a, rows of the operator; auto (0): twice the length of a sample
  /// Sharpness of the penalty, in units of 1 / mean ‖x‖²: coefficients well above 1/√nu of a sample's norm
  /// count by their logarithm. auto (0): 500; 5000 for patches. Lower it to 50 for very noisy samples.
  double nu = 0;
  /// Weight of −log det: keeps the operator close to a tight frame. auto (−1): 20; 60 for patches. Raise it
  /// when rows collapse into few directions.
  double kappa = -1;
  /// Weight of the coherence: keeps rows apart. auto (−1): 6; 2 for patches. Raise it when rows repeat.
  double mu = -1;
  /// Continuation: nu of the first of `stages` values, which grow in equal ratios up to nu. Smaller values
  /// smooth the landscape: of 400 random starts on 24 × 16, one ends beside the planted operator instead of
  /// six. With few samples use 40, and three stages up to nu = 2000.
  double first_nu = 100;
  int stages = 0;            ///< values of nu; 1: nu from the start; auto (0): 2; 1 for patches
  bool zero_mean = false;    ///< make rows orthogonal to the constant, for patches of images
  int max_iterations = 250;  ///< L-BFGS iterations of each stage
  int memory = 20;           ///< pairs that L-BFGS keeps; more of them cost memory and rarely help
  double tolerance = 1e-6;   ///< relative decrease of the objective that ends a stage
  /// Samples of one step of stochastic descent. 0, or at least as many as there are samples: all, by L-BFGS.
  /// auto (−1): 0; 2048 for patches, unless max_iterations, memory or tolerance of L-BFGS is changed.
  std::int64_t batch_size = -1;
  std::int64_t batches = 2500;  ///< steps of stochastic descent, in all stages together
  double rate =
      0.2;  ///< first step of stochastic descent, the angle in radians that a row turns by; falls to 0
  std::int64_t restarts = 1;  ///< random starts; the operator of lowest objective is kept
  std::uint64_t seed = 0;
  /// The operator to start from, a × n, of any row norms; one run then. Empty: random tight frames. It must
  /// outlive the call.
  MatrixView<const double> initial = {};
};

template <OptionsOf<GeometricLearningOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(Field{.name = "rows",
              .help = "rows of the operator; auto: twice the length of a sample",
              .low = 1,
              .high = 1 << 20,
              .word = "auto"},
        options.rows);
  visit(Field{.name = "nu",
              .help = "sharpness of the penalty log(1 + nu r^2); auto: 500, for images 5000",
              .low = 1e-12,
              .high = 1e12,
              .word = "auto"},
        options.nu);
  visit(Field{.name = "kappa",
              .help = "weight of the log-determinant; auto: 20, for images 60",
              .low = 0,
              .high = 1e12,
              .word = "auto",
              .word_value = -1},
        options.kappa);
  visit(Field{.name = "mu",
              .help = "weight of the coherence; auto: 6, for images 2",
              .low = 0,
              .high = 1e12,
              .word = "auto",
              .word_value = -1},
        options.mu);
  visit(Field{"first_nu", "nu of the first stage, where there are several", 1e-12, 1e12}, options.first_nu);
  visit(Field{.name = "stages",
              .help = "values of nu, in equal ratios from first_nu to nu; auto: 2, for images 1",
              .low = 1,
              .high = 1000,
              .word = "auto"},
        options.stages);
  visit(Field{"zero_mean", "rows orthogonal to constant signals; always for images"}, options.zero_mean);
  visit(Field{"max_iterations", "L-BFGS iterations of each stage", 0, 1e6}, options.max_iterations);
  visit(Field{"memory", "pairs that L-BFGS keeps", 1, 1000}, options.memory);
  visit(Field{"tolerance", "relative decrease of the objective that ends a stage", 0, 1}, options.tolerance);
  visit(Field{.name = "batch_size",
              .help = "samples of a step of stochastic descent; 0: all, by L-BFGS; auto: 0, for images 2048",
              .low = 0,
              .high = 1e9,
              .word = "auto",
              .word_value = -1},
        options.batch_size);
  visit(Field{"batches", "steps of stochastic descent, in all stages together", 1, 1e9}, options.batches);
  visit(Field{"rate", "first step of stochastic descent, in radians", 1e-9, 1}, options.rate);
  visit(Field{"restarts", "random starts; the best is kept", 1, 10000}, options.restarts);
  visit(Field{"seed", "seed of all randomness"}, options.seed);
}

/// samples: l × n float32, a signal a row.
///
/// Minimises over operators Ω of unit rows w_i (a × m; m = n, with zero_mean n − 1 coordinates)
///
///   1/(m l) Σ_s Σ_i log(1 + nu <w_i, x_s>²) − kappa/(m ln m) log det(ΩᵀΩ) − 2mu/(a² − a) Σ_{i≠j} log(1 −
///   <w_i, w_j>²)
///
/// with nu in units of 1 / mean ‖x_s‖². The determinant keeps the rank, and with unit rows is largest for
/// tight frames; the last sum keeps rows from becoming equal or opposite.
///
/// Departures from [hawe2013analysis]: the objective normalises the rows itself, so its gradient is
/// orthogonal to them and plain L-BFGS replaces conjugate gradients with transport; the constant in the
/// determinant is left out.
///
/// With batch_size > 0 and below l, steps follow the gradient of random batches of samples and shrink to 0
/// (src/operators/learning/stochastic_descent.hpp). A million patches need this, and on patches its noise
/// also escapes minima that L-BFGS ends in. In the spirit of [sandbichler2017online], for this objective.
///
/// O(a n) time per sample of an iteration or step, see src/operators/learning/penalty_objective.hpp; O(memory
/// · a n) memory beside the samples. The same bytes for any number of threads.
///
/// report: iterations (all stages of the kept run), objective_history (non-increasing within a stage; with
/// batches: their means over hundredths of a stage), status (with batches: converged, their steps end at 0);
/// figures "stop" (why L-BFGS ended), "evaluations", "restart", "coherence", "lower_frame_bound",
/// "upper_frame_bound".
///
/// Throws invalid_argument (options out of range, shapes that do not fit, fewer rows than dimensions, samples
/// that are not finite or all zero) and cancelled.
LearnedOperator learn_geometric(MatrixView<const float> samples, const GeometricLearningOptions& options = {},
                                const Context& context = Context{});

/// The objective that learn_geometric minimises, on any samples: compares operators on samples that were held
/// out. analysis_operator: rows of norm 1. Only nu, kappa, mu and zero_mean of the options count.
double geometric_objective(MatrixView<const float> samples, MatrixView<const double> analysis_operator,
                           const GeometricLearningOptions& options = {}, const Context& context = Context{});

}  // namespace parsimony::operators
