// Denoising of a signal of any length by an analysis operator on all of its overlapping windows.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "parsimony/core/context.hpp"
#include "parsimony/core/matrix.hpp"
#include "parsimony/core/options.hpp"
#include "parsimony/core/report.hpp"

namespace parsimony::images {

struct SequenceDenoisingOptions {
  double sigma = 0;         ///< standard deviation of the noise, in units of the signal
  double weight = 0;        ///< of the penalty; 0: 0.32 / a
  double nu = 48;           ///< of the penalty, for coefficients in units of sigma
  int max_iterations = 20;  ///< of L-BFGS
};

template <OptionsOf<SequenceDenoisingOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(Field{"sigma", "standard deviation of the noise, in units of the signal", 1e-30, 1e30},
        options.sigma);
  visit(Field{"weight", "weight of the penalty; 0: automatic", 0, 1e6}, options.weight);
  visit(Field{"nu", "of the log penalty, for coefficients in units of sigma", 1e-6, 1e9}, options.nu);
  visit(Field{"max_iterations", "iterations", 1, 1e6}, options.max_iterations);
}

struct DenoisedSequence {
  std::vector<float> values;
  Report report;
};

/// What L-BFGS (memory 8, from y) reaches of the minimum over x of
///   ½ ‖x − y‖² + weight · σ² Σ_i Σ_u log(1 + (ν/σ²) r_i(u)²),
/// r_i(u) = Σ_k w_ik x(u + k) the correlation of x with row i of omega (a × n), scaled to norm 1: the rows
/// are filters of length n, as in denoise_image but along a line. y is the noisy signal with n values more at
/// both ends, mirrored, which are cut off at the end; n may be larger than the length of the signal.
///
/// 4 a n flops and 8 n bytes per value and iteration; 80 bytes of memory per value. The same for any number
/// of threads.
///
/// report: iterations, objective_history.
///
/// Throws invalid_argument (options, an empty signal, values that are not finite, rows that are 0 or not
/// finite) and cancelled.
DenoisedSequence denoise_sequence(std::span<const float> signal, MatrixView<const double> omega,
                                  const SequenceDenoisingOptions& options,
                                  const Context& context = Context{});

}  // namespace parsimony::images
