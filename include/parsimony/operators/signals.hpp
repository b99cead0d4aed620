// Makes synthetic cosparse signals and noise, and measures how much of an operator was recovered.
#pragma once

#include <cstdint>

#include "parsimony/core/context.hpp"
#include "parsimony/core/matrix.hpp"
#include "parsimony/core/options.hpp"

namespace parsimony::operators {

struct CosparseSignalOptions {
  std::int64_t samples = 768;    ///< number of signals
  std::int64_t cosparsity = 10;  ///< rows that each signal is orthogonal to, drawn for each signal
  std::uint64_t seed = 0;
};

template <OptionsOf<CosparseSignalOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(Field{"samples", "number of signals", 1, 1e12}, options.samples);
  visit(Field{"cosparsity", "rows that a signal is orthogonal to", 0, 1e6}, options.cosparsity);
  visit(Field{"seed", "seed of all randomness"}, options.seed);
}

/// Returns samples × n, a signal a row: a Gaussian vector projected on the null space of `cosparsity`
/// different rows of the operator (a × n), drawn at random, and normalised [nam2013cosparse,
/// yaghoobi2013constrained]. In float32, where zero coefficients become about 1e-8. Signal i depends on the
/// operator, the seed and i alone. O(samples q² n) time.
///
/// Throws invalid_argument when there are fewer rows, or when the rows drawn leave no direction.
Matrix<float> cosparse_signals(MatrixView<const double> analysis_operator,
                               const CosparseSignalOptions& options = {}, const Context& context = Context{});

/// The signals with white Gaussian noise. Its power is 10^(−snr_db / 10) of theirs, with one variance for
/// all.
Matrix<float> with_noise(MatrixView<const float> signals, double snr_db, std::uint64_t seed = 0);

/// The fraction of the rows of truth (a × n) to which some row of found (any number × n) is nearly parallel:
/// |⟨w_i, v_j⟩| / (‖w_i‖ ‖v_j‖) above the threshold.
double recovered_rows(MatrixView<const double> truth, MatrixView<const double> found,
                      double threshold = 0.99);

}  // namespace parsimony::operators
