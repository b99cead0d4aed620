#include "cluster/methods/candidate_choice.hpp"

#include <cmath>

namespace parsimony::cluster {

CandidateChoice choose_among_votes(std::span<const CandidateScore> candidates, std::size_t planted) {
  constexpr double kLoose = 1.25;       // times the largest volume of `planted`
  constexpr double kOrderless = 0.002;  // times the likelihood
  const auto loose = [&](std::size_t c) {
    return c > planted && candidates[c].largest_volume > kLoose * candidates[planted].largest_volume;
  };
  std::size_t highest = planted;
  for (std::size_t c = 0; c < candidates.size(); ++c) {
    if (!loose(c) && candidates[c].likelihood > candidates[highest].likelihood) highest = c;
  }
  const double top = candidates[highest].likelihood;
  for (std::size_t c = candidates.size(); c-- > planted;) {
    if (loose(c) || candidates[c].likelihood < top - kOrderless * std::abs(top)) continue;
    return {c, "the last vote whose likelihood is within 0.2 % of the highest"};
  }
  return {highest, "the highest likelihood"};
}

}  // namespace parsimony::cluster
