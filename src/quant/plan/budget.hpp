// One choice per layer under a limit of bytes.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

namespace parsimony::quant {

struct Candidate {
  double error = 0;
  std::int64_t bytes = 0;
};

using Choices = std::vector<std::size_t>;  // one candidate per layer

/// The candidates of least Σ error with size(choices) ≤ limit, as the Lagrangian has it: layers go up their
/// lower convex hulls of (bytes, error), the step that gains most per byte first, as far as the limit lets
/// them; then later steps that still fit. size counts the whole file, of which the candidates' bytes are the
/// larger part. Throws invalid_argument naming the least size where that is above the limit.
Choices choose_under_budget(const std::vector<std::vector<Candidate>>& layers, std::int64_t limit,
                            const std::function<std::int64_t(const Choices&)>& size);

}  // namespace parsimony::quant
