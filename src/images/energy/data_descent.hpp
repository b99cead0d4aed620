// Minimises the distance to data plus a penalty, as all methods by the log penalty do.
#pragma once

#include <cstdint>
#include <span>

#include "operators/solvers/lbfgs.hpp"
#include "parsimony/core/context.hpp"

namespace parsimony::images {

/// Minimises ½ Σ_i d_i² + weight · penalty(x) by L-BFGS from x, in place.
///
/// penalty(at, gradient) returns the penalty and writes its derivatives. distance(i, value, slope) returns
/// the square of d_i at x_i = value, and replaces the derivative of the penalty, slope, by that of the whole.
/// Sums run over fixed blocks, so the result does not depend on the number of threads.
template <class Penalty, class Distance>
operators::LbfgsResult descend_from_data(std::span<float> x, double weight, Penalty&& penalty,
                                         Distance&& distance, const operators::LbfgsOptions& options,
                                         const Context& context) {
  constexpr std::int64_t kBlock = 1 << 15;
  const auto objective = [&](std::span<const float> at, std::span<float> gradient) {
    const double value = penalty(at, gradient);
    const double squares = context.sum_blocks(static_cast<std::int64_t>(at.size()), kBlock,
                                              [&](std::int64_t begin, std::int64_t end) {
                                                double part = 0;
                                                for (std::int64_t i = begin; i < end; ++i)
                                                  part += distance(i, at[i], gradient[i]);
                                                return part;
                                              });
    return squares / 2 + weight * value;
  };
  return operators::lbfgs(x, objective, options, context);
}

/// The same from the data themselves, d_i = x_i − noisy_i, with the settings that denoising was tuned with:
/// it stops after max_iterations, long before the minimum, which gains nothing.
template <class Penalty>
operators::LbfgsResult denoise_from_data(std::span<float> x, std::span<const float> noisy, double weight,
                                         Penalty&& penalty, int max_iterations, const Context& context) {
  const auto scale = static_cast<float>(weight);
  return descend_from_data(
      x, weight, penalty,
      [noisy, scale](std::int64_t i, float value, float& slope) {
        const float difference = value - noisy[i];
        slope = difference + scale * slope;
        return static_cast<double>(difference) * difference;
      },
      {.memory = 8,
       .max_iterations = max_iterations,
       .tolerance = 0,
       .gradient_tolerance = 1e-6,
       .first_step = 0.3,
       .stage = "denoising"},
      context);
}

}  // namespace parsimony::images
