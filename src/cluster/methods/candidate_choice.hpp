// The choice among candidates of the automatic method, once votes are among them.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace parsimony::cluster {

/// The properties of a candidate that the choice depends on.
struct CandidateScore {
  double likelihood = 0;      ///< partition::density_likelihood()
  double largest_volume = 0;  ///< largest volume of its clusters
};

struct CandidateChoice {
  std::size_t taken = 0;
  std::string_view reason;
};

/// Candidates from `planted` on are votes: first those of the model with one density, then those of models
/// with a density per cluster. Takes the last vote whose likelihood is within 0.2 % of the highest, since
/// closer than that the order of likelihoods is chance and later votes are nearer to planted clusters;
/// otherwise the candidate of the highest likelihood.
///
/// A vote after `planted` is loose, and never taken, if its largest cluster has more than 1.25 times the
/// volume of the largest cluster in `planted`. A model with a density per cluster can sweep nodes that fit
/// nowhere into one loose cluster, and the likelihood rewards that.
CandidateChoice choose_among_votes(std::span<const CandidateScore> candidates, std::size_t planted);

}  // namespace parsimony::cluster
