// How many random signals, and of what filter, keep the distances of spectral clustering.
//
// D_ij = ‖U_kᵀ(δ_i − δ_j)‖ is the distance of spectral clustering and f_i the row i of h(L) R, R Gaussian N ×
// d of variance 1/d. For one pair, with v = h(L)(δ_i − δ_j),
//     ‖f_i − f_j‖² = ‖v‖² χ²_d / d             exactly, χ²_d chi-square of d degrees of freedom,
//     (1 − e₁)² D² ≤ ‖v‖² ≤ D² + e₂² (2 − D²)  for 0 ≤ h ≤ 1 that is at least 1 − e₁ up to λ_k and at most e₂
//                                               from λ_{k+1} on, as ‖δ_i − δ_j‖² = 2.
// So the filter and the signals fail apart, and both can be computed: no constant is left to a theorem.
#pragma once

#include <cstdint>
#include <span>

#include "parsimony/core/options.hpp"

namespace parsimony::spectral {

/// P(χ²_d / d < low²) + P(χ²_d / d > high²): how often d signals take the norm of one vector outside of low
/// to high times itself. By the incomplete gamma function, relative error about 1e-12. Throws
/// invalid_argument unless d ≥ 1 and 0 ≤ low ≤ 1 ≤ high.
double probability_outside(std::int64_t signals, double low, double high);

/// The smallest d with probability_outside(d, low, high) ≤ failure_probability. Throws invalid_argument for
/// failure_probability outside (0, 1), not low < 1 < high, or more than 2^40 signals.
std::int64_t signals_within(double low, double high, double failure_probability);

/// The theorem's number, kept for comparison: all squared distances of N points within 1 ± ε with probability
/// at least 1 − N^(−β) if d ≥ (4 + 2 β)/(ε²/2 − ε³/3) ln N [tremblay2016accelerated]. It is the bound
/// 2 exp(−(ε²/4 − ε³/6) d) of the tail of χ²_d for one pair [dasgupta2003elementary], N²/2 pairs united. That
/// of compressive clustering, 16 (2 + β)/(ε² − ε³/3) ln N [tremblay2016compressive], is the same at ε/2: the
/// other half is left to the filter.
std::int64_t theorem_signals(double error, double beta, std::int64_t nodes);

/// Errors of a filter with 0 ≤ h ≤ 1: e₁ = max of 1 − h on [0, pass], e₂ = max of h on [stop, lambda_max], by
/// evaluation on a grid that no lobe of a polynomial of its degree falls through. O(order²).
struct FilterError {
  double pass = 0;
  double stop = 0;
};
FilterError filter_error(std::span<const double> coefficients, double lambda_max, double pass, double stop);

struct DistanceOptions {
  double error = 0.3;                 ///< ε: distances are kept within 1 ± ε, in (0, 1)
  double failure_probability = 0.05;  ///< δ: of one pair; or of any pair at all, with all_pairs
  bool all_pairs = false;  ///< δ divided by the N (N − 1)/2 pairs: distances are kept for all of them at once
  /// The pairs that this is about: D_ij at least this times √(2 k/N), the root mean square of all D_ij. What
  /// the filter leaves of the stop band is as large for every pair, so that no filter keeps tiny distances.
  double least_distance = 0.5;
  int max_order = 1000;  ///< p at most: beside a tiny gap any order would be too small
};

template <OptionsOf<DistanceOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(Field{"error", "relative error of the distances", 1e-6, 0.999}, options.error);
  visit(Field{"failure_probability", "of a pair to be outside", 1e-300, 0.999}, options.failure_probability);
  visit(Field{"all_pairs", "bound the probability that any pair is outside"}, options.all_pairs);
  visit(Field{"least_distance", "shortest distance kept, in units of the mean one", 1e-6, 1e6},
        options.least_distance);
  visit(Field{"max_order", "highest degree of the filter", 1, 1e6}, options.max_order);
}

/// The d of plan_distances, which does not depend on the spectrum.
std::int64_t distance_signals(std::int64_t nodes, const DistanceOptions& options = {});

struct DistancePlan {
  std::int64_t signals = 0;  ///< d
  int order = 0;             ///< p
  double cutoff = 0;         ///< half way between λ_k and λ_{k+1}
  FilterError filter;        ///< of the low-pass of this order and cut-off
  bool kept = true;          ///< false: max_order is too low for the gap; d is that of a filter good enough
};

/// d, p and the cut-off of spectral::low_pass such that, if the k-th and the next eigenvalue are as given,
/// every pair of at least the least distance has ‖f_i − f_j‖ within (1 ± ε) D_ij but with probability δ. A
/// fifth of ε goes to the filter, which costs (5/4)² more signals than an exact one would; p is the smallest
/// of 8, 10, 12, 15, … (a quarter more each) that does. Nothing is promised for the rows after they are
/// normalised, nor where eigenvalues lie between lambda_k and lambda_next. Throws invalid_argument.
DistancePlan plan_distances(std::int64_t nodes, std::int64_t k, double lambda_k, double lambda_next,
                            double lambda_max, const DistanceOptions& options = {});

/// Nodes to sample so that ‖sampled x‖² N/n is within (1 ± error) ‖x‖² for every x in the span of U_k with
/// probability 1 − failure_probability: n ≥ (3/error²) ν² ln(2 k/failure_probability)
/// [puy2018random] (theorem 2.2), coherence² = ν² = N max_i ‖U_kᵀδ_i‖² (k at least), uniform sampling.
std::int64_t theorem_samples(std::int64_t k, double squared_coherence, double error,
                             double failure_probability);

}  // namespace parsimony::spectral
