// The number of random signals, and the filter, that keep the distances of spectral clustering.
//
// D_ij = ‖U_kᵀ(δ_i − δ_j)‖ is the distance of spectral clustering and f_i the row i of h(L) R, R Gaussian N ×
// d of variance 1/d. For one pair, with v = h(L)(δ_i − δ_j),
//     ‖f_i − f_j‖² = ‖v‖² χ²_d / d             exactly, χ²_d chi-square of d degrees of freedom,
//     (1 − e₁)² D² ≤ ‖v‖² ≤ D² + e₂² (2 − D²)  for 0 ≤ h ≤ 1 that is at least 1 − e₁ up to λ_k and at most e₂
//                                               from λ_{k+1} on, as ‖δ_i − δ_j‖² = 2.
// So the error of the filter and that of the signals are separate, and both can be computed without the
// constants of a theorem.
#pragma once

#include <cstdint>
#include <span>

#include "parsimony/core/options.hpp"

namespace parsimony::spectral {

/// P(χ²_d / d < low²) + P(χ²_d / d > high²): the probability that d signals scale the norm of a vector by
/// less than low or more than high. Uses the incomplete gamma function; relative error about 1e-12. Throws
/// invalid_argument unless d ≥ 1 and 0 ≤ low ≤ 1 ≤ high.
double probability_outside(std::int64_t signals, double low, double high);

/// The smallest d with probability_outside(d, low, high) ≤ failure_probability. Throws invalid_argument for
/// failure_probability outside (0, 1), not low < 1 < high, or more than 2^40 signals.
std::int64_t signals_within(double low, double high, double failure_probability);

/// The number of the theorem, for comparison: all squared distances of N points are within 1 ± ε with
/// probability at least 1 − N^(−β) if d ≥ (4 + 2 β)/(ε²/2 − ε³/3) ln N [tremblay2016accelerated]. It follows
/// from the bound 2 exp(−(ε²/4 − ε³/6) d) of the tail of χ²_d for one pair [dasgupta2003elementary] and a
/// union over N²/2 pairs. The number for compressive clustering, 16 (2 + β)/(ε² − ε³/3) ln N
/// [tremblay2016compressive], is the same at ε/2, because the filter gets the other half.
std::int64_t theorem_signals(double error, double beta, std::int64_t nodes);

/// Errors of a filter with 0 ≤ h ≤ 1: e₁ = max of 1 − h on [0, pass], e₂ = max of h on [stop, lambda_max],
/// evaluated on a grid that is finer than any lobe of a polynomial of this degree. O(order²) time.
struct FilterError {
  double pass = 0;
  double stop = 0;
};
FilterError filter_error(std::span<const double> coefficients, double lambda_max, double pass, double stop);

struct DistanceOptions {
  double error = 0.3;                 ///< ε: distances are kept within 1 ± ε, in (0, 1)
  double failure_probability = 0.05;  ///< δ for one pair; with all_pairs, for all pairs together
  bool all_pairs = false;  ///< divide δ by the N (N − 1)/2 pairs, so that all distances are kept at once
  /// Pairs whose D_ij is at least this times √(2 k/N), the root mean square of all D_ij, are kept. The
  /// filter's error in the stop band is the same for every pair, so that no filter keeps tiny distances.
  double least_distance = 0.5;
  int max_order = 1000;  ///< largest p; a tiny gap would ask for any order
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
  FilterError filter;        ///< errors of the low-pass of this order and cut-off
  bool kept = true;          ///< false: max_order is too low for the gap; d is that of a sufficient filter
};

/// Chooses d, p and the cut-off of spectral::low_pass such that, if the k-th and the next eigenvalue are as
/// given, every pair of at least the least distance has ‖f_i − f_j‖ within (1 ± ε) D_ij, except with
/// probability δ. A fifth of ε goes to the filter, which costs (5/4)² more signals than an exact filter; p is
/// the smallest sufficient number among 8, 10, 12, 15, … (a quarter more each). Nothing holds for the rows
/// after they are normalised, or if eigenvalues lie between lambda_k and lambda_next. Throws
/// invalid_argument.
DistancePlan plan_distances(std::int64_t nodes, std::int64_t k, double lambda_k, double lambda_next,
                            double lambda_max, const DistanceOptions& options = {});

/// Number of nodes to sample uniformly so that ‖sampled x‖² N/n is within (1 ± error) ‖x‖² for every x in the
/// span of U_k with probability 1 − failure_probability: n ≥ (3/error²) ν² ln(2 k/failure_probability)
/// [puy2018random] (theorem 2.2), with coherence² = ν² = N max_i ‖U_kᵀδ_i‖², which is at least k.
std::int64_t theorem_samples(std::int64_t k, double squared_coherence, double error,
                             double failure_probability);

}  // namespace parsimony::spectral
