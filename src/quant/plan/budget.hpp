// One candidate for each layer, under a limit of bytes in all.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

namespace parsimony::quant {

struct Candidate {
  double error = 0;
  std::int64_t bytes = 0;
};

using Choices = std::vector<std::size_t>;  // indices of candidates

/// Candidates on the lower convex hull of (bytes, error), in the order of rising bytes and falling error.
Choices lower_hull(const std::vector<Candidate>& candidates);

/// Choices of least Σ error with size(choices) ≤ limit, by the Lagrangian: layers climb their lower hulls,
/// the step that gains most error per byte first, as long as the limit allows; then later steps that still
/// fit. size counts the whole file, of which the bytes of the candidates are the larger part. Throws
/// invalid_argument, naming the least possible size, if that is above the limit.
Choices choose_under_budget(const std::vector<std::vector<Candidate>>& layers, std::int64_t limit,
                            const std::function<std::int64_t(const Choices&)>& size);

}  // namespace parsimony::quant
