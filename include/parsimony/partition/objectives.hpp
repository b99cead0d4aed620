// Objectives of a partition: modularity, two likelihoods of block models, the normalised cut.
//
// All are functions of the sums in_r and vol_r of a Partition and of 2m, in O(clusters). Empty clusters
// contribute nothing. q = Σ in_r / 2m is the share of the weight inside clusters, v = Σ (vol_r / 2m)² the
// share expected by chance.
#pragma once

#include "parsimony/partition/partition.hpp"

namespace parsimony::partition {

/// q − γ v [newman2004finding, reichardt2006statistical]; 0 without edges.
double modularity(const Partition& partition, double total, double resolution = 1);

/// The degree-corrected planted partition model that fits best [newman2016equivalence].
struct PlantedRates {
  double inside = 1;   ///< ω_in = q / v: density of clusters, relative to chance
  double outside = 1;  ///< ω_out = (1 − q) / (1 − v)
  double beta = 0;     ///< ln ω_in − ln ω_out: log-likelihood of one unit of modularity
  double gamma = 1;    ///< (ω_in − ω_out) / β: the resolution at which modularity is the likelihood
};

/// The rates of a partition. 1 − q counts as at least 1e-9, so that all are finite. With one cluster, or
/// without edges, they are those of a graph without clusters.
PlantedRates planted_rates(const Partition& partition, double total);

/// Log-likelihood per edge of the planted partition model at its best rates, less that of a graph without
/// clusters: q ln ω_in + (1 − q) ln ω_out, also known as asymptotic surprise [traag2015detecting].
double planted_likelihood(const Partition& partition, double total);

/// The same for a model in which every cluster has a rate of its own, ω_r = in_r 2m / vol_r²: [Σ_r f(in_r,
/// vol_r) + m (1 − q) ln ω_out] / m with f = ½ in ln(in 2m / vol²). If clusters differ in density, it ranks
/// partitions into the same number of clusters better than modularity and the likelihood above. Differences
/// below 0.2 % are chance.
double density_likelihood(const Partition& partition, double total);

/// Σ_r cut_r / vol_r [shi2000normalized]; clusters without volume cost 0.
double normalized_cut(const Partition& partition);

}  // namespace parsimony::partition
