// What a partition is worth: modularity, two likelihoods of block models, the normalised cut.
//
// All are functions of the sums in_r and vol_r of a Partition and of 2m, in O(clusters). Empty clusters count
// for nothing. q = Σ in_r / 2m is the share of the weight inside clusters, v = Σ (vol_r / 2m)² what it would
// be by chance.
#pragma once

#include "parsimony/partition/partition.hpp"

namespace parsimony::partition {

/// q − γ v [newman2004finding, reichardt2006statistical]; 0 without edges.
double modularity(const Partition& partition, double total, double resolution = 1);

/// The degree-corrected planted partition model that fits best [newman2016equivalence].
struct PlantedRates {
  double inside = 1;   ///< ω_in = q / v: how much denser clusters are than by chance
  double outside = 1;  ///< ω_out = (1 − q) / (1 − v)
  double beta = 0;     ///< ln ω_in − ln ω_out: one unit of modularity in units of log-likelihood
  double gamma = 1;    ///< (ω_in − ω_out) / β: the resolution at which modularity is the likelihood
};

/// 1 − q is taken for at least 1e-9, so that all are finite; with one cluster, or without edges, all are
/// those of a graph without clusters.
PlantedRates planted_rates(const Partition& partition, double total);

/// Log-likelihood of the planted partition model per edge, at its best rates and beside that of a graph
/// without clusters: q ln ω_in + (1 − q) ln ω_out (asymptotic surprise [traag2015detecting] by another name).
double planted_likelihood(const Partition& partition, double total);

/// The same where every cluster has a rate of its own, ω_r = in_r 2m / vol_r²: [Σ_r f(in_r, vol_r) + m (1 −
/// q) ln ω_out] / m with f = ½ in ln(in 2m / vol²). Where clusters differ in density it ranks partitions of
/// the same number of clusters better than modularity and the likelihood above, up to some 0.2 %.
double density_likelihood(const Partition& partition, double total);

/// Σ_r cut_r / vol_r [shi2000normalized]; clusters without volume cost 0.
double normalized_cut(const Partition& partition);

}  // namespace parsimony::partition
