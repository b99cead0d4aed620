// Denoises signals without neighbours, one a row, that are cosparse under an operator.
#pragma once

#include "parsimony/core/context.hpp"
#include "parsimony/core/matrix.hpp"
#include "parsimony/core/options.hpp"
#include "parsimony/operators/douglas_rachford.hpp"

namespace parsimony::operators {

struct SignalDenoisingOptions {
  double sigma = 0;  ///< standard deviation of the noise, in units of the signals; must be given
  /// Weight of the l1 norm in units of sigma. auto (0): 1.2 n / a for an operator of a × n. Raise it where
  /// noise remains, lower it where structure is lost.
  double weight = 0;
};

template <OptionsOf<SignalDenoisingOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(Field{"sigma", "standard deviation of the noise, in units of the signals; is not estimated", 1e-30,
              1e30},
        options.sigma);
  visit(Field{.name = "weight", .help = "weight of the penalty", .low = 1e-30, .high = 1e6, .word = "auto"},
        options.weight);
}

/// noisy: samples × n, a signal a row. Scales the rows of the operator to norm 1 and minimises ‖Ω X‖₁ +
/// 1/(2 weight sigma) ‖Y − X‖² by douglas_rachford, whose time, memory and report it has.
///
/// Throws invalid_argument (options out of range; shapes; values that are not finite; a row of zeros) and
/// cancelled.
CosparseSignals denoise_signals(MatrixView<const float> noisy, MatrixView<const double> analysis_operator,
                                const SignalDenoisingOptions& options, const Context& context = Context{});

}  // namespace parsimony::operators
