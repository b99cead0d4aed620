// Descent along gradients of random batches of samples, on the manifold of unit rows.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "operators/learning/oblique_objective.hpp"
#include "parsimony/core/context.hpp"

namespace parsimony::operators {

struct StochasticOptions {
  std::int64_t batch = 4096;
  std::int64_t steps = 2500;
  double rate = 0.05;  ///< angle in radians that a row turns by in the first steps
  std::uint64_t seed = 0;
  std::string_view stage = {};
};

struct StochasticResult {
  /// Means of the objectives of the batches, over hundredths of the steps. Objectives that are not finite do
  /// not count, and a hundredth without any other is left out.
  std::vector<double> history;
};

/// u: rows × m, of norm 1 and so at the end. Each step draws `batch` samples with replacement, and moves
/// every row against the running mean of its gradients, divided by the running root mean square of their
/// norms: Adam [kingma2015adam] with one second moment per row, so that it knows no coordinates. Steps fall
/// to 0 as a half cosine, and the noise of the batches with them.
///
/// O(batch · a · n) per step; memory of a batch. The same for any number of threads.
StochasticResult stochastic_descent(std::span<double> u, std::int64_t rows,
                                    ObliqueObjective<float>& objective, const StochasticOptions& options,
                                    const Context& context);

}  // namespace parsimony::operators
