// Denoises one signal of any length by an analysis operator on all of its overlapping windows.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "parsimony/core/context.hpp"
#include "parsimony/core/matrix.hpp"
#include "parsimony/core/options.hpp"
#include "parsimony/core/report.hpp"
#include "parsimony/images/fields.hpp"

namespace parsimony::images {

struct SequenceDenoisingOptions {
  double sigma = 0;        ///< standard deviation of the noise, in units of the signal; must be given
  double weight = 0;       ///< weight of the penalty; auto (0): 0.32 / a. Raise it where noise remains
  double nu = 0;           ///< ν of the log penalty, for coefficients in units of sigma; auto (0): 48
  int max_iterations = 0;  ///< limit of the L-BFGS iterations; auto (0): 20
};

template <OptionsOf<SequenceDenoisingOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(Field{"sigma", "standard deviation of the noise, in units of the signal; is not estimated", 1e-30,
              1e30},
        options.sigma);
  visit(fields::weight, options.weight);
  visit(fields::nu, options.nu);
  visit(Field{.name = "max_iterations",
              .help = "limit of the iterations; auto: 20",
              .low = 1,
              .high = 1e6,
              .word = "auto"},
        options.max_iterations);
}

struct DenoisedSequence {
  std::vector<float> values;
  Report report;
};

/// Computes the point that L-BFGS (memory 8, from y) reaches in minimising over x
///   ½ ‖x − y‖² + weight · σ² Σ_i Σ_u log(1 + (ν/σ²) r_i(u)²),
/// r_i(u) = Σ_k w_ik x(u + k) the correlation of x with row i of the operator (a × n), scaled to norm 1: the
/// rows are filters of length n, as in denoise_by_operator but along a line. y is the noisy signal continued
/// by n mirrored values at both ends, which are cut off at the end; n may be larger than the length of the
/// signal.
///
/// 4 a n flops and 8 n bytes per value and iteration; 80 bytes of memory per value. The same bytes for any
/// number of threads.
///
/// report: iterations, objective_history.
///
/// Throws invalid_argument (options, an empty signal, values that are not finite, rows that are 0 or not
/// finite) and cancelled.
DenoisedSequence denoise_sequence(std::span<const float> signal, MatrixView<const double> analysis_operator,
                                  const SequenceDenoisingOptions& options,
                                  const Context& context = Context{});

}  // namespace parsimony::images
